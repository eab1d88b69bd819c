"""A screen that fails: what only shows something ends, what works goes on."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from rich.live import Live

from terminal import program
from terminal.command_line import OneLineParser
from terminal.complaint import complain
from terminal.console import Console, Line
from terminal.exit_codes import FAILED

FULL = Path("/dev/full")


_opened: list[IO[str]] = []


@pytest.fixture(autouse=True)
def screens_are_closed() -> Iterator[None]:
    yield
    while _opened:
        file = _opened.pop()
        program.drain(file)
        file.close()


def opened(file: int | Path) -> IO[str]:
    _opened.append(open(file, "w"))  # noqa: SIM115  (closed after the test)
    return _opened[-1]


def broken_pipe() -> IO[str]:
    read, write = os.pipe()
    os.close(read)
    return opened(write)


def full_disk() -> IO[str]:
    if not FULL.exists():
        pytest.skip("this system has no /dev/full")
    return opened(FULL)


def closed() -> IO[str]:
    return opened(os.open(os.devnull, os.O_RDONLY))


def closed_file() -> IO[str]:
    file = io.StringIO()
    file.close()
    return file


SCREENS = {
    "broken pipe": (broken_pipe, "Broken pipe"),
    "full disk": (full_disk, "No space left on device"),
    "closed descriptor": (closed, "Bad file descriptor"),
    "closed file": (closed_file, "I/O operation on closed file"),
}


@pytest.mark.parametrize(("screen", "why"), SCREENS.values(), ids=SCREENS)
def test_work_goes_on_without_its_screen_and_says_so_once(screen, why, capsys, monkeypatch) -> None:
    monkeypatch.setattr(program, "_name", "program")
    console = Console(file=screen(), goes_on=True)
    for _ in range(3):
        console.print("x" * 100_000)
    err = capsys.readouterr().err
    assert err.startswith(f"program: standard output cannot be written: {why}")
    assert err.endswith("; the work goes on, and prints no more\n") and err.count("\n") == 1


def test_what_only_shows_something_ends_silently_with_a_closed_pipe(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        Console(file=broken_pipe()).print("x")
    assert ended.value.code == 128 + 13 and capsys.readouterr() == ("", "")


@pytest.mark.parametrize("screen", [full_disk, closed])
def test_what_only_shows_something_fails_with_a_line_where_it_cannot_be_written(screen, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        Console(file=screen()).print("x")
    assert ended.value.code == FAILED and capsys.readouterr().err.count("\n") == 1


def test_a_live_display_on_a_screen_that_fails_does_not_end_the_work(capsys) -> None:
    console = Console(file=full_disk(), force_terminal=True, goes_on=True)
    with Live(Line("x"), console=console, refresh_per_second=50, redirect_stdout=False) as live:
        for number in range(5):
            live.update(Line(str(number)), refresh=True)
            console.print("y")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_standard_error_that_fails_is_nobodys_fault(monkeypatch, capsys) -> None:
    Console(file=full_disk(), stderr=True).print("x")
    for stream in (full_disk(), closed_file(), None):
        monkeypatch.setattr("sys.stderr", stream)
        complain("program", "x")
        monkeypatch.undo()
    assert capsys.readouterr() == ("", "")


def test_what_an_ascii_terminal_lacks_is_written_as_an_escape() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(file=file, width=200).print("runs/запуски")
    assert file.buffer.getvalue() == rb"runs/\u0437\u0430\u043f\u0443\u0441\u043a\u0438" + b"\n"


def test_help_is_printed_as_everything_is(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        OneLineParser(prog="program").print_help(broken_pipe())
    assert ended.value.code == 128 + 13
    OneLineParser(prog="program").print_help()
    assert capsys.readouterr().out.startswith("usage: program [-h]\n")
