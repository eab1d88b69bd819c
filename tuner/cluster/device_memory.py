"""Memory of a device that one trial needs, by rules of thumb, and the refusal of what fits no machine."""

from __future__ import annotations

from dataclasses import dataclass

from trainable.config import TrainConfig
from trainable.data.preparation import known_vocab_size

# Weights, gradients and the two moments of Adam in float32: 16 bytes a parameter. Muon has one moment.
STATE_BYTES = 16
# Activations that a block keeps for its backward pass, per token and channel, in bf16 with fused attention
# (arXiv 2205.05198: 34 bytes), and what the loss keeps of each logit: bf16, float32 and its gradient.
ACTIVATION_BYTES, LOGIT_BYTES = 34, 10
MOST_BYTES = 32 * 10**12  # of the largest machines that are to be had; a trial trains on one


@dataclass(frozen=True)
class Memory:
    """Bytes of a trial: of weights, gradients and moments, and of what a micro-batch keeps for its backward pass."""

    parameters: int
    state: int
    batch: int

    @property
    def total(self) -> int:
        return self.state + self.batch


def needed_by(config: TrainConfig) -> Memory:
    """Rules of thumb; nothing is allocated."""
    import torch

    vocab = known_vocab_size(config.data) or config.data.vocab_size
    with torch.device("meta"):
        network = config.model.build(vocab, max(config.data.seq_len, config.evaluation.seq_len))
    parameters, channels = sum(p.numel() for p in network.parameters()), network.embedding.embedding_dim
    tokens = config.data.batch_tokens // config.data.grad_accum_steps
    batch = tokens * (channels * len(network.blocks) * ACTIVATION_BYTES + vocab * LOGIT_BYTES // config.loss_chunks)
    return Memory(parameters, parameters * STATE_BYTES, batch)


def check_fits_somewhere(config: TrainConfig) -> None:
    """Raise a ValueError for a model or a micro-batch that the memory of no machine holds."""
    need = needed_by(config)
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
