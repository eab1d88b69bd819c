"""Parts that a resume has read are not read again, unless they are other files by then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from results import Store
from results.store import parquet, row_files, row_writer
from results.store.names import TRIALS_A_PART
from tests.results.conftest import START, WHOLE

NUMBERS = (0, 1, TRIALS_A_PART)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each part that is decoded."""
    found: list[int] = []
    real = parquet.read

    def counted(content: bytes, *arguments: Any, **named: Any) -> Any:
        table = real(content, *arguments, **named)
        if len(table):
            found.append(len(table))
        return table

    monkeypatch.setattr(row_files.parquet, "read", counted)
    return found


def trial(number: int, status: str = "running") -> Any:
    return {**WHOLE, "key": f"k{number}", "number": number, "status": status, "started_at": START}


@pytest.fixture
def resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A campaign of two parts of each data set, as a resume has just begun with it."""
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1e9)
    store = Store.create(tmp_path / "large", {}, {})
    for number in NUMBERS:
        store.write_trial(trial(number))
        store.append_report({"key": f"k{number}", "attempt": 1, "step": 1, "at": START})
    store.settle(at_once=True)
    store = Store.open(store.folder)
    store.set_damaged_aside(lambda place, why: pytest.fail(why))
    return store


def numbers(store: Store) -> list[Any]:
    return [(row["number"], row["status"], len(store.reports(row["key"]))) for row in store.trials()]


def test_a_resume_reads_each_part_once_until_it_writes(resumed: Store, read: list[int]) -> None:
    assert numbers(resumed) == [(number, "running", 1) for number in NUMBERS]
    assert len(resumed.reports_by_key()) == 3 and not read
    resumed.write_trial(trial(1, "crashed"))
    assert not read, "what is written is known from the same"
    assert numbers(resumed) == [(0, "running", 1), (1, "crashed", 1), (TRIALS_A_PART, "running", 1)]
    assert read, "from then on nothing is kept"


def test_a_part_that_another_has_replaced_meanwhile_is_read_anew(resumed: Store, read: list[int]) -> None:
    other = Store.open(resumed.folder)
    other.write_trial(trial(0, "crashed"))
    other.append_report({"key": "k0", "attempt": 1, "step": 2, "at": START})
    other.settle(at_once=True)
    read.clear()
    assert numbers(resumed) == [(0, "crashed", 2), (1, "running", 1), (TRIALS_A_PART, "running", 1)]
    assert sorted(read) == [2, 3], "those two alone"


def test_a_part_that_was_damaged_meanwhile_is_refused(resumed: Store) -> None:
    part = resumed.folder / "trials" / "part-000000.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"part-000000\.parquet cannot be read"):
        resumed.trials()
    part.unlink()
    with pytest.raises(ValueError, match=r"part-000000\.parquet is not there"):
        resumed.trials()
