"""The journal is a view: whatever becomes of it, the search goes on, says so once and writes it anew."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from storage import inside
from tuner.campaign import journal
from tuner.campaign.journal import Journal
from tuner.campaign.journal_files import JOURNAL
from tuner.proposals.sampler import Sampler


def appended(file: Path, content: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(content)


SPOILT: dict[str, Callable[[Path], object]] = {
    "a line of junk": lambda file: appended(file, b"junk\n"),
    "half a line": lambda file: appended(file, b'{"op_code": 4'),
    "nothing in it": lambda file: file.write_bytes(b""),
    "other bytes": lambda file: file.write_bytes(bytes(range(256))),
    "removed": lambda file: file.unlink(),
    "the study deleted": lambda file: optuna.delete_study(study_name="toy", storage=opened(file)),
    "a copy in its place": lambda file: (
        file.rename(file.with_suffix(".old")), file.write_bytes(file.with_suffix(".old").read_bytes())
    ),
}  # fmt: skip


def opened(file: Path) -> JournalStorage:
    """As another program opens it."""
    return JournalStorage(JournalFileBackend(str(file)))


def states(file: Path) -> list[str]:
    return [trial.state.name for trial in optuna.load_study(study_name="toy", storage=opened(file)).trials]


@pytest.fixture
def base_values(toy_space, toy_base):
    return toy_space.values_of(toy_base)


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def sampler(toy_space, base_values, tmp_path, notes) -> Sampler:
    (tmp_path / "mine.txt").write_text("mine")
    return Sampler(toy_space, base_values, 0, tmp_path / JOURNAL, note=notes.append)


def step(sampler: Sampler) -> None:
    asked = sampler.ask()
    sampler.report(asked.number, 60.0, 2.5)
    sampler.tell(asked.number, "completed", 2.0 + asked.number / 10)


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_journal_is_written_anew_and_noted_once(how, sampler, notes, tmp_path) -> None:
    step(sampler)
    for _ in range(2):
        SPOILT[how](tmp_path / JOURNAL)
        step(sampler)
    assert notes == [f"{JOURNAL} was changed or removed by another program: it was written anew"]
    assert states(tmp_path / JOURNAL) == ["COMPLETE"] * 3 == [t.state.name for t in sampler.study.trials]


@pytest.mark.parametrize("what", ["a folder", "a link"])
def test_what_lies_in_its_place_is_left_alone(what, sampler, notes, tmp_path) -> None:
    step(sampler)
    (tmp_path / JOURNAL).unlink()
    if what == "a link":
        (tmp_path / JOURNAL).symlink_to(tmp_path / "mine.txt")
    else:
        (tmp_path / JOURNAL / "letters").mkdir(parents=True)
    step(sampler)
    step(sampler)
    assert len(sampler.study.trials) == 3
    assert (tmp_path / "mine.txt").read_text() == "mine" and (tmp_path / JOURNAL).exists()
    assert len(notes) == 1 and "cannot be written" in notes[0] and notes[0].endswith("the search goes on")


def test_a_full_disk_is_noted_and_the_journal_is_whole_once_there_is_room(
    sampler, notes, tmp_path, monkeypatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(inside, "write", full)
        patched.setattr(Journal, "_appended", full)
        step(sampler)
        step(sampler)
    assert notes == [
        f"{JOURNAL}, a view for optuna-dashboard, cannot be written: No space left on device; the search goes on"
    ]
    step(sampler)
    assert states(tmp_path / JOURNAL) == ["COMPLETE"] * 3


@pytest.mark.parametrize("how", SPOILT)
def test_a_start_does_not_depend_on_the_journal_that_it_finds(how, toy_space, base_values, tmp_path, notes) -> None:
    step(Sampler(toy_space, base_values, 0, tmp_path / JOURNAL))
    SPOILT[how](tmp_path / JOURNAL)
    step(Sampler(toy_space, base_values, 0, tmp_path / JOURNAL, note=notes.append))
    assert states(tmp_path / JOURNAL) == ["COMPLETE"] and not notes


def test_the_search_asks_for_the_same_points_with_and_without_a_journal(toy_space, base_values, tmp_path) -> None:
    found = []
    for file in (None, tmp_path / JOURNAL):
        one = Sampler(toy_space, base_values, 0, file)
        for _ in range(20):
            step(one)
        found.append([trial.params for trial in one.study.trials])
    assert found[0] == found[1]


def test_a_search_keeps_what_its_journal_got_over(bench, play) -> None:
    search = bench.search(trials=4)
    told: list[str] = []
    search.told.append(told.append)
    (bench.folder / JOURNAL).write_text("junk")
    play(search).run()
    assert sum(row["status"] == "completed" for row in bench.rows())
    assert told == search.notes == [f"{JOURNAL} was changed or removed by another program: it was written anew"]
    assert (bench.folder / "errors" / "notes.txt").read_text() == f"{told[0]}\n"


def test_a_line_is_appended_without_waiting_for_the_disk(sampler, monkeypatch) -> None:
    step(sampler)  # which began the file

    def waited(handle: int) -> None:
        raise AssertionError("a view of the rows need not be on the disk")

    monkeypatch.setattr(os, "fsync", waited)
    monkeypatch.setattr(os, "fdatasync", waited)
    lines = sampler.study._storage._backend.file.read_text().count("\n")
    for _ in range(3):
        step(sampler)
    assert sampler.study._storage._backend.file.read_text().count("\n") >= lines + 3, "they are there, unsynced"


def test_older_lines_are_kept_small_and_are_still_read_and_written_anew(sampler, notes, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(journal, "PACK", 5)
    for _ in range(6):
        step(sampler)
    backend = sampler.study._storage._backend
    assert len(backend._lines) < 10 and len(backend._packed) > 3
    whole = [*backend.read_logs(0)]
    assert len(whole) == len((tmp_path / JOURNAL).read_text().splitlines())
    for first in (1, 4, 5, 6, len(whole) - 1, len(whole)):
        assert [*backend.read_logs(first)] == whole[first:]
    (tmp_path / JOURNAL).unlink()
    step(sampler)
    assert states(tmp_path / JOURNAL) == ["COMPLETE"] * 7 and len(notes) == 1
