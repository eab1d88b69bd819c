"""A part or the log that is gone, or of an earlier moment than the rest, is told of by readers and by a resume."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from results import Store
from results.store import row_writer
from results.store.names import TRIALS_A_PART
from results.store.row_log import ROW_LOG
from tests.results.conftest import WHOLE

PARTS = [f"{dataset}/part-{part:06}.parquet" for dataset in ("trials", "reports") for part in (0, 1)]
EARLIER = "is of an earlier moment than"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Of two parts, with a trial in the log alone."""
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1e9)
    store = Store.create(tmp_path / "whole", {}, {})
    for number in (0, 1, TRIALS_A_PART):
        write(store, number)
    store.settle(at_once=True)
    write(store, 2)
    return store


def write(store: Store, number: int) -> None:
    store.write_trial({**WHOLE, "key": f"k{number}", "number": number, "status": "running"})  # type: ignore[typeddict-item]
    store.append_report({"key": f"k{number}", "attempt": 1, "step": 1})


def told(folder: Path) -> list[str]:
    """What a resume says; that it leaves a campaign that is read and gone on with."""
    said: list[str] = []
    again = Store.open(folder)
    again.set_damaged_aside(lambda place, why: said.append(why))
    write(again, 9)
    again.settle(at_once=True)
    assert 9 in [row["number"] for row in Store.open(folder).trials()] and Store.open(folder).tables()
    Store.open(folder).set_damaged_aside(lambda place, why: pytest.fail(why))
    return said


@pytest.mark.parametrize("gone", [*PARTS, ROW_LOG])
def test_what_is_gone_is_said_by_readers_and_by_a_resume(store: Store, gone: str) -> None:
    (store.folder / gone).unlink()
    with pytest.raises(ValueError, match=rf"{gone} is not there.*; a resume goes on without$"):
        Store.open(store.folder).tables()
    assert told(store.folder)[0].startswith(f"{store.folder / gone} is not there; lost with it")


def test_an_emptied_log_and_one_of_an_earlier_moment_are_said(store: Store) -> None:
    earlier = (store.folder / ROW_LOG).read_bytes()
    store.settle(at_once=True)
    for content in (b"", earlier[: earlier.index(b"\n") + 1]):
        (store.folder / ROW_LOG).write_bytes(content)
        with pytest.raises(ValueError, match=rf"{ROW_LOG} {EARLIER} the parts"):
            Store.open(store.folder).tables()
        assert f"{ROW_LOG} {EARLIER} the parts" in told(store.folder)[0]
        store = Store.open(store.folder)


@pytest.mark.parametrize("first", [["reports"], ["trials"], ["reports", "trials"]], ids="-".join)
def test_a_copy_made_while_the_campaign_is_written_says_what_it_lacks(store: Store, tmp_path: Path, first) -> None:
    copy = shutil.copytree(store.folder, tmp_path / "copy")
    store.settle(at_once=True)
    for name in {"reports", "trials"} - {*first}:
        shutil.copytree(store.folder / name, copy / name, dirs_exist_ok=True)
    shutil.copy(store.folder / ROW_LOG, copy / ROW_LOG)
    with pytest.raises(ValueError, match=rf"part-000000\.parquet {EARLIER} {ROW_LOG}"):
        Store.open(copy).tables()
    assert any(f"{first[0]}/part-000000.parquet {EARLIER}" in why for why in told(copy))


def test_a_reader_that_is_overtaken_by_the_writer_says_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Store.open(store.folder)
    real = reader._rows.all

    def overtaken(*arguments):
        write(store, 3)
        store.settle(at_once=True)
        write(store, 4)
        store.settle(at_once=True)
        return real(*arguments)

    monkeypatch.setattr(reader._rows, "all", overtaken)
    assert len(reader.trials()) == 6


def test_a_part_under_a_second_name_is_a_foreign_file_and_doubles_nothing(store: Store) -> None:
    for dataset in ("trials", "reports"):
        part = store.folder / dataset / "part-000000.parquet"
        shutil.copy(part, part.with_name("part-0000000.parquet"))
    with pytest.raises(ValueError, match=r"part-0000000\.parquet cannot be read"):
        store.tables()
    said: list[str] = []
    Store.open(store.folder).set_damaged_aside(lambda place, why: said.append(place.name))
    assert said == ["part-0000000.parquet"] * 2
    assert [len(table) for table in Store.open(store.folder).tables()] == [4, 4]
