"""Rows in parts and a log: what a reader sees before they are in a part, and after a kill -9 at any instant."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from results import Store
from results.store import row_files, row_log, row_writer
from results.store.names import TRIALS_A_PART
from results.store.row_log import ROW_LOG
from storage import files, inside
from tests.one_file_a_trial import one_file_a_trial
from tests.results.conftest import START, WHOLE

PART = "part-000000.parquet"


class Killed(BaseException):
    """kill -9: nothing of the writer runs on."""


@pytest.fixture(autouse=True)
def _rows_are_in_the_parts_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the fixture of the same kind in conftest.py."""
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1e9)


def trial(number: int, **cells: Any) -> dict[str, Any]:
    return {**WHOLE, "key": f"k{number}", "number": number, "status": "running", **cells}


def write(store: Store, *numbers: int, **cells: Any) -> None:
    """A trial of each number, with two reports."""
    for number in numbers:
        store.write_trial(trial(number, **cells))
        for step in (1, 2):
            store.append_report({"key": f"k{number}", "attempt": 1, "step": step, "at": START})


def seen(store: Store) -> tuple[list[Any], list[Any]]:
    """The trials and the reports, as one of our readers has them."""
    fresh = Store.open(store.folder)
    trials, reports = fresh.tables()
    return trials.select(["number", "status"]).to_pylist(), sorted(
        (row["key"], row["step"]) for row in reports.select(["key", "step"]).to_pylist()
    )


def in_parts(store: Store) -> tuple[list[int], int]:
    """The numbers of the trials, and how many reports there are, in the Parquet files alone."""
    trials, reports = pd.read_parquet(store.folder / "trials"), pd.read_parquet(store.folder / "reports")
    return list(trials["number"]), len(reports)


def test_a_row_is_seen_by_our_readers_at_once_and_by_others_when_the_parts_are_brought_up_to_it(store: Store) -> None:
    write(store, 0, 1)
    assert in_parts(store)[0] == [0]  # what was first is not waited with
    assert [row["number"] for row in seen(store)[0]] == [0, 1] and len(seen(store)[1]) == 4
    store.settle(at_once=True)
    assert in_parts(store) == ([0, 1], 4)
    assert store.reports("k1", 1)[1]["step"] == 2


def test_the_parts_are_not_older_than_a_second_where_the_driver_looks_on(store: Store, monkeypatch) -> None:
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1.0)
    monkeypatch.setattr(row_writer, "SHARE", float("inf"))
    now = 1000.0
    monkeypatch.setattr(row_writer.time, "monotonic", lambda: now)
    write(store, 0)
    write(store, 1)
    now += 0.5
    store.settle()
    assert in_parts(store)[0] == [0]
    now += 0.6
    store.settle()
    assert in_parts(store) == ([0, 1], 4)


def test_trials_are_in_parts_of_256_sorted_by_number_and_described_once(store: Store) -> None:
    for number in (TRIALS_A_PART + 1, 3, TRIALS_A_PART, 2):
        write(store, number)
    store.settle(at_once=True)
    names = sorted(path.name for path in (store.folder / "trials").iterdir())
    assert names == ["0-empty.parquet", PART, "part-000001.parquet"]
    assert in_parts(store)[0] == [2, 3, TRIALS_A_PART, TRIALS_A_PART + 1]
    described = {name: pq.read_schema(store.folder / "trials" / name).field("value").metadata for name in names}
    assert [name for name, found in described.items() if found and b"meaning" in found] == ["0-empty.parquet"]


def test_a_trial_keeps_its_number(store: Store) -> None:
    write(store, 0)
    with pytest.raises(ValueError, match="trial 'k0' has the number 0 and keeps it, but is given 300"):
        store.write_trial(trial(300, key="k0"))
    assert [row["number"] for row in store.trials()] == [0]


def changes_of_files(monkeypatch: pytest.MonkeyPatch, what: Callable[[str, Callable[[], None]], None]) -> None:
    """Have ``what`` called for each change of a file, with its name and the change."""
    for name in ("write", "append", "remove", "rename"):
        real = getattr(inside, name)

        def changed(*given: Any, real: Any = real, name: str = name, **how: Any) -> None:
            what(f"{name} {given[1]}", lambda: real(*given, **how))

        monkeypatch.setattr(inside, name, changed)


