"""The plan of what comes after a search at a larger scale: its runs, what moves, and its time and price."""

from __future__ import annotations

import pytest

from results.design import DEFAULT
from tuner import run
from tuner.cli import plan_text
from tuner.plan.throughput import Speeds

GOLF = ("--space", "parameter_golf", "--no-audit", "--dry-run", "--results", "runs", "--scale", "proxy")
FULL = ("--confirm-scale", "full", "--device", "h100", "--slots", "8")


@pytest.fixture
def planned(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr(plan_text, "speeds", lambda config, runtime, slots: Speeds(5000.0, 5000.0))

    def plan(*arguments: str) -> list[str]:
        assert run.main([*GOLF, *arguments]) == 0
        assert not (tmp_path / "runs").exists(), "a plan writes nothing"
        return str(capsys.readouterr().out).splitlines()

    return plan


def after(lines: list[str]) -> str:
    at = next(place for place, line in enumerate(lines) if line.startswith("then at scale"))
    return "\n".join(lines[at:])


def test_the_runs_at_the_larger_scale_and_their_price_stand_after_those_of_the_search(planned) -> None:
    lines = planned(*FULL, "--price", "2.5")
    said = after(lines)
    runs = f"{DEFAULT.fewest_runs} to {DEFAULT.most_runs} runs on fresh seeds"
    assert f"then at scale full: the best 6 and the base, 7 trials, then {runs}" in said
    assert "optimizer.head_lr: x 0.125, by its rule of width" in said
    assert "cost: about" in said and lines[-1].startswith("dry run: nothing was trained")
    assert sum(line.startswith("cost: about") for line in lines) == 2
    assert any(line.startswith("confirm at scale full: then the best 6 and the base there") for line in lines)
    assert not any(line.startswith("then at scale") for line in planned())


def test_more_runs_take_longer_and_none_on_fresh_seeds_less(planned) -> None:
    def time(*arguments: str) -> str:
        return next(line for line in after(planned(*FULL, *arguments)).splitlines() if line.startswith("  time: "))

    assert len({time(), time("--carry", "20"), time("--no-confirm")}) == 3
    assert "7 trials\n" in after(planned(*FULL, "--no-confirm"))


def test_settings_that_make_the_size_are_named_as_the_larger_scales_own(planned) -> None:
    said = after(planned(*FULL, "--set", "data.batch_tokens=2048", "--constraint", "parameters<=1e9"))
    assert "as the scale has it: data.batch_tokens, --constraint parameters<=1000000000" in said


def test_a_speed_that_is_given_is_not_taken_for_that_of_the_larger_scale(planned) -> None:
    said = after(planned("--confirm-scale", "full", "--tokens-per-second", "9000", "--price", "2"))
    assert "speed: not known: --tokens-per-second is of the search's own scale" in said
    assert "time: not known" in said and "cost: not known" in said


def test_the_arithmetic_of_a_run_is_told_against_that_of_the_search(planned) -> None:
    said = after(planned("--confirm-scale", "replay"))
    times = float(said.partition("arithmetic of a run: ")[2].partition(" times")[0].replace(",", ""))
    assert 1 < times < 3.01  # three times the tokens, of a smaller vocabulary
    assert "time: " in said
