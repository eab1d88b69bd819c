"""Evaluation: nats per token and exact bits per byte on a fixed set of validation tokens.

Frozen on purpose. It sees a forward function and its own config, nothing of the training config, so that no knob can
move the ruler it is measured with. Windows do not overlap and tokens are scored in fp32 with sums in float64, so the
batch size is a matter of memory only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from trainable.component import Component
from trainable.data import Dataset


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(Component):
    """What is scored: the first ``tokens`` target tokens of the validation stream, in whole windows of ``seq_len``."""

    kind: ClassVar[str] = "evaluation"

    tokens: int | None = None  # target tokens, rounded down to whole windows; None = the whole validation stream
    seq_len: int = 1024  # tokens a window; longer windows give more context and a lower loss
    batch_tokens: int = 65536  # tokens a forward pass: memory only

    def __post_init__(self) -> None:
        self.check(self.seq_len >= 1, "seq_len", "at least 1")
        self.check(self.tokens is None or self.tokens >= self.seq_len, "tokens", "null or at least seq_len")
        self.check(self.batch_tokens >= self.seq_len, "batch_tokens", "at least seq_len")


@dataclass(frozen=True)
class Evaluation:
    """The score. A model that diverged has a NaN or infinite ``loss`` and ``bpb``."""

    loss: float  # nats per token
    bpb: float  # bits per byte of text
    tokens: int  # target tokens scored
    bytes: int  # bytes of text that they stand for


def evaluate(
    forward: Callable[[torch.Tensor], torch.Tensor],
    dataset: Dataset,
    config: EvaluationConfig,
    device: torch.device | str,
) -> Evaluation:
    """Score ``forward`` (int64 inputs (batch, time) -> logits (batch, time, vocab)), which keeps no gradients here.

    Every pass has one shape, so that a compiled model is compiled once: the last batch reaches back to windows already
    scored and counts only the new ones.
    """
    windows = _windows(dataset, config)
    stream = np.asarray(dataset.validation[: windows * config.seq_len + 1]).astype(np.int64)
    inputs = torch.from_numpy(stream[:-1]).view(windows, config.seq_len)  # (windows, time)
    targets = torch.from_numpy(stream[1:]).view(windows, config.seq_len)
    rows = min(windows, config.batch_tokens // config.seq_len)
    nats = 0.0
    with torch.no_grad():
        for start in range(0, windows, rows):
            first = min(start, windows - rows)
            logits = forward(inputs[first : first + rows].to(device))
            losses = cross_entropy(
                logits.float().flatten(0, 1), targets[first : first + rows].to(device).flatten(), reduction="none"
            ).view(rows, config.seq_len)
            nats += losses[start - first :].cpu().double().sum().item()  # on the CPU: not every device has float64
    tokens = windows * config.seq_len
    text_bytes = int(dataset.bytes_of.count(stream[:-1], stream[1:]).sum())
    if text_bytes == 0:
        raise ValueError(f"the {tokens:,} validation tokens scored stand for no text: bits per byte has no meaning")
    return Evaluation(loss=nats / tokens, bpb=nats / math.log(2) / text_bytes, tokens=tokens, bytes=text_bytes)


def _windows(dataset: Dataset, config: EvaluationConfig) -> int:
    available = len(dataset.validation) - 1
    if available < (config.tokens or config.seq_len):
        wanted = f"evaluation.seq_len is {config.seq_len:,}"
        if config.tokens:
            wanted = f"evaluation.tokens is {config.tokens:,}"
        raise ValueError(f"{wanted} but the validation stream has only {available:,} target tokens")
    return (config.tokens or available) // config.seq_len
