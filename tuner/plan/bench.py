"""A model and its optimizer that train on random tokens, without data: what a speed is taken of.

torch is imported where something trains: a driver that times nothing does without it.
"""

from __future__ import annotations

from types import TracebackType

from trainable.config import TrainConfig
from trainable.data.preparation import known_vocab_size
from trainable.optimizers import update_rule
from trainable.runtime import Runtime


def vocab_size(config: TrainConfig) -> int:
    """Return the size of the data's own vocabulary where it is known, else the one that the config asks for."""
    return known_vocab_size(config.data) or config.data.vocab_size


def num_rows(config: TrainConfig, device_type: str) -> int:
    """Rows of the passes that are timed: a micro-batch's, on a CPU no more than fill 1,024 tokens."""
    rows = config.data.batch_tokens // config.data.seq_len // config.data.grad_accum_steps
    return min(rows, max(1, 1024 // config.data.seq_len)) if device_type == "cpu" else rows


class Bench:
    """A model that trains on random tokens, and its optimizer. On a CPU in one thread, as trials do."""

    def __init__(self, config: TrainConfig, runtime: Runtime) -> None:
        self.config, self.runtime = config, runtime

    def __enter__(self) -> Bench:
        import torch

        config, runtime = self.config, self.runtime
        self.threads = torch.get_num_threads()
        if runtime.device_type == "cpu":
            torch.set_num_threads(1)
        self.random = torch.random.fork_rng(devices=[])  # of weights, tokens and dropout
        self.random.__enter__()
        torch.manual_seed(0)
        try:
            vocab, shape = vocab_size(config), (num_rows(config, runtime.device_type), config.data.seq_len)
            self.network = config.model.build(vocab, config.data.seq_len).to(runtime.device)
            self.network.checkpoints_activations = runtime.checkpoint_activations
            self.tokens = torch.randint(vocab, shape, device=runtime.device)
            self.passes()
            for parameter in self.network.parameters():
                if parameter.grad is None:  # reached by a part of the loss that random tokens do without
                    parameter.grad = torch.zeros_like(parameter)
            self.groups = config.optimizer.groups_for(self.network, config.data.batch_tokens, config.schedule)
            self.states, self.momentum = update_rule.start(self.groups), config.schedule.momentum(0.0)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import torch

        self.random.__exit__(kind, error, trace)
        torch.set_num_threads(self.threads)

    @property
    def num_tokens(self) -> int:
        """Count the tokens of one forward and backward pass."""
        return self.tokens.numel()

    def passes(self) -> None:
        """Forward and backward."""
        import torch.nn.functional as F

        with self.runtime.autocast():
            logits = self.network(self.tokens).float()
        F.cross_entropy(logits.flatten(0, 1), self.tokens.flatten()).backward()  # type: ignore[no-untyped-call]

    def update(self) -> None:
        """The optimizer's part of a step."""
        update_rule.update(self.groups, self.states, 1.0, 0, 0.0, self.momentum)

    def step(self) -> None:
        self.passes()
        self.update()
