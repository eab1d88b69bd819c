"""Where nobody watches, a log says that a search has begun, and in long silences what runs and how long still."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from terminal.console import Console
from tuner.cli import live_display
from tuner.cli.live_block import best_text
from tuner.cli.live_display import Display
from tuner.cli.plain_progress import LONGEST_SILENCE, SHORTEST_SILENCE, progress_line, silence
from tuner.plan.time_left import Span

DAY = 86_400.0


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until a test moves it."""

    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(live_display, "time", made)
    return made


def console(terminal: bool) -> Console:
    return Console(file=io.StringIO(), width=300, height=40, force_terminal=terminal)


def lines(out: Console) -> list[str]:
    """All of them but for those of proposals that are never trained, which the toy space makes by chance."""
    return [line for line in out.file.getvalue().splitlines() if "] proposal " not in line]


def running(bench, search, number: int) -> None:
    """Start so many trials, of which none has reported."""
    for _ in range(number):
        request = search.next()
        search.start(request.key)


def test_a_silence_grows_with_the_search_within_limits_so_that_logs_of_days_stay_short() -> None:
    assert silence(0) == SHORTEST_SILENCE and silence(20 * 300.0) == 300.0 and silence(30 * DAY) == LONGEST_SILENCE
    elapsed = said = 0.0
    while elapsed < 3 * DAY:
        elapsed, said = elapsed + silence(elapsed), said + 1
    assert said < 400


def test_of_two_objectives_the_value_so_far_is_the_lowest_and_not_the_best(make_bench, toy_space, play) -> None:
    for second, word in ((None, "best"), ("train_seconds", "lowest")):
        search = make_bench(word, replace(toy_space, second_objective=second)).search(trials=4, stopper="none")
        play(search).run()
        assert f"; {word} val_bpb 1." in progress_line(search, 5.0, None)
        assert str(best_text(search)).startswith(f"{word} val_bpb 1.")


def test_a_log_says_once_that_the_first_trial_begins_and_when_to_expect_more(bench, clock) -> None:
    search, out = bench.search(trials=4, slots=2), console(terminal=False)
    with Display(search, out):
        clock.now += 3
        running(bench, search, 2)
    (line,) = lines(out)
    assert line.startswith("[0:03] trial 0 (base) begins: steps ") and "first report at " in line
    assert "; at most 2 at once; a line when one ends, or else after 2 min to 15 min" in line


def test_after_a_silence_a_line_says_what_runs_and_not_before_the_next_one(bench, clock) -> None:
    search, out = bench.search(trials=4, slots=2), console(terminal=False)
    with Display(search, out) as display:
        display.tick()
        assert lines(out) == [], "nothing has begun"
        running(bench, search, 2)
        for seconds in (0, SHORTEST_SILENCE - 1):
            clock.now = 1000.0 + seconds
            display.tick()
        assert len(lines(out)) == 1
        clock.now = 1000.0 + SHORTEST_SILENCE
        display.tick()
        display.tick()
        clock.now += SHORTEST_SILENCE - 1
        display.tick()
    _, line = lines(out)
    assert line.startswith("[2:00] 0 of 4 trials ended; running: trial 0 (base) (")
    assert re.search(r", trial \d \(\d:\d\d\); ", line) and line.endswith(
        "; time left not known before a trial has reported"
    )


def test_a_line_that_was_printed_for_another_reason_ends_a_silence(bench, clock) -> None:
    search, out = bench.search(trials=4, slots=1), console(terminal=False)
    with Display(search, out) as display:
        running(bench, search, 1)
        clock.now += SHORTEST_SILENCE
        display.note("a worker was lost")
        display.tick()
        assert len(lines(out)) == 2
        clock.now += SHORTEST_SILENCE
        display.tick()
        assert len(lines(out)) == 3


def test_a_terminal_has_its_block_and_no_such_lines(bench, clock) -> None:
    search, out = bench.search(trials=4, slots=1), console(terminal=True)
    display = Display(search, out)  # not started: only its lines
    running(bench, search, 1)
    clock.now += 10 * LONGEST_SILENCE
    display.tick()
    assert lines(out) == []


def test_what_has_ended_the_best_and_the_time_left_are_said(bench, play) -> None:
    search = bench.search(trials=4)
    play(search).run()
    said = progress_line(search, 3700.0, Span(540.0, 600.0, 660.0))
    value = search.ledger.best().value
    assert said == f"[1:01:40] 4 of 4 trials ended; none runs; best val_bpb {value:.4f}; about 10 min left"


def test_of_many_that_run_some_are_named_with_how_far_they_are(bench) -> None:
    search = bench.search(trials=8, slots=5)
    running(bench, search, 5)
    entry = next(iter(search.live.values()))
    entry.row["spent"], entry.row["budget"] = 60.0, 240.0
    said = progress_line(search, 60.0, None)
    assert "running: trial 0 (base) at 60/240 steps (" in said and " and 2 more; " in said
    assert len(re.findall(r"trial \d", said)) == 3
