"""The range of every number in a config, as part of its type: ``matrix_lr: Amount = 0.04``.

Ranges are generous: a value at their ends may train badly, but it fails nowhere else. What several fields must be
together (heads that divide a width) stands in their component's ``validate``.
"""

from __future__ import annotations

import functools
import typing
from dataclasses import dataclass, replace
from typing import Annotated, Any

from trainable.seeds import SEEDS

MOST_COUNT = 2**62  # steps or tokens: a position in them is a whole number of 64 bits
LARGEST = 10**6  # of a factor: a rate times three of them is still a float32


@dataclass(frozen=True)
class Within:
    """Numbers from ``low`` to ``high``, without a bound that is excluded. NaN and infinities are in no range."""

    low: float
    high: float
    without_low: bool = False
    without_high: bool = False
    words: str = ""  # of the lower bound, where they are plainer; the upper one is added to them
    said: str = ""  # the rule, where neither is plain
    nullable: bool = False  # the field may be null too, which is what the rule then begins with

    def __contains__(self, value: Any) -> bool:
        above = value > self.low if self.without_low else value >= self.low
        return bool(above and (value < self.high if self.without_high else value <= self.high))

    def __str__(self) -> str:
        return f"{'null or ' * self.nullable}{self._bounds()}"

    def _bounds(self) -> str:
        if self.said:
            return self.said
        if self.words:
            return f"{self.words} and at most {_plain(self.high)}"
        if isinstance(self.low, int) and isinstance(self.high, int) and (self.low, self.high) != (0, 1):
            return f"in {_plain(self.low)}..{_plain(self.high)}"
        left, right = "(" if self.without_low else "[", ")" if self.without_high else "]"
        return f"in {left}{_plain(self.low)}, {_plain(self.high)}{right}"


def _plain(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


Part = Annotated[float, Within(0, 1)]
PartBelowOne = Annotated[float, Within(0, 1, without_high=True)]
PositivePart = Annotated[float, Within(0, 1, without_low=True)]
InnerPart = Annotated[float, Within(0, 1, without_low=True, without_high=True)]
Amount = Annotated[float, Within(0, LARGEST, words="0 or more")]
Rate = Annotated[float, Within(0, 1e20, words="0 or more")]  # a learning rate; far beyond what any run survives
Positive = Annotated[float, Within(1e-30, 10**12, words="positive (from 1e-30)")]
Signed = Annotated[float, Within(-LARGEST, LARGEST)]
Factor = Annotated[float, Within(1, 10**12, words="at least 1")]
RopeBase = Annotated[float, Within(1, 10**12, without_low=True, words="over 1")]
Ratio = Annotated[float, Within(1e-9, 10**9, words="positive (from 1e-09)")]  # also of passes over data
Seconds = Annotated[float, Within(1e-6, 10**9, words="positive (from 1e-06)")]

Steps = Annotated[int, Within(0, MOST_COUNT, words="0 or more")]
AfterStep = Annotated[int, Within(-1, MOST_COUNT, words="-1 or more")]  # -1: before the first one
Every = Annotated[int, Within(1, MOST_COUNT, words="at least 1")]
NumTokens = Annotated[int, Within(1, MOST_COUNT, words="at least 1")]
Flops = Annotated[int, Within(1, int(1e30), words="at least 1")]
Vocabulary = Annotated[int, Within(257, 2**16, said="257 (256 bytes and <|bos|>) to 65536 (uint16)")]
Seed = Annotated[int, Within(0, SEEDS - 1, said="in 0..2^63-1")]
NumParameters = Annotated[int, Within(1, 10**12, words="at least 1")]
Bytes = Annotated[int, Within(0, 10**15, words="0 or more")]
PositiveBytes = Annotated[int, Within(1, 10**15, words="at least 1")]
Repeats = Annotated[int, Within(1, 10**6, words="at least 1")]
Layers = Annotated[int, Within(1, 2000, words="at least 1")]
Heads = Annotated[int, Within(1, 10**5, words="at least 1")]
Width = Annotated[int, Within(1, 10**6, words="at least 1")]  # channels
LayerIndex = Annotated[int, Within(0, 2000, words="0 or more")]
Times = Annotated[int, Within(1, 1000, words="at least 1")]  # that layers are gone through
NumExperts = Annotated[int, Within(2, 10**5, words="at least 2")]
Buckets = Annotated[int, Within(2, 10**9, words="at least 2")]
Iterations = Annotated[int, Within(1, 20)]
Bits = Annotated[int, Within(4, 8)]
Context = Annotated[int, Within(1, 10**8, words="at least 1")]  # tokens of a row


@functools.cache
def ranges(cls: type) -> dict[str, Within]:
    """Field -> the range of its numbers (of its members, in a list), for all fields that have one."""
    found = {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        if (within := _within(hint)) is not None:
            found[name] = replace(within, nullable=type(None) in typing.get_args(hint))
    return found


def _within(hint: Any) -> Within | None:
    own = [extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Within)]
    return next(iter(own + [found for inner in typing.get_args(hint) if (found := _within(inner))]), None)


def outside(value: Any, within: Within) -> bool:
    """Tell whether a number, or one of a list of them, is out of range; null is not."""
    if isinstance(value, (int, float)):  # a union takes as long again as all the rest
        return value not in within
    return isinstance(value, tuple) and any(outside(member, within) for member in value)
