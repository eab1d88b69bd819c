"""What a campaign takes of rows can be read again: a part, the log and all rows of a data set, held against limits."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from results import Store
from results.store import limits, parquet, row_kinds, row_writer
from results.store.limits import MIB
from results.store.row_log import ROW_LOG
from results.store.salvage import RefusedRowError
from tests.results.conftest import WHOLE


@pytest.fixture(autouse=True)
def _rows_are_in_the_parts_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1e9)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "large", {}, {})


def write(store: Store, number: int, **cells: Any) -> None:
    store.write_trial({**WHOLE, "key": f"k{number}", "number": number, "status": "running", **cells})  # type: ignore[typeddict-item]


def noise(number: int) -> str:
    """A text that nothing compresses much."""
    return base64.b64encode(random.Random(number).randbytes(660)).decode()


def test_a_part_may_be_larger_than_a_file_of_one_trial(store, monkeypatch) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", 40_000)
    for number in range(100):
        write(store, number, note=noise(number))
    store.settle(at_once=True)
    assert (store.folder / "trials" / "part-000000.parquet").stat().st_size > limits.FILE_BYTES
    assert [row["note"] for row in Store.open(store.folder).trials()] == [noise(number) for number in range(100)]


def test_the_log_never_becomes_larger_than_what_is_read_of_it(store, monkeypatch) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", 40_000)
    for number in range(40):
        write(store, number, note=noise(number))
        assert (store.folder / ROW_LOG).stat().st_size < limits.FILE_BYTES
        assert number % 8 or len(Store.open(store.folder).trials()) == number + 1
    reports = [{"key": "k3", "attempt": 1, "step": step} for step in range(1, 2000)]
    store.append_report({"key": "k3", "attempt": 1, "step": 9})
    store.replace_reports("k3", reports)  # more than the log takes
    store.append_report({"key": "k3", "attempt": 1, "step": 2000})
    assert [row["step"] for row in Store.open(store.folder).reports("k3")] == [*range(1, 2001)]
    store.settle(at_once=True)
    assert [row["step"] for row in Store.open(store.folder).reports("k3")] == [*range(1, 2001)]


@pytest.mark.parametrize("most", ["rows", "bytes"])
def test_a_row_beyond_what_is_read_is_refused_and_those_before_stay(store, monkeypatch, most) -> None:
    write(store, 0)
    if most == "rows":
        monkeypatch.setitem(row_kinds.MOST_ROWS, "trials", 3)
    else:
        monkeypatch.setitem(row_kinds.MOST_WRITTEN_BYTES, "trials", 3 * store.table("trials").nbytes)
    for _ in range(9):  # what is written anew takes no room
        for number in range(3):
            write(store, number)
    with pytest.raises(ValueError, match=r"trials is full: it may hold at most .* rows or .* bytes"):
        write(store, 3, note=noise(3))
    store.settle(at_once=True)
    assert [row["number"] for row in Store.open(store.folder).trials()] == [0, 1, 2]
    store.on_refused = lambda what, why: pytest.fail(what)
    with pytest.raises(RefusedRowError, match=r"the row of trial 'k3' is refused: .*trials is full"):
        write(store, 3, note=noise(3))


def test_a_report_beyond_what_is_read_is_left_out_and_told_of(store, monkeypatch) -> None:
    monkeypatch.setitem(row_kinds.MOST_ROWS, "reports", 2)
    told: list[tuple[str, str]] = []
    store.on_refused = lambda *said: told.append(said)
    write(store, 0)
    for step in (1, 2, 3):
        store.append_report({"key": "k0", "attempt": 1, "step": step})
    ((what, why),) = told
    assert what == "a report of trial 'k0' was not written" and "reports is full" in why
    store.replace_reports("k0", [{"key": "k0", "attempt": 1, "step": 7}])
    assert len(told) == 1 and [row["step"] for row in Store.open(store.folder).reports("k0")] == [7]


def test_a_text_may_have_as_many_characters_of_any_alphabet() -> None:
    schema = pa.schema([("key", pa.string())])
    text = "\N{GREEK SMALL LETTER OMEGA}" * limits.TEXT
    content = parquet.of_few_rows(pa.Table.from_arrays([parquet.texts([text] * 4)], schema=schema))
    assert parquet.read(content, schema, 10, 10 * MIB)["key"][3].as_py() == text
