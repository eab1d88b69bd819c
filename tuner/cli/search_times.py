"""Times of a search in a plan: its trials, the runs after them, and all of it, in words."""

from __future__ import annotations

from dataclasses import dataclass

from results.inert_changes import without_effect
from terminal.console import Console
from terminal.counted import counted, counted_range
from terminal.duration import about, duration, durations
from tuner.plan import cost as plan
from tuner.plan import wall_time
from tuner.plan.left import Left
from tuner.plan.trial_cost import RAY_SECONDS


@dataclass(frozen=True)
class SearchTimes:
    """Seconds of a search and of what comes after it: with the machine at its best, and as busy as it is now."""

    cost: plan.Plan
    late: plan.Plan
    expected: wall_time.SearchTime

    def search(self) -> list[float] | None:
        """Return the seconds from Ray's start until the last trial has ended."""
        return self._until(self.expected.wall)

    def unstopped(self) -> list[float] | None:
        """Return the same seconds of a search in which no trial is stopped."""
        return self._until(self.expected.wall_unstopped)

    def _until(self, wall: float) -> list[float] | None:
        whole = [self.cost.whole_seconds, self.late.whole_seconds]
        return [RAY_SECONDS + wall * each for each in whole if each is not None] or None

    def later(self, fewest: float, most: float) -> list[float] | None:
        """Return the seconds of runs one after another, at least and at most."""
        runs = [self.cost.run_seconds, self.late.run_seconds]
        found = [number * each for number, each in zip((fewest, most), runs, strict=True) if each is not None]
        return found or None

    def in_all(self, fewest: float, most: float) -> list[float] | None:
        """Return the seconds of the search and of the runs after it, at least and at most."""
        search, later = self.search(), self.later(fewest, most)
        return None if search is None or later is None else [a + b for a, b in zip(search, later, strict=True)]


def print_time(console: Console, times: SearchTimes, stops: str, counted: str) -> None:
    """Print how long a search will take and what it will cost, as its schedule was simulated."""
    expected, search, unstopped = times.expected, times.search(), times.unstopped()
    compute = f"{amount(expected.compute)} of {times.cost.trials:,} whole trials"
    if search is None or unstopped is None:
        console.print(f"time: about {amount(expected.wall)} times that of a whole trial ({compute})")
        return
    whole = [each for each in (times.cost.whole_seconds, times.late.whole_seconds) if each is not None]
    hours = span(*(expected.compute * each / 3600 for each in whole))
    ray = f"{duration(RAY_SECONDS)} of it Ray's start"
    console.print(f"time: about {durations(*search)}, {ray}, {hours} {counted} ({compute})")
    if stops != "none":
        console.print(f"time without early stopping: {durations(*unstopped)}")


def print_later(console: Console, times: SearchTimes, left: Left, slots: int) -> tuple[float, float]:
    """Print the runs after the search and the time of all, and return how many come one after another at each end."""
    confirms, apart = left.confirmation, left.ablation
    waves = [confirms.waves(slots), apart.waves(slots)]
    fewest, most = (sum(ends) for ends in zip(*waves, strict=True))
    if left.question.spec.confirm:
        if not confirms.runs[1]:
            console.print("confirmation: no more runs")
        else:
            why = f" ({confirms.why_a_span})" if confirms.why_a_span else ""
            console.print(f"confirmation: {_runs(confirms.runs)} more on fresh seeds{why}, {_takes(times, waves[0])}")
        if left.question.spec.ablate:
            console.print(f"ablation: {_ablation(left, times, waves[1])}")
        console.print(f"in all: about {_in_all(times, fewest, most)}")
    print_own_pace(console, left)
    return fewest, most


def _ablation(left: Left, times: SearchTimes, waves: tuple[float, float]) -> str:
    apart, knobs = left.ablation, counted(len(left.question.space.knobs), "knob")
    if not apart.runs[1]:
        return "no more runs"
    runs = f"{_runs(apart.runs)} more, {_takes(times, waves)}"
    if apart.trial is None:
        return f"{runs}: none without a winner, most where it changes all of {knobs}"
    changed = f"{counted(apart.changes or 0, 'knob')}{without_effect(apart.inert)}"
    return f"{runs}: the winner, trial {apart.trial}, changes {changed}"


def print_own_pace(console: Console, left: Left) -> None:
    """Print the time by the campaign's own runs: what its report says of the same step."""
    if left.pace is None:
        return
    from results.questions.to_come import seconds_to_come  # with pandas, which the plan of a new campaign does without

    pace = left.pace
    found = seconds_to_come(pace, left.question.trials, left.confirmation, left.ablation)
    if found is not None and found[1] > 0:
        console.print(f"by this campaign's own runs so far: {about(*found)} with {counted(pace.slots, 'slot')}")


def _runs(ends: tuple[int, int]) -> str:
    return counted_range(*ends, "run")


def _takes(times: SearchTimes, waves: tuple[float, float]) -> str:
    later = times.later(*waves)
    return f"{span(*waves)} times that of a whole trial" if later is None else durations(*later)


def _in_all(times: SearchTimes, fewest: float, most: float) -> str:
    found, wall = times.in_all(fewest, most), times.expected.wall
    if found is None:
        return f"{span(wall + fewest, wall + most)} times that of a whole trial"
    return durations(found[0], found[-1])


def span(low: float, high: float) -> str:
    """Two amounts, or one where they are printed alike."""
    return amount(low) if amount(low) == amount(high) else f"{amount(low)} to {amount(high)}"


def amount(number: float) -> str:
    """A number in three digits, or whole."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
