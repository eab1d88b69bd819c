"""The start of a program, tried in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from terminal import program

ROOT = Path(__file__).parents[2]
SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]
LOADING = (
    "import os, time\nfrom terminal import program\nprogram.begin('program')\nos.kill(os.getpid(), {})\ntime.sleep(60)"
)


def run(code: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120, **options
    )


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_there_is_anything_to_lose_is_one_line(number: signal.Signals) -> None:
    ended = run(LOADING.format(int(number)))
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number, "", "program: interrupted\n")


def test_python_without_docstrings_which_ray_needs_is_refused_in_one_line() -> None:
    begins = "from terminal import program\nprogram.begin('program')\nprint('goes on')"
    ended = run(begins, env={**os.environ, "PYTHONOPTIMIZE": "2"})
    assert (ended.returncode, ended.stdout) == (2, "") and len(ended.stderr.splitlines()) == 1
    assert "PYTHONOPTIMIZE=2" in ended.stderr
    assert run(begins, env={**os.environ, "PYTHONOPTIMIZE": "1"}).stdout == "goes on\n"


def ignoring(number: signal.Signals):
    return lambda: signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_is_ignored_at_the_start_stays_ignored(number: signal.Signals) -> None:
    code = LOADING.format(int(number)).replace("time.sleep(60)", "print('went on')")
    ended = run(code, preexec_fn=ignoring(number))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "went on\n", "")


@pytest.mark.parametrize("number", SIGNALS)
def test_within_the_block_a_signal_is_raised_and_a_second_ends_at_once(number: signal.Signals) -> None:
    code = f"""
import os, time
from terminal import program
try:
    with program.raising("program"):
        try:
            os.kill(os.getpid(), {int(number)})
            time.sleep(60)
        finally:
            print("undone", flush=True)
            if {{}}:
                os.kill(os.getpid(), {int(number)})
                time.sleep(60)
except KeyboardInterrupt as ended:
    print(program.exit_code(ended))
"""
    once, twice = run(code.replace("{}", "False")), run(code.replace("{}", "True"))
    assert (once.returncode, once.stdout, once.stderr) == (0, f"undone\n{128 + number}\n", "")
    assert (twice.returncode, twice.stdout) == (128 + number, "undone\n")
    assert twice.stderr == "program: interrupted again: ended at once\n"


def test_a_signal_that_a_callback_has_swallowed_ends_the_block_all_the_same() -> None:
    with pytest.raises(program.Interrupted) as ended, program.raising("program"), suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)  # the interpreter ignores what a callback raises
    assert program.exit_code(ended.value) == 143


def test_an_interrupt_that_a_library_made_of_a_signal_has_its_exit_code() -> None:
    with pytest.raises(KeyboardInterrupt) as ended, program.raising("program"):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None
    assert program.exit_code(ended.value) == 143


def test_a_signal_waits_for_the_end_of_what_is_not_to_be_left_half_way() -> None:
    done = []
    with pytest.raises(program.Interrupted) as ended, program.raising("program"):
        with program.deferring("program"):
            signal.raise_signal(signal.SIGHUP)
            done.append(1)
        done.append(2)
    assert done == [1] and program.exit_code(ended.value) == 129


def test_a_signal_comes_before_the_error_of_what_it_waited_for() -> None:
    with pytest.raises(program.Interrupted), program.raising("program"), program.deferring("program"):
        signal.raise_signal(signal.SIGHUP)
        raise ValueError("Ray did not start")


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with program.raising("program"):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_ctrl_c_without_a_number_is_130() -> None:
    with program.raising("program"):
        pass
    assert program.exit_code(KeyboardInterrupt()) == 130


@pytest.mark.parametrize("descriptors", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_descriptor_that_is_closed_is_not_given_to_the_next_file(descriptors: tuple[int, ...], tmp_path) -> None:
    code = f"""
from terminal import program
program.begin("program")
import sys
with open({str(tmp_path / "file")!r}, "w") as file:
    assert file.fileno() > 2, file.fileno()
    print("err", file=sys.stderr, flush=True)
    from terminal.console import Console
    console = Console(goes_on=True)
    console.print("out")
    console.print("out")
    file.write(sys.stdin.read() or "done")
"""
    ended = run(code, stdin=subprocess.DEVNULL, preexec_fn=lambda: [os.close(number) for number in descriptors])
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "file").read_text() == "done"
    said = "program: standard output cannot be written: Bad file descriptor; the work goes on, and prints no more\n"
    lines = ("err\n" if 2 not in descriptors else "") + (said if 1 in descriptors and 2 not in descriptors else "")
    assert ended.stderr == lines
