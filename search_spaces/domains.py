"""Domains of knobs: plain data. Bounds are inclusive."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from terminal.article import a
from terminal.short import as_written, shortened
from terminal.type_words import one_of_type
from trainable.component import Component

from search_spaces.plain import plain_value

Value = float | int | bool | str | None  # what is sampled, told to the sampler and written to the results


@dataclass(frozen=True)
class Uniform:
    """A float, uniform in [low, high]."""

    low: float
    high: float
    is_log: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _make_plain(self)
        _check_order(self.low, self.high)

    def __contains__(self, value: Any) -> bool:
        return _is_number(value) and self.low <= value <= self.high

    @property
    def column_type(self) -> str:
        return "float64"

    def __str__(self) -> str:
        return f"{self.low:g} .. {self.high:g}"


@dataclass(frozen=True)
class LogUniform(Uniform):
    """A float whose logarithm is uniform in [log low, log high]."""

    is_log: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_positive(self)

    def __str__(self) -> str:
        return f"{self.low:g} .. {self.high:g} (log)"


@dataclass(frozen=True)
class Integer:
    """An integer, uniform in low..high."""

    low: int
    high: int
    is_log: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _make_plain(self)
        for bound in (self.low, self.high):
            if isinstance(bound, bool) or not isinstance(bound, int):
                raise ValueError(f"a bound of {_article(self)} is {shortened(bound)} but must be {one_of_type(int)}")
        _check_order(self.low, self.high)

    def __contains__(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    @property
    def column_type(self) -> str:
        return "int64"

    def __str__(self) -> str:
        return f"{self.low} .. {self.high}"


@dataclass(frozen=True)
class LogInteger(Integer):
    """An integer whose logarithm is about uniform: a size (a width, a batch) that is doubled rather than added to."""

    is_log: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_positive(self)

    def __str__(self) -> str:
        return f"{self.low} .. {self.high} (log)"


@dataclass(frozen=True, init=False)
class Choice:
    """One of several labels.

    ``Choice(1, 2, 4)`` labels plain values with themselves, ``Choice(Tidal())`` components with their class names;
    ``Choice(slow=Tidal(warmup_frac=0.6))`` names a label for a component with other settings.
    """

    options: Mapping[Value, Any] = field(default_factory=dict)

    def __init__(self, *values: Any, **labelled: Any) -> None:
        plainly = [plain_value(value) for value in values]
        pairs = [(type(v).__name__ if isinstance(v, Component) else v, v) for v in plainly] + list(labelled.items())
        object.__setattr__(self, "options", dict(pairs))
        if len(self.options) < max(2, len(pairs)):
            raise ValueError(
                f"a Choice needs at least two options with labels of their own, not {[p[0] for p in pairs]}"
            )

    @classmethod
    def of(cls, options: Mapping[Value, Any]) -> Choice:
        """The choice with exactly these labels, which need not be names of Python."""
        new = cls.__new__(cls)
        object.__setattr__(new, "options", dict(options))
        return new

    @property
    def labels(self) -> tuple[Value, ...]:
        return tuple(self.options)

    def __contains__(self, label: Any) -> bool:
        return any(label == known and type(label) is type(known) for known in self.options)

    @property
    def column_type(self) -> str:
        kinds = {type(label) for label in self.options if label is not None}
        known = {bool: "bool", int: "int64", float: "float64", str: "string"}
        if kinds == {int, float}:
            return "float64"
        return known[kinds.pop()] if len(kinds) == 1 else "string"

    def __str__(self) -> str:
        return " | ".join(map(as_written, self.labels))


Domain = Uniform | Integer | Choice


def _make_plain(domain: Uniform | Integer) -> None:
    """Let bounds that are scalars of a library be numbers."""
    for name in ("low", "high"):
        object.__setattr__(domain, name, plain_value(getattr(domain, name)))


def _article(domain: Integer) -> str:
    name = type(domain).__name__
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"


def _check_positive(domain: Uniform | Integer) -> None:
    if domain.low <= 0:
        raise ValueError(
            f"the lower bound of {a(type(domain).__name__)} is {shortened(domain.low)} but must be positive"
        )


def _check_order(low: float, high: float) -> None:
    for bound in (low, high):
        if not _is_number(bound) or not abs(bound) < math.inf:  # a whole number may be beyond the largest fraction
            raise ValueError(f"a bound of a domain is {shortened(bound)} but must be a finite number")
    if not low < high:
        raise ValueError(f"a domain goes from {shortened(low)} to {shortened(high)} but must go up")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
