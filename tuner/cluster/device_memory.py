"""Memory of a device that one trial needs, the micro-batch that fits it, and the refusal of what fits no machine."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from trainable.config import TrainConfig
from trainable.data.preparation import known_validation_targets, known_vocab_size
from trainable.worker.out_of_memory import CONTEXT_BYTES
from tuner.cluster.counted_shapes import Shapes

# Weights, gradients and the two moments of Adam in float32: 16 bytes a parameter. Muon has one moment.
STATE_BYTES = 16
# Activations that a block keeps for its backward pass, per token and channel, in bf16 with fused attention
# (arXiv 2205.05198: 34 bytes), and what the loss keeps of each logit: bf16, float32 and its gradient.
ACTIVATION_BYTES, LOGIT_BYTES = 34, 10
TOKEN_BYTES = 4  # of a token that is scored: all of them are sent before the first
FRAGMENTED = 1.05  # assumed: of what tensors take, what the allocator holds for them
MOST_BYTES = 32 * 10**12  # of the largest machines that are to be had; a trial trains on one


@dataclass(frozen=True)
class Memory:
    """Bytes of a trial: of weights, gradients and moments, and of what a micro-batch keeps for its backward pass."""

    parameters: int
    state: int
    batch: int
    evaluation: int = 0  # what scoring a batch keeps: it trains or it evaluates

    @property
    def total(self) -> int:
        return self.state + max(self.batch, self.evaluation)


def needed_by(config: TrainConfig, checkpointing: bool = False) -> Memory:
    """Memory that a trial needs of a GPU, counted from its tensors; nothing is allocated. It takes some seconds.

    With ``checkpointing`` its activations are checkpointed.
    """
    scored = config.evaluation.tokens or known_validation_targets(config.data) or 0
    return _needed_by(config, checkpointing, known_vocab_size(config.data) or config.data.vocab_size, scored)


@functools.lru_cache(maxsize=64)
def _needed_by(config: TrainConfig, checkpointing: bool, vocab: int, scored: int) -> Memory:
    """Count once for a config and its data, of which more is known when they are here."""
    from tuner.cluster.counted_memory import count_tensors

    found = count_tensors(config, vocab, checkpointing)
    return Memory(found.parameters, found.state, found.step, found.evaluation + TOKEN_BYTES * scored)


def fits(need: int, memory: float) -> bool:
    """Tell whether a trial whose tensors need so many bytes fits, with what CUDA and the allocator take beside them."""
    return need * FRAGMENTED + CONTEXT_BYTES <= memory


def steps_that_fit(config: TrainConfig, memory: float, checkpointing: bool = False) -> int | None:
    """The fewest micro-batches a step, from the config's on by doubling, that fit; None where none would."""
    data = config.data
    at = needed_by(config, checkpointing)
    steps = data.grad_accum_steps
    while not fits(at.total, memory):
        steps *= 2
        if (data.batch_tokens // data.seq_len) % steps or not fits(at.state + at.evaluation, memory):
            return None
        least = at.state + at.batch * data.grad_accum_steps // steps  # if all of it shrank alike
        if fits(least, memory) and fits(needed_by(with_steps(config, steps), checkpointing).total, memory):
            return steps
    return steps


def with_steps(config: TrainConfig, steps: int) -> TrainConfig:
    """The config with so many micro-batches a step."""
    return replace(config, data=replace(config.data, grad_accum_steps=steps))


def roughly(config: TrainConfig, shapes: Shapes) -> Memory:
    """Rules of thumb, for what no machine could hold; ``shapes`` are the config's."""
    tokens = config.data.batch_tokens // config.data.grad_accum_steps
    hidden, logits = shapes.channels * shapes.blocks * ACTIVATION_BYTES, shapes.vocabulary * LOGIT_BYTES
    return Memory(shapes.parameters, shapes.parameters * STATE_BYTES, tokens * (hidden + logits // config.loss_chunks))


def check_fits_somewhere(config: TrainConfig, shapes: Shapes) -> None:
    """Raise a ValueError for a model or a micro-batch that the memory of no machine holds."""
    need = roughly(config, shapes)
    if need.state > MOST_BYTES:
        raise ValueError(
            f"the model has {need.parameters:,} parameters, which take about {_terabytes(need.state)} to train: a "
            f"trial trains on one machine, and none has more than {_terabytes(MOST_BYTES)}"
        )
    if need.total > MOST_BYTES:
        raise ValueError(
            f"a micro-batch of {config.data.batch_tokens // config.data.grad_accum_steps:,} tokens (data.batch_tokens "
            f"{config.data.batch_tokens:,} / data.grad_accum_steps {config.data.grad_accum_steps:,}) takes about "
            f"{_terabytes(need.batch)}: no machine has more than {_terabytes(MOST_BYTES)}"
        )


def _terabytes(count: int) -> str:
    return f"{count / 1e12:,.0f} TB"
