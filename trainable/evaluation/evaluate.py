"""Evaluation: nats per token and exact bits per byte on a fixed set of validation tokens.

Frozen on purpose. It sees a network and its own config, nothing of the training config, so that no knob can move the
ruler it is measured with. The batch size is a matter of memory only. Sliding windows (``stride``) and test-time
training (``ttt``) cost many times the plain score, and a whole validation split more than a part of it
(``tokens_on_the_way``), so only the evaluation that ends a run uses them: the reports at rungs and the looks at a
target use :attr:`EvaluationConfig.plain`.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from trainable.component import Component
from trainable.data.characters import mainrun_loss
from trainable.data.dataset import Dataset
from trainable.data.more_text import more_text
from trainable.evaluation.core import Core, CoreScore
from trainable.evaluation.packed_rows import PackedRows
from trainable.evaluation.ttt import TTT
from trainable.evaluation.windows import Windows
from trainable.ranges import Context, NumTokens

if TYPE_CHECKING:
    import torch

    from trainable.evaluation.windows import Forward


FULL_TOKENS = 65_536  # of a pass that keeps any GPU busy
FULL_LOGITS_BYTES = 2**30  # in fp32 of such a pass at most
COUNTED_TOKENS = 2**22  # whose bytes of text are counted at a time, so that a split of 62 million needs no more memory


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(Component):
    """Evaluation: the first ``tokens`` target tokens of the validation stream, in whole windows of ``seq_len``."""

    kind: ClassVar[str] = "evaluation"

    tokens: NumTokens | None = None  # target tokens, rounded down to whole windows; null: the whole validation stream
    tokens_on_the_way: NumTokens | None = None  # of the reports before the last; null: as many as at the end
    seq_len: Context = 1024  # tokens a window; longer windows give more context and a lower loss
    batch_tokens: NumTokens = 65536  # tokens a forward pass, on CUDA more where those do not fill it: memory only
    stride: Context | None = None  # each window scores its last so many targets; null: seq_len, they do not overlap
    ttt: TTT | None = None  # learn from what was scored; null: the weights stay as trained
    mainrun_rows: NumTokens | None = None  # also report mainrun's own metric, so many windows at a time
    core: Core | None = None  # also report CORE when the run has ended; null: no questions are asked

    def validate(self) -> None:
        self.check(self.tokens is None or self.tokens >= self.seq_len, "tokens", "null or at least seq_len")
        before = self.seq_len if self.tokens_on_the_way is None else self.tokens_on_the_way
        between = self.seq_len <= before and (self.tokens is None or before <= self.tokens)
        most = "" if self.tokens is None else f" and at most tokens = {self.tokens}"
        self.check(between, "tokens_on_the_way", f"null or at least seq_len = {self.seq_len}{most}")
        self.check(self.batch_tokens >= self.seq_len, "batch_tokens", "at least seq_len")
        inside = self.stride is None or 1 <= self.stride <= self.seq_len
        self.check(inside, "stride", f"null or in 1..seq_len = {self.seq_len}")
        whole = self.ttt is None or self.ttt.chunk_tokens % self.seq_len == 0
        self.check(whole, "ttt", f"null or have a chunk_tokens that is a multiple of seq_len = {self.seq_len}")
        fits = self.ttt is None or self.ttt.batch_tokens >= self.seq_len
        self.check(fits, "ttt", f"null or have a batch_tokens of at least seq_len = {self.seq_len}")

    @property
    def plain(self) -> EvaluationConfig:
        """The way of a report before the last: its tokens in windows that do not overlap, nothing learnt or asked."""
        tokens = self.tokens_on_the_way or self.tokens
        return dataclasses.replace(self, tokens=tokens, tokens_on_the_way=None, stride=None, ttt=None, core=None)


@dataclass(frozen=True)
class Evaluation:
    """The score. A model that diverged has a NaN or infinite ``loss`` and ``bpb``."""

    loss: float  # nats per token
    bpb: float  # bits per byte of text
    tokens: int  # target tokens scored
    bytes: int  # bytes of text that they stand for
    nats_per_character: float | None = None  # over the same tokens; None where the source is no text
    mainrun_loss: float | None = None  # characters.py says what; None where it was not asked for
    core: CoreScore | None = None  # None where it was not asked for, or the loss is no finite number


def evaluate(forward: Forward, dataset: Dataset, config: EvaluationConfig, device: torch.device | str) -> Evaluation:
    """Score ``forward`` (int64 inputs (batch, time) -> logits (batch, time, vocab)), which keeps no gradients here.

    With ``config.ttt`` it must be the network itself, whose weights are then back where they were.
    """
    from torch import nn

    windows = windows_of(dataset, config)
    rows = windows.rows(batch_tokens(config, dataset.vocab_size, device))
    if config.ttt is None:
        nats = windows.nats(forward, rows, device).item()
    else:
        assert isinstance(forward, nn.Module), "only a network can be trained"
        nats = config.ttt.nats(forward, windows, rows, device).item()
    tokens, text_bytes = windows.targets, bytes_of(dataset, windows)
    if text_bytes == 0:
        raise ValueError(f"the {tokens:,} validation tokens scored stand for no text: bits per byte has no meaning")
    return Evaluation(
        loss=nats / tokens,
        bpb=nats / math.log(2) / text_bytes,
        tokens=tokens,
        bytes=text_bytes,
        nats_per_character=nats / dataset.characters.of_targets(windows.stream) if dataset.characters else None,
        mainrun_loss=_mainrun_loss(forward, dataset, config, device) if config.mainrun_rows else None,
    )


def windows_of(dataset: Dataset, config: EvaluationConfig) -> Windows:
    """The windows that are scored; the rows of a data set whose documents are packed into rows."""
    targets, row_tokens = num_targets(dataset, config), dataset.train.row_tokens
    if row_tokens is None:
        stream = np.asarray(dataset.validation[: targets + 1]).astype(np.int32)
        return Windows(stream, config.seq_len, config.stride or config.seq_len)
    rows = targets // config.seq_len
    stream = np.asarray(dataset.validation[: rows * row_tokens]).astype(np.int32)
    counted = ~dataset.bytes_of.is_boundary[stream.reshape(rows, row_tokens)[:, 1:]]
    return PackedRows(stream, config.seq_len, config.seq_len, counted)


def bytes_of(dataset: Dataset, windows: Windows) -> int:
    """Bytes of text that the targets of some windows stand for: all but the first, of each row where packed."""
    if isinstance(windows, PackedRows):
        rows = windows.stream.reshape(windows.count, -1)
        return int(dataset.bytes_of.count(rows[:, :-1], rows[:, 1:]).sum())
    stream = windows.stream
    starts = range(0, len(stream) - 1, COUNTED_TOKENS)
    parts = (stream[start : start + COUNTED_TOKENS + 1] for start in starts)
    return sum(int(dataset.bytes_of.count(part[:-1], part[1:]).sum()) for part in parts)


def batch_shape(dataset: Dataset, config: EvaluationConfig, device: torch.device | str) -> tuple[int, int]:
    """Windows and tokens a window of each forward pass."""
    stream = np.broadcast_to(np.int32(0), num_targets(dataset, config) + 1)
    windows = Windows(stream, config.seq_len, config.stride or config.seq_len)
    return windows.rows(batch_tokens(config, dataset.vocab_size, device)), config.seq_len


def batch_tokens(config: EvaluationConfig, vocab_size: int, device: torch.device | str) -> int:
    """Tokens a forward pass: the config's, and on CUDA as many as fill the device where those are fewer.

    A pass of a thousand tokens takes a GPU as long as one of many. The loss is that of the same windows.
    """
    if not str(device).startswith("cuda"):
        return config.batch_tokens
    return max(config.batch_tokens, min(FULL_TOKENS, FULL_LOGITS_BYTES // (4 * vocab_size)))


def _mainrun_loss(forward: Forward, dataset: Dataset, config: EvaluationConfig, device: torch.device | str) -> float:
    if dataset.characters is None:
        raise ValueError("evaluation.mainrun_rows needs a source of text: these shards do not say what characters are")
    assert config.mainrun_rows is not None
    rows = config.mainrun_rows
    return mainrun_loss(forward, dataset.validation, dataset.characters, rows, config.seq_len, device)


def num_targets(dataset: Dataset, config: EvaluationConfig) -> int:
    """Target tokens that are scored; a ValueError where the validation stream has fewer than are asked for."""
    check_targets(dataset, config)
    return (config.tokens or available_targets(dataset)) // config.seq_len * config.seq_len


def available_targets(dataset: Dataset) -> int:
    """Target tokens of the validation stream: all but the first, or of packed rows all but the first of each."""
    row_tokens = dataset.train.row_tokens
    if row_tokens is None:
        return len(dataset.validation) - 1
    return len(dataset.validation) // row_tokens * (row_tokens - 1)


def check_targets(dataset: Dataset, config: EvaluationConfig) -> None:
    """Raise a ValueError where the validation stream has fewer target tokens than are to be scored."""
    if dataset.train.row_tokens is not None:
        _check_packed(dataset.train.row_tokens, config)
    available = available_targets(dataset)
    if available < (needed := asked_for(config)[1]):
        there = f"the validation stream has only {available:,} target tokens"
        helps = more_text(dataset.text_bytes, needed, available)
        raise ValueError(f"{wanted(config)} but {there}: {helps}{setting_of(config, available)}")


def _check_packed(row_tokens: int, config: EvaluationConfig) -> None:
    """Raise a ValueError for another way of scoring rows of so many tokens than each for itself."""
    config.check(config.seq_len == row_tokens - 1, "seq_len", f"{row_tokens - 1}, for which the rows are packed")
    config.check(config.stride in (None, config.seq_len), "stride", "null (the default) for rows that are packed")
    config.check(config.ttt is None, "ttt", "null (the default) for rows that are packed")


def asked_for(config: EvaluationConfig) -> tuple[str, int]:
    """The field that asks for the most target tokens, and how many there must be."""
    fields = {"tokens": config.tokens, "tokens_on_the_way": config.tokens_on_the_way}
    return next(((name, count) for name, count in fields.items() if count), ("seq_len", config.seq_len))


def wanted(config: EvaluationConfig) -> str:
    """The beginning of a message: the field that asks for so many target tokens."""
    name, count = asked_for(config)
    return f"evaluation.{name} is {count:,}"


def setting_of(config: EvaluationConfig, available: int) -> str:
    """The end of a message: settings under which so many target tokens are enough; empty where there are none."""
    if available < 1:
        return ""
    if available >= config.seq_len:
        fits = available // config.seq_len * config.seq_len
        before = (config.tokens_on_the_way or 0) > fits
        names = ["tokens"] * (config.tokens is not None or not before) + ["tokens_on_the_way"] * before
        return ", or" + "".join(f" --set evaluation.{name}={fits}" for name in names)
    length = 1 << (available.bit_length() - 1)
    try:
        dataclasses.replace(config, seq_len=length, tokens_on_the_way=None)
    except ValueError:  # windows and chunks of other lengths depend on them
        return ""
    return f", or --set evaluation.seq_len={length} --set evaluation.tokens={length}"
