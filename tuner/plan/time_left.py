"""The time that a campaign still takes: what is to come, simulated from what its own trials have shown.

A mean of the ended trials is far too low in a short search: those that are stopped end first, one trial may be left on
one slot while others are idle, and the confirmation that follows trains to the end. So the rest of the campaign is
played many times in its slots (``simulated_clock.py``), as the plan of a whole one is (``wall_time.py``). Each time the
trials to come get the measured pace of trials that ran, and are judged at the rungs by the campaign's own rule beside
the values that were seen there (``rungs_to_come.py``). So a future in which no trial completes, which has nothing to
confirm, is as likely as it is. ``python -m benchmarks.time_left`` says how far off it is, and
``benchmarks.time_left_recorded`` of real campaigns.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean, stdev

from results.design import Design
from results.statistics.ablation import num_runs
from results.statistics.confirmation import Round
from results.statistics.judgement import EndedRun
from results.store.row_types import TrialRow
from results.store.statuses import ABLATE
from trainable.seeds import derived
from tuner.plan.known import Known, ToCome, Underway, is_confirming
from tuner.plan.looks import BASE, Looks
from tuner.plan.pace import AFTER_THE_SEARCH, Pace, TrialCourse
from tuner.plan.rungs_to_come import RungsToCome
from tuner.plan.simulated_clock import SimulatedClock, Trial

REPEATS = 60  # futures that are played; with many trials to come fewer, as they then differ less
FEWEST_REPEATS = 10
MOST_TRIALS = 400  # of a future that is played; more of them are more of the same
LEAST = 0.05  # part of a way that an overdue trial still has before it
JITTER = 0.02  # by so much trials of one pace differ
TRIES = 20  # paces that are drawn for a trial that has not reported, until one is slow enough
# SD of a run's noise as a part of the SD of a search's completed values, before a look has measured it: 0.11 and 0.05
# in the golf and nGPT replays (results/recorded/), more where early stopping has left only good trials.
NOISE, NOISE_SPREAD = 0.15, 0.7  # the second: SD of its logarithm
FEWEST_OF_A_SPREAD = 4  # values
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Span:
    """Seconds that are left: the middle of the futures, and the range that four in five of them lie in."""

    low: float
    middle: float
    high: float

    def after(self, seconds: float) -> Span:
        """Return the time left once ``seconds`` more have passed."""
        return Span(*(max(0.0, each - seconds) for each in (self.low, self.middle, self.high)))

    def at_most(self, seconds: float) -> Span:
        """Return the time left where something else ends the campaign after ``seconds``."""
        return Span(*(min(each, max(0.0, seconds)) for each in (self.low, self.middle, self.high)))


def time_left(
    come: ToCome,
    rows: Sequence[TrialRow],
    live: set[str],
    now: datetime,
    at_rungs: Mapping[str, Mapping[float, float]],
    round: Round | None = None,
) -> Span | None:
    """Estimate the time until the campaign's last run has ended; None before any trial has reported (no pace yet).

    ``live`` are the keys of the trials that run now. ``at_rungs`` are the values by which trials were judged: key ->
    rung -> value. ``round`` is the confirmation as it stands, once the search is
    over.
    """
    known = Known.of(come, rows, live, now, at_rungs, round)
    if not known.paces:
        return None
    repeats = max(FEWEST_REPEATS, min(REPEATS, 20 * REPEATS // max(1, come.to_start)))
    ends = sorted(_Future(known, random.Random(derived(0, "time left", future))).seconds() for future in range(repeats))
    return Span(*(ends[round_half(part * (repeats - 1))] for part in QUANTILES))


def round_half(place: float) -> int:
    """The nearest whole number."""
    return math.floor(place + 0.5)


class _Future:
    """One way that the rest of the campaign may go."""

    def __init__(self, known: Known, draw: random.Random) -> None:
        self.known, self.come, self.draw, self.clock = known, known.come, draw, SimulatedClock()
        drift = math.exp(draw.gauss(0.0, known.drift))
        self.pool = [pace.slower(drift) for pace in draw.choices(known.paces, k=len(known.paces))]
        ended = {key: value for value, key in known.completed}
        if known.base[1] is not None:
            ended[known.base[0]] = known.base[1]
        come = self.come
        self.rungs = RungsToCome(
            come.stopper, come.course.rungs, known.at_rungs, known.base[0], draw, come.budget, ended
        )
        self.completed = list(known.completed)
        self.arms = {key: pace.slower(drift) for key, pace in known.arms.items()}
        self.recorded = {name: pace.slower(drift) for name, pace in known.recorded.items()}

    def seconds(self) -> float:
        """Return the seconds until it is over."""
        self._search()
        if self.come.confirm is not None and (looks := self._looks(self.come.confirm)) is not None:
            for wanted in looks[1].run(self.draw):
                self._confirm(looks[0], wanted)
            if self.come.ablate and looks[1].winner is not None:
                self._ablate(looks[0][looks[1].winner], self.come.confirm)
        return self.clock.seconds

    # --- the search ---------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        known, first = self.known, list[Trial]()
        for underway in known.running:
            if underway.searched:
                pace = underway.pace or self._pace_of_silent(underway)
                first.append(self._train(underway.row, underway.spent, underway.since, pace, fresh=not underway.pace))
        for row in known.waiting:
            pace = self.arms.get(row["key"]) or self._drawn()
            first.append(self._train(row, row["spent"] or 0.0, 0.0, pace, fresh=True))
        to_start = self.come.to_start
        played = min(to_start, MOST_TRIALS)
        trials = iter([*first, *(self._new(number) for number in range(played))])
        busy = self.clock.busy_seconds
        self.clock.run(lambda: next(trials, None), self.come.slots)
        if to_start > played:
            each = (self.clock.busy_seconds - busy) / (len(first) + played)
            self.clock.seconds += each * (to_start - played) / self.come.slots

    def _new(self, number: int) -> Trial:
        planned = self.come.planned
        if number >= len(planned):
            return self._train(None, 0.0, 0.0, self._drawn(), fresh=True)
        name, budget = planned[number]
        pace = self.recorded.get(name) or self._drawn(name)
        return self._train(None, 0.0, 0.0, pace, fresh=True, budget=budget)

    def _drawn(self, recorded_id: str | None = None) -> Pace:
        """The pace of one of the trials that ran; for a recorded run at the size of that."""
        found = self.draw.choice(self.pool).slower(self.draw.uniform(1 - JITTER, 1 + JITTER))
        work = None if recorded_id is None else self.come.work.get(recorded_id)
        return found if work is None else found.for_work(work)

    def _pace_of_silent(self, underway: Underway) -> Pace:
        """The pace of a trial that has not reported: one by which it would not have done so until now."""
        course, budget = self._way(underway.row)
        upto = course.milestones(budget)[0] if course.milestones(budget) else budget
        slowest, most = None, 0.0
        for _ in range(TRIES):
            pace = self._drawn(underway.row["recorded_id"])
            takes = self.known.start + pace.seconds(course, budget, 0.0, upto)
            if takes > underway.since:
                self.pool.append(pace)
                return pace
            if takes > most:
                slowest, most = pace, takes
        assert slowest is not None
        slow = slowest.slower((1 + self.draw.expovariate(4.0)) * underway.since / most)
        self.pool.append(slow)
        return slow

    def _way(self, row: TrialRow | None, budget: float | None = None) -> tuple[TrialCourse, float]:
        own = None if row is None else row["budget"]
        searched = row is None or not (is_confirming(row) or row["stage"] == ABLATE)
        return self.come.course if searched else AFTER_THE_SEARCH, budget or own or self.come.budget

    def _train(
        self, row: TrialRow | None, spent: float, since: float, pace: Pace, fresh: bool, budget: float | None = None
    ) -> Iterator[float]:
        """A trial of the search from where it is."""
        course, budget = self._way(row, budget)
        key = f"future {self.draw.random()}" if row is None else row["key"]
        breaks = self._breaks() * budget
        head, after = self.known.start if fresh else 0.0, spent
        for upto in [*(rung for rung in course.rungs if spent < rung < budget), budget]:
            seconds = head + pace.seconds(course, budget, after, upto)
            if after < breaks < upto:
                yield max(LEAST * seconds, seconds * (breaks - after) / (upto - after) - since)
                return
            yield max(LEAST * seconds, seconds - since)
            if upto < budget and self.rungs.ends(key, upto):
                return
            head, since, after = 0.0, 0.0, upto
        self.rungs.finished(key)
        if key != self.known.base[0]:
            self.arms.setdefault(key, pace)  # that of one that runs is there, as fast as the machine is in this future
            self.completed.append((self._value(), key))

    def _breaks(self) -> float:
        """The part of its budget at which a trial fails; infinite where it does not."""
        failed = self.known.failed
        if failed and self.draw.random() < len(failed) / (self.known.ended + 1):
            return self.draw.choice(failed)
        return math.inf

    def _value(self) -> float:
        """The objective of a trial that has completed in this future: as one of those that were seen."""
        values, base = [value for value, _ in self.known.completed], self.known.base[1]
        if len(values) < 2:
            return (values[0] if values else base or 0.0) + self.draw.gauss(0.0, self._spread())
        return self.draw.choice(values) + self.draw.gauss(0.0, 0.3 * self._spread())

    def _spread(self) -> float:
        """SD of the values of completed trials, the base among them; 1 where it is not known.

        Two or three that have completed may be as good as one another: then that of a rung stands for it.
        """
        base = self.known.base[1]
        ends = [value for value, _ in self.known.completed] + ([] if base is None else [base])
        rungs = sorted(self.come.course.rungs, reverse=True)
        at_rungs = ([values[r] for values in self.known.at_rungs.values() if r in values] for r in rungs)
        seen = next((values for values in (ends, *at_rungs) if len(values) >= FEWEST_OF_A_SPREAD), ends)
        return (stdev(seen) if len(seen) > 1 else 0.0) or 1.0

    # --- the confirmation ---------------------------------------------------------------------------------------------

    def _looks(self, design: Design) -> tuple[list[str], Looks] | None:
        """The confirmation of this future, and its candidates' keys; None where it has nothing to confirm."""
        found = self.known.round
        if found is not None:
            return self._looks_of(found)
        best = sorted(self.completed)[: design.candidates]
        if not best:
            return None
        spread, noise = self._spread(), self._noise()
        base = self.known.base[1]
        level = self._value() if base is None else base
        effects = [self._effect(value - level, spread, noise) for value, _ in best]
        design = replace(design, candidates=len(best))
        return [key for _, key in best], Looks(design, effects, noise, level)

    def _noise(self) -> float:
        return self._spread() * NOISE * math.exp(NOISE_SPREAD * self.draw.gauss(0.0, 1.0))

    def _effect(self, seen: float, spread: float, noise: float) -> float:
        """A true difference, of two single runs that differ by ``seen``: it is smaller, as the best are lucky too."""
        kept = spread**2 / (spread**2 + 2 * noise**2)
        return self.draw.gauss(kept * seen, noise * math.sqrt(2 * kept))

    def _looks_of(self, found: Round) -> tuple[list[str], Looks]:
        """The rest of the confirmation that has begun."""
        judgement, runs = found.judgement, dict[tuple[int, int], EndedRun]()
        places = {seed: number for number, seed in enumerate(found.seeds)}
        arms = {found.base: BASE} | {arm: number for number, arm in enumerate(found.candidates)}
        for (arm, seed), run in found.runs.items():
            runs[arms[arm], places[seed]] = run
        noise = self._noise()
        if judgement.noise is not None and judgement.noise.sd > 0:
            freedom = judgement.noise.degrees_of_freedom
            noise = judgement.noise.sd * math.sqrt(freedom / max(0.1, self.draw.gammavariate(freedom / 2, 2.0)))
        seen = {key: value for value, key in self.known.completed}
        spread, effects = self._spread(), list[float]()
        based = [run.value for (arm, _), run in runs.items() if arm == BASE and run.value is not None]
        level = fmean(based) if based else (self.known.base[1] or 0.0)
        for arm in found.candidates:
            verdict = judgement.verdicts.get(arm)
            if verdict is not None and verdict.difference is not None and verdict.pairs:
                effects.append(self.draw.gauss(verdict.difference, noise * math.sqrt(2 / verdict.pairs)))
            else:
                effects.append(self._effect(seen.get(arm, level) - (self.known.base[1] or level), spread, noise))
        return list(found.candidates), Looks(found.design, effects, noise, level, runs)

    def _confirm(self, keys: Sequence[str], wanted: Sequence[tuple[int, int]]) -> None:
        """Train the runs that a look waits for; those that run already come first."""
        running = {(u.row["arm"], u.row["seed"]): u for u in self.known.running if is_confirming(u.row)}
        found, jobs = self.known.round, list[Callable[[], Trial]]()
        for arm, number in wanted:
            key = self.known.base[0] if arm == BASE else keys[arm]
            seed = None if found is None or number >= len(found.seeds) else found.seeds[number]
            underway = running.get((key, seed))
            job = self._whole(key, 0.0 if underway is None else underway.since)
            jobs.insert(0 if underway is not None else len(jobs), job)
        self._run(jobs)

    def _whole(self, key: str, since: float = 0.0) -> Callable[[], Trial]:
        """A run after the search, which nobody judges on its way."""
        pace = self.arms.get(key) or self._drawn()
        course = TrialCourse(at_the_end=self.come.course.at_the_end)
        seconds = self.known.start + pace.seconds(course, self.come.budget, 0.0, self.come.budget)
        return lambda: iter([max(LEAST * seconds, seconds - since)])

    def _run(self, jobs: Sequence[Callable[[], Trial]]) -> None:
        left = iter(jobs)
        self.clock.run(lambda: job() if (job := next(left, None)) is not None else None, self.come.slots)

    def _ablate(self, key: str, design: Design) -> None:
        """Take the winner apart: how many of its changes matter is not known."""
        changes = self.known.changes.get(key) or max(self.known.changes.values(), default=1)
        runs = self.draw.randint(*num_runs(changes, design.first)) - self.known.ablated
        self._run([self._whole(key)] * max(1, runs))
