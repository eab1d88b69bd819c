"""A run in a few steps, and how far apart two such runs get: what the audit rests on.

Trained are the proxy's model, a made-up text and one row a step, with the whole run's time squeezed into a dozen steps:
what happens every 50 of 240 steps happens every 3 of 13, what begins after the first of 240 begins at once. The model
keeps the proxy's layers, heads and widths, since a narrower one would lose what some knobs turn (with one pair of
channels a head there is no ``rope_base``).
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.coverage import compressed, in_steps
from trainable.component import without_neutral
from trainable.component_paths import difference, leaves, with_values
from trainable.config import TrainConfig
from trainable.data.characters import CharacterCounter
from trainable.data.dataset import DataConfig, Dataset, TokenStream
from trainable.data.tokenizer import ByteCounter
from trainable.report import Report
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train

DOCUMENT_TOKENS = 16  # of the made-up text
KEPT = 32  # trajectories in memory: rows of a campaign share bases with the rows near them
FAR = 0.05  # runs that are so far apart after a quarter of their steps will not be within rounding at the end


@dataclass(frozen=True)
class Look:
    """Size of a look at runs. Odd numbers of steps: twelve would meet a wave of six periods at its zeros."""

    steps: int
    rows: int  # of the sequence length, a step
    sequence_parts: int  # the sequence is one of so many parts of the proxy's


QUICK = Look(steps=13, rows=1, sequence_parts=4)
CAREFUL = Look(steps=31, rows=4, sequence_parts=4)  # with rows to be paired; what acts and is small has time to grow
WHOLE = Look(steps=17, rows=2, sequence_parts=1)  # as long as windows and positions know it


@dataclass(frozen=True)
class Shrunken:
    """A config that trains in a fraction of a second, and how long its made-up text is."""

    config: TrainConfig
    stream_tokens: int

    @property
    def key(self) -> str:
        return self.config.key(f"made up, {self.stream_tokens} tokens")


def shrunken(config: TrainConfig, look: Look = CAREFUL) -> Shrunken:
    """``config`` shrunk; a ValueError where nobody knows how many steps it has (a budget of seconds)."""
    config = without_neutral(config)
    total, data = in_steps(config.budget, config), config.data
    changes: dict[str, Any] = {
        "data.batch_tokens": data.seq_len * max(look.rows, data.grad_accum_steps),
        "data.source": DataConfig().source,  # the text is made up, and nobody cuts it into tokens
        "data.pretokenizer": DataConfig().pretokenizer,
        "target": None,
        "evaluation.core": None,
    }
    for path, value in leaves(config).items():
        if path.endswith(".after_step"):  # the last step without it, -1 where there is none
            changes[path] = round((value + 1) * look.steps / total) - 1
        elif path.startswith("optimizer.") and path.endswith("warmup_steps"):
            changes[path] = round(value * look.steps / total)
    short = _with_shorter_rows(with_values(compressed(config, look.steps), changes), look.sequence_parts)
    batch_tokens, passes = short.data.batch_tokens, config.budget.epochs or 1.0
    one_pass = math.ceil((batch_tokens + 1) / data.document_keep_frac) + 2 * DOCUMENT_TOKENS  # that holds a batch
    return Shrunken(short, max(one_pass, math.ceil(look.steps * batch_tokens / passes) + 1))


def _with_shorter_rows(config: TrainConfig, parts: int) -> TrainConfig:
    """The sequence and the evaluation's windows divided; as they are where the config cannot be so."""
    seq_len, window = config.data.seq_len // parts, config.evaluation.seq_len // parts
    changes = {
        "data.seq_len": seq_len,
        "data.batch_tokens": config.data.batch_tokens // config.data.seq_len * seq_len,
        "evaluation.seq_len": window,
        "evaluation.tokens": 2 * window,
        "evaluation.tokens_on_the_way": None,
    }
    try:
        return with_values(config, changes)
    except ValueError:
        return config


def hidden(one: TrainConfig, other: TrainConfig) -> set[str]:
    """Paths in which two configs differ and their shrunken forms do not: of these a comparison would say nothing."""
    paths = difference(without_neutral(one), without_neutral(other)).keys()
    return set(paths - difference(shrunken(one).config, shrunken(other).config).keys())


# --- training -----------------------------------------------------------------------------------------------------