def instants(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> Iterator[str]:
    """Do something again and again, killed before and after each change of a file that it makes."""
    at = 0
    while True:
        left, over = at, []

        def maybe(name: str, change: Callable[[], None], over: list[str] = over) -> None:
            nonlocal left
            for is_after in (False, True):
                if is_after:
                    change()
                if left == 0:
                    over.append(f"{'after' if is_after else 'before'} {name}")
                    raise Killed
                left -= 1

        with monkeypatch.context() as patch:
            changes_of_files(patch, maybe)
            with suppress(Killed):
                act()
        if not over:
            return
        yield over[0]
        at += 1


def test_nothing_is_lost_or_seen_twice_when_killed_at_any_instant_of_a_compaction(tmp_path, monkeypatch) -> None:
    first = Store.create(tmp_path / "first", {}, {})
    write(first, 0, 1, TRIALS_A_PART)
    first.settle(at_once=True)
    first.write_trial(trial(1, status="completed"))
    first.replace_reports("k0", [])
    write(first, 2, TRIALS_A_PART + 1)
    expected, found = seen(first), list[str]()
    before = shutil.copytree(first.folder, tmp_path / "before")
    stores = (Store.open(shutil.copytree(before, tmp_path / f"c{number}")) for number in range(99))
    first.settle(at_once=True)
    after = in_parts(first)
    store = first

    def act() -> None:
        nonlocal store
        store = next(stores)
        store.settle(at_once=True)

    for instant in instants(monkeypatch, act):
        found.append(instant)
        numbers, _ = in_parts(store)
        assert len(set(numbers)) == len(numbers) and {0, 1, TRIALS_A_PART} <= set(numbers), instant
        assert seen(store) == expected, instant
        Store.open(store.folder).set_damaged_aside(lambda place, why: pytest.fail(why))
        assert seen(store) == expected and in_parts(store) == after, instant
    assert len(found) == 10 and f"before write {ROW_LOG}" in found and f"after write trials/{PART}" in found


def test_an_old_campaign_is_read_as_it_is_and_loses_nothing_when_its_conversion_is_killed(
    tmp_path, monkeypatch
) -> None:
    store = first = Store.create(tmp_path / "first", {}, {})
    write(first, 0, 1)
    one_file_a_trial(first.folder)
    said = json.loads((first.folder / "campaign.json").read_text())
    (first.folder / "campaign.json").write_text(json.dumps({**said, "schema_version": 1}))
    expected, found = seen(first), list[str]()
    assert [row["number"] for row in expected[0]] == [0, 1] and len(expected[1]) == 4
    stores = (Store.open(shutil.copytree(first.folder, tmp_path / f"c{number}")) for number in range(99))

    def act() -> None:
        nonlocal store
        store = next(stores)
        store.set_damaged_aside(lambda place, why: pytest.fail(why))

    for instant in instants(monkeypatch, act):
        found.append(instant)
        assert seen(store) == expected, instant
    assert len(found) == 22 and "before write campaign.json" in found and "after remove trials/k1.parquet" in found
    Store.open(store.folder).set_damaged_aside(lambda place, why: pytest.fail(why))
    assert seen(store) == expected and in_parts(store) == ([0, 1], 4)
    assert sorted(files.names(store.folder / "trials")) == ["0-empty.parquet", PART]
    assert json.loads((store.folder / "campaign.json").read_text())["schema_version"] == 2


def test_a_reader_whose_files_go_into_parts_meanwhile_reads_those(tmp_path: Path, monkeypatch) -> None:
    expected = None
    for question in ("tables", "reports"):
        store = Store.create(tmp_path / question, {}, {})
        write(store, 0, 1)
        one_file_a_trial(store.folder)
        reader, real, converted = Store.open(store.folder), files.read_all, list[Store]()
        expected = seen(store)

        def overtaken(*arguments: Any, _real=real, _store=store, _converted=converted) -> Any:
            if not _converted:
                _converted.append(Store.open(_store.folder))
                _converted[0].set_damaged_aside(lambda place, why: pytest.fail(why))
            return _real(*arguments)

        monkeypatch.setattr(row_files.files, "read_all", overtaken)
        if question == "tables":
            trials, reports = reader.tables()
            assert trials.num_rows == len(expected[0]) and reports.num_rows == len(expected[1])
        else:
            assert [row["step"] for row in reader.reports("k1", 1)] == [1, 2]
        assert converted and not (store.folder / "trials" / "k1.parquet").exists()
        monkeypatch.setattr(row_files.files, "read_all", real)
    (store.folder / "trials" / "k7.parquet").write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"k7\.parquet cannot be read"):  # it stays, and so does the error
        Store.open(store.folder).tables()


