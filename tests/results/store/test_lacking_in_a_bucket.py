"""In an object store too a part that is gone is told of: ``rows.log`` says there which parts there are."""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from results import Store
from results.store.names import TRIALS_A_PART
from results.store.row_log import ROW_LOG
from storage import files, inside
from storage.location import Location, Url
from tests.results.conftest import WHOLE

PARTS = [f"{dataset}/part-{part:06}.parquet" for dataset in ("trials", "reports") for part in (0, 1)]
NUMBERS = (0, 1, TRIALS_A_PART)


class Killed(BaseException):
    """kill -9: nothing of the writer runs on."""


@pytest.fixture
def folder() -> Url:
    return Url(f"memory://{uuid.uuid4().hex}/night")


def write(store: Store, *numbers: int) -> None:
    for number in numbers:
        store.write_trial({**WHOLE, "key": f"k{number}", "number": number, "status": "running"})  # type: ignore[typeddict-item]
        store.append_report({"key": f"k{number}", "attempt": 1, "step": 1})


def begun(folder: Location) -> Store:
    """A campaign of two parts of each data set."""
    store = Store.create(folder, {}, {})
    write(store, *NUMBERS)
    return store


def numbers(folder: Location) -> tuple[list[int], int]:
    trials, reports = Store.open(folder).tables()
    return trials["number"].to_pylist(), len(reports)


def told(folder: Location) -> list[str]:
    """What a resume says."""
    said: list[str] = []
    Store.open(folder).set_damaged_aside(lambda place, why: said.append(why))
    return said


@pytest.mark.parametrize("gone", PARTS)
def test_a_part_that_is_gone_is_said_by_readers_and_by_a_resume(folder: Url, gone: str) -> None:
    begun(folder)
    assert numbers(folder) == ([*NUMBERS], 3)
    inside.remove(folder, gone)
    with pytest.raises(ValueError, match=rf"^{folder / gone} is not there; a resume goes on without$"):
        Store.open(folder).tables()
    assert told(folder)[0].startswith(f"{folder / gone} is not there; lost with it")
    assert not told(folder)
    store = Store.open(folder)
    write(store, 2, TRIALS_A_PART + 1)
    assert {2, TRIALS_A_PART + 1} <= {*numbers(folder)[0]}


def test_also_of_a_bucket(bucket: None) -> None:
    folder = Url(f"s3://bucket/{uuid.uuid4().hex}/night")
    begun(folder)
    assert numbers(folder) == ([*NUMBERS], 3)
    inside.remove(folder, PARTS[1])
    with pytest.raises(ValueError, match=rf"^{folder / PARTS[1]} is not there; a resume goes on without$"):
        Store.open(folder).tables()
    first, strays = told(folder)
    assert first.startswith(f"{folder / PARTS[1]} is not there; lost with it and trained anew: trials 256 to ")
    assert strays == f"{folder / PARTS[3]} has reports of 1 trial that have no row"
    assert numbers(folder) == ([0, 1], 2)


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_the_reports_of_one_trial_are_not_taken_for_none_where_their_part_is_gone(
    folder: Url, tmp_path: Path, place: str
) -> None:
    there: Location = tmp_path / "night" if place == "disk" else folder
    begun(there).settle(at_once=True)
    inside.remove(there, PARTS[2])
    store = Store.open(there)
    with pytest.raises(ValueError, match=rf"{PARTS[2]} is not there; a resume goes on without$"):
        store.reports("k1", 1)
    assert len(store.reports(f"k{TRIALS_A_PART}", TRIALS_A_PART)) == 1


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_a_writer_does_not_begin_a_part_anew_that_has_gone_meanwhile(folder: Url, tmp_path: Path, place: str) -> None:
    there: Location = tmp_path / "night" if place == "disk" else folder
    store = begun(there)
    store.settle(at_once=True)
    inside.remove(there, PARTS[0])
    with pytest.raises(ValueError, match=rf"{PARTS[0]} is not there; a resume goes on without$"):
        write(store, 2)
        store.settle(at_once=True)
    assert not files.exists(there / PARTS[0])
    assert f"{there / PARTS[0]} is not there" in told(there)[0]


