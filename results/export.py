"""Frames for other programs: CSV that a spreadsheet takes as it is meant, and tables of Markdown for a pull request.

Text in a frame may come from anybody: a knob of a user's own, an error, a name. In a spreadsheet a cell that begins
with = is a formula, which may run programs or send cells elsewhere; so such text gets an apostrophe before it, by which
spreadsheets know text. Numbers are not text and stay numbers, negative ones too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import pandas as pd
from storage import files, inside
from storage.location import Location
from terminal.escape import visible

from results.questions.catalogue import answers
from results.questions.readable import Readable
from results.targets import check_target_folder, naming

FORMULA = re.compile(r"[=+\-@\uff1d\uff0b\uff0d\uff20]")  # also as full-width characters, which some locales take too
MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#~|$&!]")
SIZES = re.compile(r"(?:^|_)(?:bytes|parameters|tokens)(?!_per_)(?:_|$)")  # columns
TIMES = "%Y-%m-%d %H:%M:%S"  # ISO 8601 with a space and without an offset, which Excel reads as a time
BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for another encoding


def to_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV: comma, UTF-8, a line a row, null as an empty cell, numbers with all their digits.

    Times are UTC to the whole second, as ``2026-01-02 03:04:05``, in a column whose name says ``(UTC)``. Text that a
    spreadsheet would take for a formula begins with an apostrophe; control characters are written as escapes.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_guarded(name) for name in _heads(frame)])
    for row in _cells(frame):
        writer.writerow([_guarded(cell) if isinstance(cell, str) else cell for cell in row])
    return file.getvalue()


def to_markdown(frame: pd.DataFrame) -> str:
    """A frame as a pipe table: numbers to the right and with 6 significant digits, times and null as in :func:`to_csv`.

    Bytes, parameters and tokens have their thousands apart. Characters that mean something in Markdown or HTML are
    escaped.
    """
    numbers = [pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in frame.dtypes]
    lines = [[in_markdown(name) for name in _heads(frame)], ["--:" if number else "---" for number in numbers]]
    sized = [bool(SIZES.search(str(name))) for name in frame]
    for row in _cells(frame):
        cells = zip(row, sized, strict=True)
        lines.append([in_markdown(_with_thousands(cell) if is_size else _few_digits(cell)) for cell, is_size in cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write_csv(campaign: Readable, folder: Location) -> list[str]:
    """Write every question's answer, and the rows themselves, into a folder, a file each; returns the files' names.

    Files of these names are replaced. A ValueError for a campaign's folder, whose files are its own.
    """
    check_target_folder("--csv", folder)
    found = {f"{name}.csv": to_csv(frame) for name, frame in answers(campaign).items()}
    with naming("--csv", folder):
        files.names(folder)  # refuses what is no folder
        files.create_folder(folder)
        for name, text in found.items():
            inside.write(folder, name, (BYTE_ORDER_MARK + text).encode())
    return list(found)


def _heads(frame: pd.DataFrame) -> list[str]:
    is_time = [pd.api.types.is_datetime64_any_dtype(kind) for kind in frame.dtypes]
    return [f"{name} (UTC)" if time else str(name) for name, time in zip(frame, is_time, strict=True)]


def _cells(frame: pd.DataFrame) -> Iterator[list[Any]]:
    """The rows as plain values: texts, numbers, and "" for null."""
    for row in frame.itertuples(index=False, name=None):
        yield [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        utc = value.tz_convert("UTC") if value.tzinfo is not None else value
        return utc.strftime(TIMES)
    return "" if value is None or pd.isna(value) else value


def _guarded(text: str) -> str:
    shown = visible(text)
    return f"'{shown}" if FORMULA.match(shown) else shown


def _with_thousands(value: Any) -> str:
    whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    return f"{value:,.0f}" if whole else _few_digits(value)


def _few_digits(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def in_markdown(text: str) -> str:
    """Text as Markdown shows it: what means something there or in HTML is escaped."""
    return MARKDOWN.sub(r"\\\g<0>", visible(text))