def test_a_report_that_is_written_again_since_the_parts_could_not_be_is_there_once(store: Store, monkeypatch) -> None:
    write(store, 0)
    report: Any = {"key": "k0", "attempt": 1, "step": 3, "at": START}
    real = inside.write

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(row_writer, "SHARE", float("inf"))
    monkeypatch.setattr(inside, "write", full)
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            store.append_report(report)
    assert [row["step"] for row in store.reports("k0")] == [1, 2, 3], "durable, and said once"
    monkeypatch.setattr(inside, "write", real)
    store.append_report(report)
    store.append_report({**report, "step": 4})
    store.append_report({**report, "step": 4})  # nobody was told of an error: a row of its own
    assert [row["step"] for row in store.reports("k0")] == [1, 2, 3, 4, 4] and in_parts(store) == ([0], 5)


def test_a_log_that_is_applied_twice_changes_nothing(store: Store) -> None:
    write(store, 0, 1)
    log = (store.folder / ROW_LOG).read_bytes()
    expected = seen(store)
    store.settle(at_once=True)
    (store.folder / ROW_LOG).write_bytes(log)  # as if the kill -9 had come before the log began anew
    assert seen(store) == expected
    write(again := Store.open(store.folder), 2)
    again.settle(at_once=True)
    assert in_parts(store) == ([0, 1, 2], 6)


def test_a_log_cut_anywhere_in_its_last_record_loses_that_record_alone(store: Store) -> None:
    write(store, 0, 1)
    whole = (store.folder / ROW_LOG).read_bytes()
    last = whole[:-1].rindex(b"\n") + 1
    for cut in (
        last,
        last + 1,
        last + 8,
        last + 9,
        last + 10,
        (last + len(whole)) // 2,
        len(whole) - 2,
        len(whole) - 1,
    ):
        (store.folder / ROW_LOG).write_bytes(whole[:cut])
        trials, reports = seen(store)
        assert len(trials) == 2 and len(reports) == 3
    again = Store.open(store.folder)
    again.append_report({"key": "k1", "attempt": 1, "step": 7})  # does not stand behind half a record
    assert [row["step"] for row in Store.open(store.folder).reports("k1", 1)] == [1, 7]


def test_half_a_record_as_a_kill_leaves_it_is_nothing_to_tell_of(store: Store) -> None:
    write(store, 0, 1)
    (store.folder / ROW_LOG).write_bytes((store.folder / ROW_LOG).read_bytes()[:-9])
    Store.open(store.folder).set_damaged_aside(lambda place, why: pytest.fail(why))
    assert len(seen(store)[1]) == 3 and not (store.folder / "damaged").exists()


def test_a_damaged_last_record_is_said_by_a_resume(store: Store) -> None:
    write(store, 0, 1)
    (store.folder / ROW_LOG).write_bytes((store.folder / ROW_LOG).read_bytes()[:-9] + bytes(8) + b"\n")
    said: list[str] = []
    Store.open(store.folder).set_damaged_aside(lambda place, why: said.append(f"{place.name}: {why}"))
    assert len(said) == 1 and said[0].startswith("torn-rows.log: ") and "bytes that are no record" in said[0]
    assert len(seen(store)[1]) == 3 and not store.has_set_aside("trials", "k0")


def test_a_changed_byte_in_the_log_is_refused_by_readers_and_costs_a_resume_one_record(store: Store) -> None:
    write(store, 0, 1, 2)
    lines = (store.folder / ROW_LOG).read_bytes().split(b"\n")
    at = next(i for i, line in enumerate(lines) if b'"of":"reports","key":"k1"' in line)
    lines[at] = lines[at].replace(b"k1", b"k2")
    (store.folder / ROW_LOG).write_bytes(b"\n".join(lines))
    with pytest.raises(
        ValueError, match=rf"rows.log cannot be read: record {at + 1} of {len(lines) - 1} is damaged; a resume"
    ):
        store.trials()
    assert len(Store.open(store.folder).readable_trials()) == 3
    said: list[str] = []
    Store.open(store.folder).set_damaged_aside(lambda place, why: said.append(place.name))
    assert said == [ROW_LOG] and len(seen(store)[0]) == 3 and len(seen(store)[1]) == 5
    assert store.has_set_aside("trials", "k0")  # one of its rows may have been in it


