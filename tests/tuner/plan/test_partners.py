"""What is timed for a plan has company, as a trial will; the company leaves with it."""

from __future__ import annotations

import psutil
import pytest

from trainable.runtime import Runtime
from tuner.plan import partners, processes, throughput
from tuner.plan.throughput import speeds


@pytest.fixture(autouse=True)
def speed_of_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let partners be started here, and little be timed beside them."""
    monkeypatch.setattr(throughput, "TIMED_SECONDS", 0.05)


def test_partners_train_within_the_block_and_are_gone_after_it(toy_base) -> None:
    before = set(psutil.Process().children())
    with partners.training(toy_base, 1) as together:
        assert together == 1 and len(set(psutil.Process().children()) - before) == 1
    assert set(psutil.Process().children()) <= before  # no child is left, not even a dead one


def test_without_partners_no_process_is_started(toy_base, monkeypatch) -> None:
    monkeypatch.setattr(processes.subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    with partners.training(toy_base, 0) as together:
        assert together == 0


def test_a_partner_that_cannot_train_is_not_counted(toy_base, monkeypatch) -> None:
    monkeypatch.setattr(partners.sys, "executable", "/bin/false")
    with partners.training(toy_base, 1) as together:
        assert together == 0


def test_the_usual_speed_is_a_mean_and_no_higher_than_the_best(toy_base) -> None:
    found = speeds(toy_base, Runtime())
    assert found is not None and 0 < found.usual <= found.best and found.together == 1


def test_a_plan_says_a_span_where_the_machine_is_busy(capsys, monkeypatch, tmp_path) -> None:
    from tuner import run
    from tuner.cli import plan_text

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan_text, "speeds", lambda config, runtime, slots: throughput.Speeds(4000.0, 2000.0, slots))
    assert run.main(["--space", "parameter_golf", "--scale", "proxy", "--dry-run", "--no-audit", "--trials", "4"]) == 0
    said = capsys.readouterr().out
    assert "speed: 4,000 tokens/s here at best, 2,000 on average as busy as it is now" in said
    assert "1 min 7 s to 2 min 13 s a trial, with its start (2% of it) and evaluations (" in said
    assert ", 256 ms a step: " in said