class Trajectory:
    """A shrunken run, trained for a quarter of its steps, and to its end only if somebody asks."""

    def __init__(self, shrunk: Shrunken) -> None:
        self._run = Run.start(shrunk.config, made_up(shrunk), Runtime())
        self._last = _copy(self._run)
        self._training = train(self._run, milestones=(_steps(shrunk) // 4,))
        self.weights: list[list[Tensor]] = []  # after a quarter, and at the end
        self.ways: list[float] = []  # from the place before, over all weights: a first jump is not the way from then on
        self.reports: list[Report] = []
        self._go_on()

    def finish(self) -> None:
        """Train it to its end, unless it was; one that has diverged stays where it did."""
        if self.reports[-1].status == "running":
            self._go_on()
            del self._run, self._training

    def _go_on(self) -> None:
        self.reports.append(next(self._training))
        self.weights.append(_copy(self._run))
        self.ways.append(apart(self._last, self.weights[-1]))
        self._last = self.weights[-1]


def _steps(shrunk: Shrunken) -> int:
    steps = shrunk.config.budget.steps
    assert steps is not None, "a shrunken run is counted in steps"
    return steps


def _copy(run: Run) -> list[Tensor]:
    return [p.detach().clone() for p in run.network.parameters()]


def apart(one: list[Tensor], other: list[Tensor]) -> float:
    """The Euclidean distance of two sets of weights; infinite between different shapes."""
    if [p.shape for p in one] != [p.shape for p in other]:
        return math.inf
    return math.hypot(*(float((p.double() - q.double()).norm()) for p, q in zip(one, other, strict=True)))


def trajectory(config: TrainConfig, look: Look) -> Trajectory:
    """The trajectory of a config's shrunken form, which all configs of that form share."""
    shrunk = shrunken(config, look)
    return _trajectory(shrunk.key, shrunk)


@functools.lru_cache(maxsize=KEPT)
def _trajectory(key: str, shrunk: Shrunken) -> Trajectory:
    return Trajectory(shrunk)


@dataclass(frozen=True)
class Distance:
    """Distance of two runs, as a part of the way that the first came since the start and since the quarter.

    0 at the end says that they are the same in every bit.
    """

    at_a_quarter: float  # of the weights
    at_the_end: float  # of the weights or of the validation loss, which alone sees what the evaluation does; the larger


def distance(one: TrainConfig, other: TrainConfig, look: Look) -> Distance:
    """The distance of two shrunken runs; NaN where one diverges. Those FAR apart early are not trained to their end."""
    a, b = trajectory(one, look), trajectory(other, look)
    quarter = _part(apart(a.weights[0], b.weights[0]), a.ways[0])
    if not quarter < FAR:
        return Distance(quarter, quarter)
    a.finish()
    b.finish()
    if a.reports[-1].status != "completed" or b.reports[-1].status != "completed":
        return Distance(quarter, math.nan)
    if _exported(a.reports[-1]) != _exported(b.reports[-1]):
        return Distance(quarter, math.inf)
    first, last, its = (_loss(r) for r in (a.reports[0], a.reports[-1], b.reports[-1]))
    of_weights = _part(apart(a.weights[1], b.weights[1]), a.ways[1])
    return Distance(quarter, max(of_weights, _part(abs(its - last), abs(last - first))))


def differ(one: TrainConfig, other: TrainConfig, look: Look) -> bool:
    """Tell whether two shrunken runs differ in any bit; trained only until they do."""
    a, b = trajectory(one, look), trajectory(other, look)
    return apart(a.weights[0], b.weights[0]) != 0 or distance(one, other, look).at_the_end != 0


def _loss(report: Report) -> float:
    return math.nan if report.val_loss is None else report.val_loss


def _exported(report: Report) -> tuple[Any, ...]:
    return report.artifact_bytes, report.val_loss_quantised, report.violation


@functools.lru_cache(maxsize=4096)
def weights_digest(config: TrainConfig) -> str:
    """Hash every bit of the weights after a quarter of a quick look (16 hexadecimal digits)."""
    with one_thread():
        (weights, *_) = trajectory(config, QUICK).weights
    hashed = hashlib.sha256()
    for parameter in weights:
        hashed.update(parameter.contiguous().numpy().tobytes())
    return hashed.hexdigest()[:16]


def _part(change: float, way: float) -> float:
    return change / way if way else math.inf if change else 0.0


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, and no waiting of threads for each other in work as small as this."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# --- the text -----------------------------------------------------------------------------------------------------


def made_up(shrunk: Shrunken) -> Dataset:
    """Random tokens with a marker before every document, as many as the run needs."""
    evaluation = shrunk.config.evaluation
    validation = max(evaluation.tokens or 0, (evaluation.mainrun_rows or 0) * evaluation.seq_len) + 1
    return made_up_tokens(shrunk.config.data.vocab_size, shrunk.stream_tokens, validation)


@functools.lru_cache(maxsize=KEPT)
def made_up_tokens(vocab_size: int, train_tokens: int, validation_tokens: int) -> Dataset:
    """Random tokens of a vocabulary whose last one is the marker before every document."""
    draw = np.random.default_rng(0)
    marker = vocab_size - 1
    streams = []
    for count in (train_tokens, validation_tokens):
        stream = (marker * draw.random(count) ** 3).astype(np.uint16)  # some tokens are common, most are rare
        stream[::DOCUMENT_TOKENS] = marker
        streams.append(stream)
    is_marker = np.arange(vocab_size) == marker
    counter = ByteCounter((~is_marker).astype(np.int64), np.zeros(vocab_size, dtype=np.bool_), is_marker)
    train_stream = TokenStream((Path("made-up"),), (streams[0],), vocab_size, (marker,))
    characters = CharacterCounter(np.ones(vocab_size, dtype=np.int64))
    return Dataset("made-up", vocab_size, train_stream, streams[1], counter, "made-up tokens", characters)