def test_nothing_is_said_of_a_part_whose_writer_was_killed_before_or_after_it_was_there(
    folder: Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, kills = inside.write, 0
    while True:
        there, left, killed = folder.parent / f"night{kills}", kills, False

        def write_or_die(place: Location, name: str, content: bytes, **how: bool) -> None:
            nonlocal left, killed
            for is_after in (False, True):
                if is_after:
                    real(place, name, content, **how)
                left, killed = left - 1, left == 0
                if killed:
                    raise Killed

        store = Store.create(there, {}, {})
        with monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(inside, "write", write_or_die)
            write(store, *NUMBERS)
        found = numbers(there)[0]
        assert found == [*NUMBERS][: len(found)] and not told(there)
        assert {name for _, name in Store.open(there)._rows.log.read().parts} <= {0, 1}
        if not killed:
            break
        kills += 1
    assert kills > 10 and found == [*NUMBERS]


def test_of_a_campaign_of_an_earlier_version_it_is_known_after_a_resume(folder: Url) -> None:
    begun(folder)
    inside.remove(folder, ROW_LOG)
    assert numbers(folder) == ([*NUMBERS], 3)
    assert not told(folder)
    inside.remove(folder, PARTS[3])
    with pytest.raises(ValueError, match=f"{PARTS[3]} is not there"):
        Store.open(folder).tables()


def test_what_a_killed_campaign_has_in_its_log_alone_is_read_from_its_copy_in_a_bucket(
    folder: Url, tmp_path: Path
) -> None:
    store = Store.create(tmp_path / "night", {}, {})
    write(store, *NUMBERS)
    store.settle(at_once=True)
    write(store, 2)
    copied = [path for path in store.folder.rglob("*") if path.is_file()]  # type: ignore[union-attr]
    for path in copied:
        inside.write(folder, str(path.relative_to(tmp_path / "night")), path.read_bytes())
    assert numbers(folder) == ([0, 1, 2, TRIALS_A_PART], 4)
    write(Store.open(folder), 3)  # the log's rows go into their parts first
    assert not Store.open(folder)._rows.log.read().changes
    assert numbers(folder) == ([0, 1, 2, 3, TRIALS_A_PART], 5)
    assert not told(folder)
    assert numbers(folder) == ([0, 1, 2, 3, TRIALS_A_PART], 5)


def test_its_copy_on_a_disk_lacks_nothing_and_goes_on(folder: Url, tmp_path: Path) -> None:
    begun(folder)
    copy = tmp_path / "night"
    for dataset in ("", "trials", "reports", "curves"):
        (copy / dataset).mkdir()
        for name in files.names(folder / dataset) if dataset else (ROW_LOG, "campaign.json"):
            (copy / dataset / name).write_bytes(files.read(folder / dataset / name if dataset else folder / name))
    assert numbers(copy) == ([*NUMBERS], 3) and not told(copy)
    write(Store.open(copy), 2)
    assert numbers(copy) == ([0, 1, 2, TRIALS_A_PART], 4)
    shutil.rmtree(copy / "reports")
    with pytest.raises(ValueError, match=f"{PARTS[2]} is not there"):
        Store.open(copy).tables()


def test_a_log_that_the_store_does_not_hand_out_is_not_taken_for_damage(
    folder: Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(folder)
    read = files.read

    def cut_off(path: Location, most_bytes: int | None = None) -> bytes:
        if path.name == ROW_LOG:
            raise OSError(f"{path}: timed out")
        return read(path, most_bytes)

    monkeypatch.setattr(files, "read", cut_off)
    with pytest.raises(ValueError, match=rf"^{folder / ROW_LOG} cannot be read: .*timed out$"):
        Store.open(folder).tables()
    for act in (Store.readable_trials, lambda store: store.set_damaged_aside(lambda place, why: pytest.fail(why))):
        with pytest.raises(OSError, match="timed out"):
            act(Store.open(folder))
    monkeypatch.setattr(files, "read", read)
    assert numbers(folder) == ([*NUMBERS], 3)
