"""The training curve of a trial, and its rows in ``curves``: one for each name at each kept step, so that every trial's
file has the same columns whatever its parameter groups are. The first name has a row at every step that is kept; one
that is measured less often has rows at some of them and none at the others.

A curve is given and written whole: what a worker says of it replaces what it said before, so that a resume, a lost
attempt or a kill -9 leaves one curve and not parts of two. Rows are looked at column by column, since a campaign may
have millions of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from terminal.counted import counted
from terminal.short import shortened

from results.store import row_types
from results.store.limits import CURVE_NAMES, LARGEST_NUMBER
from results.store.schema import curves_schema
from results.store.validate import range_of

SCHEMA = curves_schema()


@dataclass(frozen=True)
class TrainingCurve:
    """Curve of a training: the values at the steps that are kept, in order."""

    steps: Sequence[int]
    tokens: Sequence[int] | None  # None where nobody knows
    values: Mapping[str, Sequence[float]]  # name -> one number a step
    units: Mapping[str, str]  # name -> unit
    measured_at: Mapping[str, Sequence[int]] = field(default_factory=dict)  # name -> its steps, where those are not all

    def steps_of(self, name: str) -> Sequence[int]:
        """The steps at which a name was measured."""
        return self.measured_at.get(name, self.steps)

    def table(self, key: str, number: int) -> pa.Table:
        """Return its rows, by name and then by step. A ValueError, whatever it holds, where they could not be read."""
        try:
            self._check_lengths()
            table = self._rows(key, number)
        except (TypeError, KeyError, AttributeError, OverflowError) as error:  # a worker may say anything
            raise ValueError(f"it is no curve: {shortened(str(error))}") from None
        check_curve(table, key)
        return table

    def _check_lengths(self) -> None:
        columns = dict(self.values) if self.tokens is None else {**self.values, "tokens": self.tokens}
        for name, each in columns.items():
            steps = len(self.steps_of(name))
            if len(each) != steps:
                raise ValueError(f"{shortened(name)} has {counted(len(each), 'value')} at {counted(steps, 'step')}")

    def _rows(self, key: str, number: int) -> pa.Table:
        names = list(self.values)
        counts = [len(each) for each in self.values.values()]
        steps, rows = self._all_steps(), sum(counts)
        tokens = pa.nulls(rows, pa.int64()) if self.tokens is None else pa.array(self._tokens_at(steps, self.tokens))
        values = [np.zeros(0), *(np.asarray(each, np.float64) for each in self.values.values())]
        columns: dict[str, Any] = {
            "key": pa.array([key] * rows, pa.string()),
            "number": pa.array(np.full(rows, number, np.int64)),
            "step": pa.array(steps),
            "tokens": tokens,
            "name": _texts(names, counts),
            "value": pa.array(np.concatenate(values)),
            "unit": _texts([self.units[name] for name in names], counts),
        }
        return pa.Table.from_arrays([columns[column.name] for column in SCHEMA], schema=SCHEMA)

    def _all_steps(self) -> npt.NDArray[np.int64]:
        """The steps of each name, one name after another."""
        whole = np.asarray(self.steps, np.int64)
        parts = [np.asarray(self.measured_at[n], np.int64) if n in self.measured_at else whole for n in self.values]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def _tokens_at(self, steps: npt.NDArray[np.int64], tokens: Sequence[int]) -> npt.NDArray[np.int64]:
        whole = np.asarray(self.steps, np.int64)
        if not len(whole):
            return np.zeros(len(steps), np.int64)  # of names at steps that are not kept, which are refused
        return np.asarray(tokens, np.int64)[np.minimum(np.searchsorted(whole, steps), len(whole) - 1)]

    @classmethod
    def sent(cls, curve: TrainingCurve | Mapping[str, Any]) -> TrainingCurve:
        """Convert what a worker sent as a curve; a ValueError where it is none."""
        if isinstance(curve, TrainingCurve):
            return curve
        try:
            return cls(**curve)
        except TypeError as error:
            raise ValueError(f"it is no curve: {shortened(str(error))}") from None

    @classmethod
    def of(cls, table: pa.Table) -> TrainingCurve:
        """The curve of a trial from its rows, which have been looked at: the first name has all steps."""
        columns: dict[str, list[Any]] = {name: table[name].to_pylist() for name in ("name", "unit", "value", "step")}
        names, units, values, at = columns.values()
        found: dict[str, list[float]] = {}
        steps_of: dict[str, list[int]] = {}
        for name, value, step in zip(names, values, at, strict=True):
            found.setdefault(name, []).append(value)
            steps_of.setdefault(name, []).append(step)
        steps = next(iter(steps_of.values()), [])
        tokens: list[Any] = table["tokens"].slice(0, len(steps)).to_pylist()
        measured_at = {name: own for name, own in steps_of.items() if len(own) != len(steps)}
        units_of = dict(zip(names, units, strict=True))
        return cls(steps, None if None in tokens else tokens, found, units_of, measured_at)


@dataclass(frozen=True)
class CurveArrays:
    """Curve of a trial as arrays, for what goes through thousands of them."""

    number: int  # of the trial
    steps: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.float64]  # NaN where nobody knows
    values: Mapping[str, npt.NDArray[np.float64]]  # name -> one number a step
    units: Mapping[str, str]  # name -> unit
    places: dict[str, npt.NDArray[np.int64]]  # name -> places of its steps in ``steps``, where those are not all

    @classmethod
    def of(cls, table: pa.Table) -> CurveArrays:
        """The curve from its rows, of which there are some and which have been looked at."""
        names = cast(list[str], table["name"].unique().to_pylist())
        starts = _starts(_codes(table["name"]))
        kept = int(starts[1]) if len(starts) > 1 else len(table)
        all_steps = _numbers(table["step"])
        steps = np.array(all_steps[:kept])  # a copy, that does not keep the steps of all names
        tokens = table["tokens"].slice(0, kept).cast(pa.float64(), safe=False)
        values = np.split(_numbers(table["value"]), starts[1:])
        units = [str(table["unit"][int(start)].as_py()) for start in starts]
        own = dict(zip(names, np.split(all_steps, starts[1:]), strict=True))
        return cls(
            number_of(table),
            steps,
            np.array(_numbers(tokens)),
            dict(zip(names, values, strict=True)),
            dict(zip(names, units, strict=True)),
            {name: np.searchsorted(steps, at) for name, at in own.items() if len(at) != kept},
        )

    def steps_of(self, name: str) -> npt.NDArray[np.int64]:
        """The steps at which a name was measured."""
        return self.steps[self.places[name]] if name in self.places else self.steps

    def tokens_of(self, name: str) -> npt.NDArray[np.float64]:
        """The tokens seen at those steps."""
        return self.tokens[self.places[name]] if name in self.places else self.tokens


def number_of(table: pa.Table) -> int:
    """The number of the trial of a curve's rows, of which there are some."""
    return int(table["number"][0].as_py())