def test_a_damaged_part_names_the_trials_that_are_gone_and_the_log_brings_back_what_it_has(store: Store) -> None:
    write(store, *range(5))
    store.settle(at_once=True)
    write(store, TRIALS_A_PART)
    store.write_trial(trial(2, status="completed"))
    part = store.folder / "trials" / PART
    part.write_bytes(part.read_bytes()[:-50])
    with pytest.raises(ValueError, match=f"{PART} cannot be read: .*; a resume sets it aside$"):
        store.trials()
    assert [row["number"] for row in Store.open(store.folder).readable_trials()] == [2, TRIALS_A_PART]
    said: dict[str, str] = {}
    again = Store.open(store.folder)
    again.set_damaged_aside(lambda place, why: said.update({f"{place.parent.name}/{place.name}": why}))
    assert list(said) == [f"trials/{PART}", f"reports/{PART}"]
    gone = f"trials 0 to 1, 3 to {TRIALS_A_PART - 1}; rows.log still has trial 2"
    assert said[f"trials/{PART}"].endswith(f"; lost with it and trained anew: {gone}")
    assert said[f"reports/{PART}"].endswith("has reports of 4 trials that have no row")
    assert (store.folder / "damaged" / "trials" / PART).exists()
    assert [row["number"] for row in again.trials()] == [2, TRIALS_A_PART]
    assert [(row["key"], row["step"]) for rows in again.reports_by_key().values() for row in rows] == [
        ("k2", 1), ("k2", 2), (f"k{TRIALS_A_PART}", 1), (f"k{TRIALS_A_PART}", 2),
    ]  # fmt: skip


def test_no_file_of_another_name_is_ever_in_the_folder_of_a_data_set(store: Store, monkeypatch) -> None:
    names: set[str] = set()
    monkeypatch.setattr(inside.os, "fsync", lambda file: names.update(files.names(store.folder / "trials")))
    write(store, 0)
    store.settle(at_once=True)
    assert names == {"0-empty.parquet", PART}


def test_the_names_of_the_parts_are_durable_before_the_log_begins_anew(store: Store, monkeypatch) -> None:
    done: list[str] = []
    real = inside.sync_names
    changes_of_files(monkeypatch, lambda name, change: (done.append(name), change())[1])
    monkeypatch.setattr(inside, "sync_names", lambda folder, name: (done.append(f"sync {name}"), real(folder, name))[1])
    write(store, 0)
    done.clear()
    write(store, 1)
    store.settle(at_once=True)
    parts = [f"write trials/{PART}", f"write reports/{PART}", "sync trials", "sync reports"]
    assert done == [*[f"append {ROW_LOG}"] * 3, *parts, f"write {ROW_LOG}", "sync "]


