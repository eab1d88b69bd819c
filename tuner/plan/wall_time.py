"""Wall time of a search on so many slots: its schedule simulated, with the campaign's own early stopping.

A closed formula (``plan.expected_share``) is too low where trials are few: a trial is judged against those that reached
its rung before it, so the first ones pass. How many go on depends on the order of arrival and on no number of slots;
what more slots change is the time. Values are drawn at random here; who is ahead at a rung mostly ends ahead
(``standing.py``), without which predictive termination would stop nobody. That the sampler learns less when more trials
run at once is not in it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import mean

from trainable.seeds import derived
from tuner.early_stopping import PREDICTIVE, Stopper
from tuner.plan.cost import Plan
from tuner.plan.simulated_clock import SimulatedClock
from tuner.plan.standing import Standings

REPEATS = 20  # schedules that an expectation is the mean of
MOST_TRIALS = 1000  # of a simulated schedule; a longer search is more of the same
LOOKING_AT_ALL = ("median", PREDICTIVE)  # rules that look at all trials anew each time
FEWEST_SLOTS = 20  # below which they are not scaled down with the trials: they would not come out even
JITTER = 0.02  # trials of one cost still differ by so much in speed; without it, waves would stay in step for ever


@dataclass(frozen=True)
class SearchTime:
    """A search in units of one whole trial: wall time, compute of all trials, and wall time if nothing were stopped."""

    wall: float
    compute: float
    wall_unstopped: float


NOTHING = SearchTime(0.0, 0.0, 0.0)  # of a search that is over


def expect(plan: Plan, stopper: str, fidelity: str, repeats: int = REPEATS) -> SearchTime:
    """The mean over simulated schedules of a search whose trials cost the same. ``stopper`` as in ``STOPPERS``.

    Of a search with more than ``MOST_TRIALS`` trials a part is simulated, with as many less slots where they are many.
    """
    each = 10 if stopper in LOOKING_AT_ALL else 1
    part = min(1.0, MOST_TRIALS / each / plan.trials)
    slots = max(min(plan.slots, FEWEST_SLOTS), round(plan.slots * part))
    simulated = replace(plan, trials=round(plan.trials * part), slots=slots)
    runs = [simulate(simulated, stopper, fidelity, seed) for seed in range(repeats)]
    whole = runs if stopper == "none" else [simulate(simulated, "none", fidelity, seed) for seed in range(repeats)]
    scaled = slots / plan.slots / part
    return SearchTime(
        mean(run.seconds for run in runs) * scaled,
        mean(run.busy_seconds for run in runs) / part,
        mean(run.seconds for run in whole) * scaled,
    )


def simulate(plan: Plan, stopper: str, fidelity: str, seed: int) -> SimulatedClock:
    """One schedule; its clock counts in whole trials instead of seconds.

    A trial has the same speed under every rule: so one that stops trials never ends later than one that does not.
    """
    rule = Stopper(stopper, "val_loss", plan.rungs, protected=frozenset(["trial-0"]))
    clock, left = SimulatedClock(), iter(range(plan.trials))
    standings = Standings(random.Random(derived(seed, "simulated schedule")))
    speeds = random.Random(derived(seed, "simulated speeds"))
    costs = plan.costs(fidelity)

    def train(number: int) -> Iterator[float]:
        slowness = speeds.uniform(1 - JITTER, 1 + JITTER)  # drawn in the order in which trials start
        for rung, cost in zip([*plan.rungs, plan.budget], costs, strict=True):
            yield cost * slowness
            key = f"trial-{number}"
            value = standings.next(key, rung)
            if rule.ends(key, {"milestone": rung, "val_loss": value}):
                return
        rule.finished(key, value)

    def start() -> Iterator[float] | None:
        number = next(left, None)
        return None if number is None else train(number)

    clock.run(start, plan.slots)
    return clock
