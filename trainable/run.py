"""The state of one training: everything a checkpoint must hold, as plain data, and how it is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainable.config import Spent, TrainConfig
from trainable.cuda_graph import ReplayedPass
from trainable.curve import CurveRecorder
from trainable.data.dataset import Dataset
from trainable.data.epochs import epochs_at
from trainable.data.prefetch import Batches, batches
from trainable.monitors import EVERYTHING, PROBE_TOKENS, Monitors, steps_between
from trainable.networks.causal_attention import allow_flex
from trainable.networks.network import Network
from trainable.networks.parts import Live, SeesDocuments
from trainable.optimizers import update_rule
from trainable.optimizers.update_rule import Group
from trainable.runtime import BF16, Runtime
from trainable.scaling import scaling_parameters
from trainable.seeds import for_torch, manual_seed


def built_network(config: TrainConfig, is_boundary: npt.NDArray[np.bool_], runtime: Runtime) -> Network:
    """The network of a config as a run begins with it, for a vocabulary of which some tokens begin documents."""
    with torch.random.fork_rng(devices=[]):
        manual_seed(for_torch(config.seed))
        network = config.model.build(len(is_boundary), config.longest_row)
    for module in network.modules():
        if isinstance(module, SeesDocuments):
            module.starts_document.copy_(torch.from_numpy(is_boundary))
    network = network.to(runtime.device)
    network.checkpoints_activations = runtime.checkpoint_activations
    if runtime.flex_attention:
        allow_flex(network, {config.data.seq_len, config.evaluation.seq_len}, runtime.device)
    if runtime.precision == BF16:
        network.keep_in_bf16(config.model.low_precision_tables)
    return network


@dataclass
class Run:
    """One training between two of its steps. ``state_dict`` and ``load_state_dict`` are all that resuming needs."""

    config: TrainConfig
    dataset: Dataset
    runtime: Runtime
    network: Network
    groups: list[Group]
    optimizer_states: dict[str, Any]
    hook_states: dict[str, Any]
    generator: torch.Generator
    position: int = 0  # the next token of the training stream
    spent: Spent = field(default_factory=Spent)
    reported: float = 0.0  # the last milestone reported, in budget units
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))  # since the last report
    loss_steps: int = 0
    smoothed_loss: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))  # what a target judges
    target_reached: bool = False
    eval_seconds: float = 0.0
    compile_seconds: float = 0.0
    curve: CurveRecorder = field(default_factory=CurveRecorder)
    monitors: Monitors = EVERYTHING
    probe_tokens: Tensor = field(
        default_factory=lambda: torch.zeros((1, 1), dtype=torch.int64)
    )  # of the validation split
    replayed_pass: ReplayedPass | None = None  # of a run by CUDA graphs; made anew, in no checkpoint

    @classmethod
    def start(cls, config: TrainConfig, dataset: Dataset, runtime: Runtime, monitors: Monitors = EVERYTHING) -> Run:
        """A fresh run. Initial weights depend on the seed alone, not on the device: they are drawn on the CPU."""
        network = built_network(config, dataset.bytes_of.is_boundary, runtime)
        groups = config.optimizer.groups_for(network, config.data.batch_tokens, config.schedule)
        hook_states = {type(h).__name__: h.start(network) for h in config.hooks}
        generator = torch.Generator(runtime.device).manual_seed(for_torch(config.seed) + 1)
        run = cls(config, dataset, runtime, network, groups, update_rule.start(groups), hook_states, generator)
        run.monitors, run.curve = monitors, CurveRecorder(steps_between(runtime.device_type))
        read = np.asarray(dataset.validation[: min(PROBE_TOKENS, config.evaluation.seq_len)]).astype(np.int64)
        run.probe_tokens = torch.from_numpy(read)[None].to(runtime.device)
        run.loss_sum, run.smoothed_loss = (x.to(runtime.device) for x in (run.loss_sum, run.smoothed_loss))
        return run

    @property
    def vocab_size(self) -> int:
        return self.dataset.vocab_size

    @property
    def live(self) -> list[Live]:
        """Modules that want to be told of each step."""
        return [module for module in self.network.modules() if isinstance(module, Live)]

    @property
    def buffers(self) -> dict[str, Tensor]:
        """Collect what modules remember beside their parameters: the persistent buffers."""
        kept = self.network.state_dict().keys()
        return {name: buffer for name, buffer in self.network.named_buffers() if name in kept}

    @property
    def has_ended(self) -> bool:
        """Tell whether the budget is spent or the target reached."""
        return self.config.budget.fraction(self.spent) == 1 or self.target_reached

    def account(self, loss: Tensor) -> None:
        """Count a finished step; its time is the clock's business."""
        spent, data = self.spent, self.config.data
        self.loss_sum += loss
        self.loss_steps += 1
        spent.steps += 1
        spent.tokens += data.batch_tokens
        spent.flops += data.batch_tokens * self.flops_per_token
        spent.param_data_ratio = spent.tokens / self.scaling_parameters
        spent.epochs = epochs_at(self.dataset.train, self.position, data, self.config.seed)

    @cached_property
    def batches(self) -> Batches:
        """Training batches on the run's device, by their position."""
        return batches(self.dataset.train, self.config.data, self.config.seed, self.runtime)

    @cached_property
    def flops_per_token(self) -> int:
        return self.config.model.flops_per_token(self.dataset.vocab_size, self.config.data.seq_len)

    @cached_property
    def scaling_parameters(self) -> int:
        return scaling_parameters(self.network)

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    def state_dict(self) -> dict[str, Any]:
        """Nested dicts and lists of tensors and numbers; ``checkpoint.py`` writes them without pickling.

        The tensors are the run's own: write or copy them before its next step.
        """
        return {
            "network": [p.detach() for p in self.network.parameters()],
            "buffers": self.buffers,
            "optimizer": self.optimizer_states,
            "hooks": self.hook_states,
            "generator": self.generator.get_state(),
            "position": self.position,
            "spent": dataclasses.asdict(self.spent),
            "reported": self.reported,
            "loss_sum": self.loss_sum,
            "loss_steps": self.loss_steps,
            "smoothed_loss": self.smoothed_loss,
            "target_reached": self.target_reached,
            "eval_seconds": self.eval_seconds,
            "compile_seconds": self.compile_seconds,
            "curve": self.curve.state_dict(),
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from ``state``; the run goes on bit for bit as if it had not stopped (on a CPU)."""
        shapes = [[p.shape for p in parameters] for parameters in (self.network.parameters(), state["network"])]
        if shapes[0] != shapes[1]:
            raise ValueError("the state is of another model: its tensors have other shapes than this run's weights")
        _assign(self.network.parameters(), state["network"])
        for name, buffer in self.buffers.items():
            buffer.copy_(state["buffers"][name])
        self.optimizer_states = _restored(self.optimizer_states, state["optimizer"], self.runtime.device)
        self.hook_states = _restored(self.hook_states, state["hooks"], self.runtime.device)
        self.generator.set_state(state["generator"].cpu())
        self.spent = Spent(**state["spent"])
        self.loss_sum.copy_(state["loss_sum"])
        self.smoothed_loss.copy_(state["smoothed_loss"])
        self.curve.load_state_dict(state["curve"], self.runtime.device)
        for name in ("position", "reported", "loss_steps", "target_reached", "eval_seconds", "compile_seconds"):
            setattr(self, name, state[name])

    @contextmanager
    def evaluation_weights(self) -> Iterator[None]:
        """The weights that hooks want evaluated, for the time of the block; then the training weights, from copies."""
        wanted = None
        for hook in self.config.hooks:
            wanted = hook.evaluation_weights(self.network, self.hook_states[type(hook).__name__]) or wanted
        if wanted is None:
            yield
            return
        parameters = list(self.network.parameters())
        kept = [p.detach().clone() for p in parameters]
        try:
            _assign(parameters, wanted)
            yield
        finally:
            _assign(parameters, kept)


@torch.no_grad()
def _assign(parameters: Iterable[nn.Parameter], values: Iterable[Tensor]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)


def _restored(fresh: Any, saved: Any, device: str) -> Any:
    """A copy of ``saved`` whose tensors lie where those of the ``fresh`` state do, or else on the run's device."""
    if isinstance(saved, Tensor):
        place = fresh.device if isinstance(fresh, Tensor) else device
        return saved.detach().to(place, copy=True)
    if isinstance(saved, dict):
        known = fresh if isinstance(fresh, dict) else {}
        return {key: _restored(known.get(key), value, device) for key, value in saved.items()}
    if isinstance(saved, list | tuple):
        members = fresh if isinstance(fresh, list | tuple) and len(fresh) == len(saved) else [None] * len(saved)
        return [_restored(f, value, device) for f, value in zip(members, saved, strict=True)]
    return saved
