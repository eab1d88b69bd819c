"""One training by a user's own function: where it stands still, how it ends, and what it is told of its mistakes."""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time

import pytest

from tuner.own import running as own_running
from tuner.own.running import Running, Stopped, Task


def task(steps: int = 100, milestones=(25.0, 50.0), **more) -> Task:
    return Task({"lr": 0.1, "seed": 3, "steps": steps}, steps, milestones, "loss", **more)


def results(train, **more) -> list[dict]:
    running, found = Running(train, task(**more)), []
    while not found or not found[-1]["done"]:
        found.append(running.next())
    return found


def test_reports_at_milestones_are_handed_on_and_the_returned_value_is_the_last() -> None:
    def train(config, report) -> float:
        assert config == {"lr": 0.1, "seed": 3, "steps": 100} and report.rungs == (25, 50)
        for step in range(10, 101, 10):
            report(step, 1 / step)
        return 0.5

    found = results(train)
    assert [(r["status"], r["milestone"], r["step"], r["loss"]) for r in found] == [
        ("running", 25.0, 30, 1 / 30), ("running", 50.0, 50, 1 / 50), ("completed", 100.0, 100, 0.5),
    ]  # fmt: skip
    assert found[-1]["tokens"] is None and found[-1]["progress"] == 1.0 and found[-1]["seconds"] > 0


def test_a_report_at_the_last_step_is_the_value_where_nothing_is_returned() -> None:
    assert results(lambda config, report: report(100, 0.25))[-1]["loss"] == 0.25


def test_what_is_to_be_highest_is_kept_negated() -> None:
    def train(config, report) -> float:
        report(30, 0.5)
        return 0.75

    assert [r["loss"] for r in results(train, maximise=True)] == [-0.5, -0.75]


def test_a_value_that_is_not_finite_is_handed_on_at_once_and_at_the_end_is_a_divergence() -> None:
    def train(config, report) -> float:
        report(3, math.nan)
        return math.inf

    first, last = results(train)
    assert first["status"] == "running" and first["milestone"] == 3 and math.isnan(first["loss"])
    assert last["status"] == "diverged" and last["reason"] == "loss is inf at the end"


def test_a_training_that_is_stopped_runs_its_finally_blocks_and_no_further() -> None:
    done: list[object] = []

    def train(config, report) -> float:
        try:
            for step in range(1, 101):
                try:
                    report(step, 1.0)
                except Exception as error:  # a careless function swallows everything that it can
                    done.append(error)
                done[:] = [step]
        finally:
            done.append("cleaned up")
        return 0.0

    running = Running(train, task())
    assert running.next()["milestone"] == 25
    running.stop()
    assert done == [24, "cleaned up"] and not running._thread.is_alive()
    with pytest.raises(Stopped):
        running.reported(26, 1.0)


def test_a_campaign_that_ends_interrupts_a_training_at_its_next_report(monkeypatch) -> None:
    monkeypatch.setattr(own_running, "LOOK_SECONDS", 0.01)
    ends = threading.Event()

    def train(config, report) -> float:
        ends.set()
        step = 0
        while True:
            step += 1 if step < 20 else 0
            if step < 20:
                report(step, 1.0)  # none of them is waited for
            time.sleep(0.01)
            if report.stopped:
                report(21, 1.0)

    running = Running(train, task(), ends.is_set)
    result = running.next()
    assert result["status"] == "interrupted" and result["loss"] is None and result["done"]
    running.stop()


def test_a_training_that_comes_to_no_report_is_left_after_a_grace(monkeypatch) -> None:
    monkeypatch.setattr(own_running, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(own_running, "GRACE_SECONDS", 0.05)
    free = threading.Event()
    running = Running(lambda config, report: float(free.wait()), task(), lambda: True)
    assert running.next()["status"] == "interrupted"
    running.stop()
    free.set()


MISTAKES = {
    "text": (lambda report: report(1, "low"), TypeError, "report's value is 'low' but must be a number"),
    "truth": (lambda report: report(1, True), TypeError, "must be a number"),
    "half a step": (lambda report: report(1.5, 1.0), TypeError, "step is 1.5 but must be a whole number"),
    "backwards": (
        lambda report: [report(5, 1.0), report(5, 1.0)] and 1.0,
        ValueError,
        "step is 5 after 5 but must rise",
    ),
    "beyond": (lambda report: report(101, 1.0), ValueError, r"in 1\.\.100, the campaign's steps"),
    "nothing": (lambda report: None, ValueError, "returned None and reported nothing"),
    "half way": (lambda report: report(20, 1.0), ValueError, "its last report was at step 20 of 100"),
    "returned text": (lambda report: "0.5", TypeError, "value that train returned is '0.5'"),
    "raised": (lambda report: 1 / 0, ZeroDivisionError, "division by zero"),
    "exit": (lambda report: sys.exit(3), RuntimeError, r"train has called sys\.exit\(3\)"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_the_function_raises_or_gets_wrong_is_raised_on_the_worker(case: str) -> None:
    does, kind, message = MISTAKES[case]
    with pytest.raises(kind, match=message):
        results(lambda config, report: does(report))


def test_numbers_of_libraries_are_numbers() -> None:
    import numpy as np
    import torch

    def train(config, report):
        report(np.int64(30), torch.tensor(0.5))
        return np.float32(0.25)

    assert [r["loss"] for r in results(train)] == [0.5, 0.25]


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (Stopped(), "train has raised Stopped by itself"),
        (KeyboardInterrupt(), "train has raised KeyboardInterrupt$"),
        (GeneratorExit("gone"), "train has raised GeneratorExit: gone"),
    ],
)
def test_what_would_end_a_worker_or_look_like_its_end_is_a_crash_of_the_function(raised, says) -> None:
    def train(config, report) -> float:
        raise raised

    with pytest.raises(RuntimeError, match=says):
        results(train)


def test_threads_of_a_function_report_one_by_one_and_each_rung_is_judged_once() -> None:
    def train(config, report) -> float:
        steps, lock = iter(range(1, 101)), threading.Lock()

        def work() -> None:
            while True:
                with lock:  # the step rises, while another thread may stand at a rung
                    if (step := next(steps, None)) is None:
                        return
                    report(step, 1 / step)

        def look() -> None:
            while not done.is_set():
                with contextlib.suppress(ValueError):  # a step that is not above the last one is refused, and no more
                    report(1, 1.0)

        done = threading.Event()
        threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
        others = [threading.Thread(target=look, daemon=True) for _ in range(2)]
        for thread in (*threads, *others):
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        return 0.5

    found = results(train)
    assert [r["milestone"] for r in found] == [25.0, 50.0, 100.0]


def test_reports_of_two_threads_at_one_rung_are_one() -> None:
    running, both = Running(lambda config, report: 0.5, task()), threading.Barrier(2)
    ended: list[str] = []

    def report() -> None:
        both.wait()
        try:
            running.reported(25 + len(ended), 1.0)
            ended.append("went on")
        except ValueError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=report, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert running._said.get(timeout=60) == ("reported", 25.0)
    running._go.release()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "the second stands at no rung that nobody judges"
    assert running._said.empty() and len(ended) == 2