def waits(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the disk is waited for, in order: the log, or something else."""
    names: list[str] = []

    def noted(file: int) -> None:
        is_log = os.path.samestat(os.fstat(file), os.stat(store.folder / ROW_LOG))
        names.append(ROW_LOG if is_log else "another")

    monkeypatch.setattr(os, "fsync", noted)
    return names


def test_what_is_not_durable_yet_waits_for_no_disk_and_is_durable_with_what_is(store: Store, monkeypatch) -> None:
    write(store, 0)
    waited = waits(store, monkeypatch)
    store.write_trial(trial(1), durable=False)
    store.append_report({"key": "k1", "attempt": 1, "step": 1, "at": START}, durable=False)
    store.write_curve(
        "k1", 1, {"steps": [1], "tokens": None, "values": {"loss": [1.0]}, "units": {"loss": "nats"}}, durable=False
    )
    assert not waited
    assert [row["number"] for row in Store.open(store.folder).trials()] == [0, 1]  # a kill -9 loses nothing of it
    store.write_trial(trial(1))
    assert waited == [ROW_LOG]


def test_the_log_is_durable_before_a_part_has_what_it_says(store: Store, monkeypatch) -> None:
    write(store, 0)
    store.settle(at_once=True)
    store.write_trial(trial(1), durable=False)
    waited = waits(store, monkeypatch)
    store.settle(at_once=True)
    assert waited[0] == ROW_LOG
    assert waited.count(ROW_LOG) == 1


def test_a_driver_that_lost_the_campaign_while_it_read_a_part_does_not_replace_it(store: Store) -> None:
    write(store, 0, 1)
    before, asked = in_parts(store), 0

    def lost() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise OSError("another process drives the campaign now")

    store.before_write = lost
    with pytest.raises(OSError, match="another process"):
        store.settle(at_once=True)
    assert in_parts(store) == before and len(seen(store)[0]) == 2


def test_the_reports_of_a_trial_are_read_from_its_part_alone(store: Store, monkeypatch) -> None:
    write(store, 0, TRIALS_A_PART)
    store.settle(at_once=True)
    damaged = store.folder / "reports" / PART
    damaged.write_bytes(b"")
    assert [row["step"] for row in store.reports(f"k{TRIALS_A_PART}", TRIALS_A_PART)] == [1, 2]
    with pytest.raises(ValueError, match=f"{PART} cannot be read"):
        store.reports("k0", 0)


def test_a_part_stays_where_its_last_report_is_taken_back(store: Store) -> None:
    write(store, 0)
    store.replace_reports("k0", [])
    store.settle(at_once=True)
    assert PART in files.names(store.folder / "reports") and in_parts(store) == ([0], 0)
    assert Store.open(store.folder).reports("k0", 0) == [] and store.tables()[1].num_rows == 0


def test_files_that_an_earlier_version_set_aside_in_place_leave_the_folder_of_the_data_set(store: Store) -> None:
    write(store, 0)
    (store.folder / "trials" / ".corrupt-k9.parquet").write_bytes(b"x")
    Store.open(store.folder).set_damaged_aside(lambda place, why: pytest.fail(why))
    assert (store.folder / "damaged" / "trials" / "k9.parquet").read_bytes() == b"x"
    assert not (store.folder / "trials" / ".corrupt-k9.parquet").exists() and store.has_set_aside("trials", "k9")


def test_a_record_with_a_number_beyond_every_limit_is_damage(store: Store, tmp_path: Path) -> None:
    write(store, 0)
    record = {"at": 10**30, "of": "reports", "key": "k0", "number": 0, "adds": True, "rows": []}
    with (store.folder / ROW_LOG).open("ab") as log:
        log.write(row_log._line(record))
        log.write(row_log._line({"next": 10**40}))
    with pytest.raises(ValueError, match=r"rows\.log cannot be read"):
        store.trials()
    Store.open(store.folder).set_damaged_aside(lambda place, why: None)
    write(again := Store.open(store.folder), 1)
    again.settle(at_once=True)
    assert in_parts(store)[0] == [0, 1]


def test_a_driver_does_not_begin_a_damaged_log_anew(store: Store) -> None:
    write(store, 0, 1)
    before = (store.folder / ROW_LOG).read_bytes().replace(b'"step":1', b'"step":8', 1)
    (store.folder / ROW_LOG).write_bytes(before)
    with pytest.raises(ValueError, match=r"rows\.log cannot be read: record \d+ of \d+ is damaged"):
        store.settle(at_once=True)
    assert (store.folder / ROW_LOG).read_bytes() == before and in_parts(store)[0] == [0]


@pytest.mark.parametrize("cells", [{"value": 1e300}, {"number": 900}, {"status": "won"}], ids=str)
def test_a_record_of_a_row_that_nobody_would_read_gets_into_no_part(store: Store, cells: dict[str, Any]) -> None:
    write(store, 0)
    store.settle(at_once=True)
    row = {name: cell for name, cell in trial(1).items() if name != "started_at"}
    record = {"at": 10**6, "of": "trials", "key": "k1", "number": 1, "adds": False}
    with (store.folder / ROW_LOG).open("ab") as log:
        log.write(row_log._line({**record, "rows": [{**row, "status": "completed", **cells}]}))
    said: list[str] = []
    Store.open(store.folder).set_damaged_aside(lambda place, why: said.append(place.name))
    assert said == [ROW_LOG] and in_parts(store) == ([0], 2) and len(seen(store)[0]) == 1
