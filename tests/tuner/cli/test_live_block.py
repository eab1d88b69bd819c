"""The live block at fixed sizes of a terminal: what stands in it, and that it fits."""

from __future__ import annotations

import io
import re

import pytest

from results.design import Design
from results.statistics.confirmation import Round
from results.statistics.judgement import EndedRun
from terminal.console import Console
from tuner.campaign import running_curves
from tuner.cli import live_block
from tuner.cli.live_display import Display


def shown(display: Display) -> list[str]:
    out = Console(file=io.StringIO(), width=display.console.width, height=display.console.height, force_terminal=True)
    out.print(display.render(), soft_wrap=False)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.file.getvalue()).splitlines()


def display_of(search, width=80, height=24) -> Display:
    return Display(search, Console(file=io.StringIO(), width=width, height=height, force_terminal=True))


@pytest.mark.parametrize("slots", [1, 2, 8, 40])
def test_it_fits_a_terminal_whatever_runs(bench, play, slots) -> None:
    search = bench.search(trials=100, slots=slots)
    displays = [display_of(search, width, height) for width, height in ((80, 24), (200, 50), (60, 10))]
    play(search).run(6 * slots)
    for display in displays:
        width, height, lines = display.console.width, display.console.height, shown(display)
        assert len(lines) < height and all(len(line) <= width for line in lines)
        listed = sum(line.startswith("  trial ") for line in lines)
        more = [line for line in lines if line.endswith("more running")]
        assert listed + (int(more[0].split()[1]) if more else 0) == len(search.live)
        assert listed >= 1


def test_before_anything_has_completed_the_one_ahead_is_named(bench, play, result_of) -> None:
    search = bench.search(trials=4, slots=2)
    assert "no trial has completed yet" in shown(display_of(search))
    for value in (1.7, 1.6):
        key = search.next().key
        search.start(key)
        search.report(key, result_of(bench.base, 60.0, value, "running"))
    number = search.ledger.entries[key].number
    assert f"no trial has completed yet; ahead at steps 60: trial {number}, 1.6000" in shown(display_of(search))


def test_a_running_trial_stands_beside_the_best_at_the_same_place(bench, result_of) -> None:
    search = bench.search(trials=4, slots=2)
    began = search.ledger.now()
    search.ledger.now = lambda: began
    best, other = (search.next().key for _ in range(2))
    for key in (best, other):
        search.start(key)
    for milestone, value in ((60.0, 1.9), (120.0, 1.7)):
        search.report(best, result_of(bench.base, milestone, value, "running"))
    done = result_of(bench.base, 240.0, 1.5, "completed")
    search.report(best, done)
    search.end(best, done)
    search.report(other, result_of(bench.base, 60.0, 2.0, "running"))
    lines = shown(display_of(search))
    number = search.ledger.entries[other].number
    (line,) = [line for line in lines if line.startswith(f"  trial {number} ")]
    assert line.split() == ["trial", str(number), "0:00", "60/240", "steps", "2.0000", "+0.1000", "█", "640"]
    assert any(line.startswith("best val_bpb 1.5000 ▇▄▁") for line in lines)


def test_curves_are_of_the_training_loss_where_that_is_known_of_all_shown(bench, result_of, monkeypatch) -> None:
    monkeypatch.setattr(running_curves, "LEAST_SECONDS", 0.0)
    search = bench.search(trials=4, slots=2)
    one, other = (search.next().key for _ in range(2))
    for key, losses in ((one, [9.0, 5.0, 4.0, 3.0]), (other, [9.0, 6.0, 5.5, 5.0])):
        search.start(key)
        curve = {"steps": [1, 25, 45, 60], "tokens": None, "values": {"loss": losses}, "units": {"loss": "nats/token"}}
        search.report(key, {**result_of(bench.base, 60.0, 2.0, "running"), "curve": curve})
    lines = shown(display_of(search))
    assert any("training loss" in line for line in lines)
    first, second = (line for line in lines if line.startswith("  trial "))
    assert " █▅▁ " in first and " ██▆ " in second, "on one scale, without the first stretch"
    search.ledger.entries[one].outline = ()  # as after a resume, until it reports again
    assert not any("training loss" in line for line in shown(display_of(search)))


def test_whoever_ended_without_a_line_of_its_own_is_named_with_why(bench, play) -> None:
    search = bench.search(trials=12, slots=2)
    display = display_of(search)
    play(search).run()
    gone = [e for e in search.ledger.entries.values() if e.status == "stopped"]
    log = list(display.log)
    assert gone and log and len(log) <= live_block.LOG_LINES
    printed = display.console.file.getvalue()
    assert all(f"trial {e.number} stopped at {e.row['reason']}" in "\n".join(log) for e in gone[-1:])
    assert not any(line in printed for line in log), "it stands in the block, or above it, not in both"


def test_the_confirmation_shows_what_it_waits_for_and_intervals_as_they_narrow(bench, play) -> None:
    search = bench.search(trials=6, slots=2, stopper="none", confirm=Design(2, 2, 4))
    tune, display, seen = play(search), display_of(search), []
    while tune.step():
        seen.append("\n".join(shown(display)))
    assert any("confirmation 2x2..4: 0 of 6 runs until the next look" in text for text in seen)
    during = [text for text in seen if "confirmation 2x2..4" in text]
    assert all(re.search(r"\b6 completed\b", text) for text in during), "of the search alone"
    assert any("confirm: trial" in text for text in seen)


def test_an_interval_of_each_candidate_lies_on_one_scale_with_the_base_at_zero() -> None:
    runs = {}
    for seed, shift in ((1, 0.0), (2, 0.02), (3, 0.01)):
        runs |= {("base", seed): EndedRun(2.0 + shift), ("a", seed): EndedRun(1.97 - shift)}
        runs |= {("b", seed): EndedRun(1.93 - shift)}
    found = Round(0, Design(2, 3, 9), "base", ("a", "b"), (1, 2, 3, 4), runs, 9)
    out = Console(file=io.StringIO(), width=80)
    for line in live_block.interval_lines(found, {"a": 7, "b": 12}):
        out.print(line, soft_wrap=False)
    first, second = out.file.getvalue().splitlines()
    assert re.match(r"  trial 7   -0\.0500  -0\.\d{4} \.\. \+0\.\d{4}  .*●─*┊.*goes on", first)
    assert re.match(r"  trial 12  -0\.0900  -0\.\d{4} \.\. \+0\.\d{4}  .*●─*┊.*goes on", second)
    assert first.index("┊") == second.index("┊") and first.index("●") > second.index("●")
    assert live_block.waits_for(found) == "confirmation 2x3..9: 9 of 12 runs until the next look; looked at 3 seeds"


@pytest.mark.parametrize(("design", "said"), [(Design(1, 2, 2), "the verdict"), (Design(1, 2, 9), "the next look")])
def test_the_last_look_is_the_verdict(design, said) -> None:
    found = Round(0, design, "base", ("a",), tuple(range(design.last)), {("base", 0): EndedRun(2.0)}, 2)
    assert live_block.waits_for(found) == f"confirmation {design}: 1 of 4 runs until {said}"
