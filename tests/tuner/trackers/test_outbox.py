"""Trackers that raise, hang, die, print or fill the disk, in real processes: the campaign is the one without them."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from terminal.console import Console
from tuner.trackers import logging_to as door
from tuner.trackers.catalogue import LogTo, is_installed
from tuner.trackers.logging_to import logging_to
from tuner.trackers.outbox import SEND_PROGRAM, Outbox

LONG = 300.0  # seconds: nothing here takes as long, also on a machine that is busy
WORKING = """
import json, os
print("* a package that talks", flush=True)
class Run:
    def __init__(self, name): self.name, self._next_step = name, 0
    def log(self, values, step):
        with open(os.environ["KEPT"], "a") as kept:
            kept.write(json.dumps([self.name, step, values]) + "\\n")
    def finish(self): pass
class Api:
    def runs(self, project): return []
def init(*, name, **more): return Run(name)
"""
RAISING = "class Api:\n    def runs(self, project): raise RuntimeError('no \\x1b[31mkey')\n"
KINDS = {  # the source of a package -> what is said of it
    "raises when it is imported": ("1 / 0", "ZeroDivisionError: division by zero. It is tried again"),
    "raises": (RAISING, "RuntimeError: no \\x1b[31mkey. It is tried again; the campaign goes on"),
    "dies": ("import os\nos._exit(7)", "its process has ended with exit code 7; the campaign goes on without it"),
    "is killed": ("import os\nos.kill(os.getpid(), 9)", "its process has ended by signal 9"),
    "hangs": ("import time\ntime.sleep(1000)", "no answer for"),
    "hangs and takes no signal": (
        "import signal, time\nsignal.signal(15, lambda *a: None)\nwhile True: time.sleep(1000)",
        "no answer for",
    ),
    "fills the disk": (WORKING.replace('os.environ["KEPT"]', '"/dev/full"'), "OSError: [Errno 28] No space left"),
    "exits": ("raise SystemExit(3)", "its process has ended"),
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Put a package called trackio, with this source, before all others."""

    def make(source: str) -> Path:
        (tmp_path / "packages").mkdir()
        (tmp_path / "packages" / "trackio.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path / "packages"))
        monkeypatch.setenv("KEPT", str(tmp_path / "kept"))
        return tmp_path / "kept"

    return make


def console() -> Console:
    return Console(file=io.StringIO())


def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without what tells two runs of the same campaign apart."""
    return [{n: v for n, v in row.items() if n not in ("campaign", "started_at", "ended_at")} for row in rows]


def run(search: Any, player: Any, asked: list[LogTo]) -> None:
    with logging_to(console(), asked, search) as logging:
        tune = player(search)
        while tune.step():
            logging.tick()
        search.abandon()


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_tracker_does_the_rows_are_those_without_it(
    package, make_bench, with_curves, monkeypatch, capfd, kind
) -> None:
    source, said = KINDS[kind]
    package(source)
    monkeypatch.setattr(door, "UNANSWERED_SECONDS", 2.0 if "hangs" in kind else LONG)
    plain, logged = make_bench("plain"), make_bench("logged")
    run(plain.search(trials=4), with_curves, [])
    assert capfd.readouterr().err == ""
    run(logged.search(trials=4), with_curves, [LogTo("trackio")])
    error = capfd.readouterr().err.splitlines()
    assert told(plain.rows()) == told(logged.rows())
    assert sorted(p.name for p in logged.folder.iterdir()) == sorted(p.name for p in plain.folder.iterdir())
    assert len(error) == 2, "the failure, and how to send it again"
    assert said in error[0] and error[0].startswith("tuner: --log trackio: ")
    assert error[1].endswith(f"Send it again: {SEND_PROGRAM} {logged.folder} --log trackio")
    assert ("it lacks 4 runs" in error[1]) == (said.endswith("tried again") or "again;" in said or "space" in said)


def test_a_tracker_that_works_says_nothing_and_has_every_trial(package, bench, with_curves, monkeypatch, capfd) -> None:
    kept = package(WORKING)
    monkeypatch.setattr(door, "UNANSWERED_SECONDS", LONG)
    run(bench.search(trials=4), with_curves, [LogTo("trackio")])
    assert capfd.readouterr() == ("", "")
    names = {line.split('"')[1] for line in kept.read_text().splitlines()}
    trained = [row["number"] for row in bench.rows() if row["config"] != "null"]
    assert names == {"campaign", *(f"campaign/trial {number}" for number in trained)} and len(trained) == 4


def test_a_process_that_does_not_read_blocks_nobody_and_is_told_the_latest_word(package, bench, capfd) -> None:
    kept = package(WORKING)
    bench.search()
    rows = [made_up(number) for number in range(300)]
    said: list[str] = []
    outbox = Outbox(LogTo("trackio"), bench.folder, said.append)
    os.kill(outbox.process.pid, signal.SIGSTOP)
    for row in [*rows, *rows, *rows]:
        outbox.tell({**row, "status": "completed"})
    assert len(outbox.waiting) <= len(rows) + 1, "of each trial one word waits"
    os.kill(outbox.process.pid, signal.SIGCONT)
    outbox.finish(0, LONG)
    names = {line.split('"')[1] for line in kept.read_text().splitlines()}
    assert outbox.lacking == 0 and said == [] and len(names) == 301


def made_up(number: int) -> Any:
    from results.store import row_types

    empty = dict.fromkeys(column.name for column in row_types.TRIAL_COLUMNS)
    config = '{"type": "' + 2000 * "x" + '"}'
    usual = {"key": f"k{number}", "number": number, "stage": "search", "config": config, "attempt": 1}
    return {**empty, **usual, "is_base": False}


def test_a_process_ends_by_itself_when_its_driver_is_gone(package, bench) -> None:
    package(WORKING)
    bench.search()
    outbox = Outbox(LogTo("trackio"), bench.folder, [].append)
    outbox.tell(made_up(1))
    assert outbox.process.stdin is not None
    while outbox.waiting or outbox.half_sent:
        outbox.poll()
    process = outbox.process
    process.stdin.close()  # as the system does for a driver that was killed
    assert process.wait(LONG) == 0
    outbox.leave()


def test_nothing_is_started_where_nothing_is_asked_for(bench, play, monkeypatch) -> None:
    monkeypatch.setattr(door, "Outbox", None)  # calling it would fail
    search = bench.search(trials=2)
    run(search, play, [])
    assert search.begun == search.reported == search.events == []


def test_an_error_of_the_campaign_is_raised_and_the_trackers_are_ended(
    package, bench, play, monkeypatch, capfd
) -> None:
    package("import time\ntime.sleep(1000)")
    monkeypatch.setattr(door, "HURRIED_SECONDS", 0.5)
    search = bench.search(trials=2)
    begun: list[Any] = []
    with pytest.raises(OSError, match="disk"), logging_to(console(), [LogTo("trackio")], search) as logging:
        begun += [outbox.process for outbox in logging.outboxes]
        raise OSError("disk")
    assert [process.poll() for process in begun] == [-signal.SIGKILL]
    assert "no answer for 0.5 s; the campaign goes on without it" in capfd.readouterr().err


def test_the_stand_in_is_found_as_an_installed_package_is(package) -> None:
    package(WORKING)
    assert is_installed("trackio")