def _numbers(column: pa.ChunkedArray[Any]) -> npt.NDArray[Any]:
    """A column of numbers as an array, null as NaN."""
    whole: Any = column.combine_chunks()
    if whole.null_count:
        whole = whole.fill_null(float("nan"))
    return np.asarray(whole)


def _texts(texts: Sequence[str], times: Sequence[int]) -> Any:
    """Each text as often as it is to stand there, kept once."""
    kinds = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    numbers = np.repeat(np.asarray([kinds[text] for text in texts], np.int32), times)
    return pa.DictionaryArray.from_arrays(numbers, pa.array(list(kinds), pa.string()))


def check_curve(table: pa.Table, key: str | None) -> None:
    """Raise a ValueError unless the rows can be the curve of trial ``key``: names at rising steps of the first's."""
    for column in row_types.CURVE_COLUMNS:
        if not column.nullable and table[column.name].null_count:
            raise ValueError(f"{column.name} is null, but a point of a curve has one")
    if (found := table["key"].unique().to_pylist()) != [key] and len(table):
        raise ValueError(f"its rows are of {shortened(next(k for k in found if k != key))}")
    if len(numbers := table["number"].unique()) > 1:
        raise ValueError(f"its rows are of trials {numbers[0]} and {numbers[1]}")
    for name in ("number", "step", "tokens"):
        _check_range(name, next(c.unit for c in row_types.CURVE_COLUMNS if c.name == name), table[name])
    _check_values(table["value"])
    names = _codes(table["name"])
    for text in ("name", "unit"):
        _check_texts(text, cast(list[str], table[text].unique().to_pylist()))
    _check_order(names, table)
    if len(set(zip(names.tolist(), _codes(table["unit"]).tolist(), strict=True))) > len(set(names.tolist())):
        raise ValueError("a name has two units")


def _check_range(name: str, unit: str, numbers: pa.ChunkedArray[Any]) -> None:
    found: Any = pc.min_max(numbers)
    least, most = range_of(name, unit)
    for value in (found["min"].as_py(), found["max"].as_py()):
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name} is {value!r} but must be {least:g} to {most:g}")


def _check_values(values: pa.ChunkedArray[Any]) -> None:
    """Check that finite values have the limit of every number; infinity and NaN may come from a run that diverged."""
    found = values.to_numpy()
    if (large := found[np.isfinite(found) & (np.abs(found) > LARGEST_NUMBER)]).size:
        raise ValueError(f"value is {float(large[0])!r} but must be {-LARGEST_NUMBER:g} to {LARGEST_NUMBER:g}")


def _check_texts(column: str, texts: Sequence[str]) -> None:
    if len(texts) > CURVE_NAMES:
        raise ValueError(f"it has {len(texts)} kinds of {column} but may have at most {CURVE_NAMES}")
    most = next(c.most for c in row_types.CURVE_COLUMNS if c.name == column)
    for text in texts:
        if len(text) > most:
            raise ValueError(f"{column} has {len(text):,} characters but may have at most {most:,}")
        if not text or not text.isprintable():
            raise ValueError(f"{column} is {shortened(text)} but must be text that can be printed")


def _check_order(names: npt.NDArray[np.int32], table: pa.Table) -> None:
    """The steps of one name, which rise, and then the same steps, or some of them, of the next."""
    if not len(names):
        return
    starts = _starts(names)
    if len(starts) != len(set(names.tolist())):
        raise ValueError("its rows are not sorted by name")
    kept = int(starts[1]) if len(starts) > 1 else len(names)
    steps = table["step"].to_numpy()
    rises = np.diff(steps) > 0
    rises[starts[1:] - 1] = True  # from one name to the next
    if not rises.all():
        raise ValueError("its steps do not rise")
    at = np.minimum(np.searchsorted(steps[:kept], steps), kept - 1)
    if np.any(steps[at] != steps):
        raise ValueError("a name has a step that the first of its names has not")
    tokens = table["tokens"].combine_chunks()
    if not tokens.equals(tokens.take(pa.array(at, pa.int64()))):
        raise ValueError("tokens is not the same for all of its names")


def _starts(names: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The place at which each name begins, of names that stand together."""
    return np.concatenate([[0], np.flatnonzero(np.diff(names)) + 1]).astype(np.int64)


def _codes(column: pa.ChunkedArray[Any]) -> npt.NDArray[np.int32]:
    """A number for each text of a column."""
    whole: Any = column.unify_dictionaries()
    parts = [np.asarray(chunk.indices) for chunk in whole.chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)
