"""A program as a train function: its words, its reports, its failures, and that nothing of it is left."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import psutil
import pytest

import tuner
from tuner.own.running import Running, Task

PYTHON = shlex.quote(sys.executable)


def task(**values) -> Task:
    return Task({**values, "seed": 3, "steps": 10}, 10, (5.0,), "loss")


def program(folder: Path, text: str, arguments: str = "{lr} {seed}"):
    (folder / "train.py").write_text(text)
    return tuner.command_line(f"{PYTHON} train.py {arguments}", cwd=folder)


def test_lines_of_two_numbers_are_reports_and_the_last_number_is_the_value(tmp_path) -> None:
    text = "import sys\nprint('lr', sys.argv[1])\nprint('5 0.5')\nprint('loss 3')\nprint(sys.argv[2])\nprint('0.25')\n"
    running = Running(program(tmp_path, text), task(lr=0.1))
    assert [(r["milestone"], r["loss"]) for r in (running.next(), running.next())] == [(5.0, 0.5), (10.0, 0.25)]


def test_a_value_is_one_word_whatever_it_holds_and_no_shell_sees_it(tmp_path) -> None:
    text = "import sys\nopen('seen', 'w').write(repr(sys.argv[1:]))\nprint(1)\n"
    evil = "a b; touch bad $(touch bad) 'x"
    Running(program(tmp_path, text, "--x={lr} {flag}"), task(lr=evil, flag=True)).next()
    assert (tmp_path / "seen").read_text() == repr([f"--x={evil}", "True"]) and not (tmp_path / "bad").exists()


def test_a_failure_ends_in_the_exit_code_and_has_the_last_lines_of_stderr(tmp_path) -> None:
    text = "import sys\nfor i in range(50): print('line', i, file=sys.stderr)\nsys.exit(4)\n"
    with pytest.raises(RuntimeError) as raised:
        Running(program(tmp_path, text), task(lr=1)).next()
    lines = str(raised.value).splitlines()
    assert lines[0] == "line 30" and lines[-1] == "the program ended with exit code 4: line 49"


def test_a_signal_a_program_that_is_not_there_and_no_number_are_failures(tmp_path) -> None:
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    with pytest.raises(RuntimeError, match="ended by signal 9, and said nothing on stderr"):
        Running(program(tmp_path, killed), task(lr=1)).next()
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        Running(tuner.command_line("no-such-program"), task()).next()
    with pytest.raises(ValueError, match="returned None and reported nothing"):
        Running(program(tmp_path, "print('done')"), task(lr=1)).next()


def test_a_program_ends_with_its_trial_and_so_does_what_it_has_started(tmp_path) -> None:
    text = (
        "import subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
        "open('child', 'w').write(str(child.pid))\nprint('5 1.0', flush=True)\ntime.sleep(600)\n"
    )
    running = Running(program(tmp_path, text), task(lr=1))
    assert running.next()["status"] == "running"
    child = int((tmp_path / "child").read_text())
    running.stop()
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    assert not running._thread.is_alive()


def test_a_line_that_cannot_be_run_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be split into words: No closing quotation"):
        tuner.command_line("train 'x")
    with pytest.raises(ValueError, match="the command line is empty"):
        tuner.command_line("  ")
    with pytest.raises(ValueError, match=r"has \{lrr\}: did you mean 'lr'"):
        tuner.command_line("x {lrr}").check(["lr", "seed"], is_here=False)


def test_a_command_line_that_is_no_text_is_refused_and_reads_no_standard_input() -> None:
    with pytest.raises(ValueError, match="the command line is None but must be text"):
        tuner.command_line(None)
