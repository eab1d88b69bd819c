"""Times of a plan as they are printed: the same start of Ray is in all of them."""

from __future__ import annotations

import io
import random

from terminal.console import Console
from tuner.cli.search_times import SearchTimes, print_time
from tuner.plan.cost import plan_search
from tuner.plan.trial_cost import RAY_SECONDS
from tuner.plan.wall_time import expect


def test_the_time_without_early_stopping_is_never_the_shorter_one(toy_base) -> None:
    draw = random.Random(3)
    for _ in range(40):
        plan = plan_search(toy_base, draw.randint(1, 20), draw.randint(1, 24), "asha", 10 ** draw.uniform(1, 6))
        times = SearchTimes(plan, plan, expect(plan, "asha", "truncate", repeats=2))
        with_it, without = times.search(), times.unstopped()
        assert with_it is not None and without is not None
        assert all(a <= b for a, b in zip(with_it, without, strict=True)), plan
        assert min(without) > RAY_SECONDS, "its trials come after the start of Ray too"


def test_both_are_printed(toy_base) -> None:
    plan = plan_search(toy_base, 4, 4, "asha", 1e6)  # moments beside the start of Ray
    console = Console(file=(stream := io.StringIO()), width=200)
    print_time(console, SearchTimes(plan, plan, expect(plan, "asha", "truncate", repeats=2)), "asha", "slot-hours")
    first, second = stream.getvalue().splitlines()
    assert first.startswith("time: about 15 s, ") and second == "time without early stopping: 15 s"
