"""Runs on other seeds after a search, as the next start's sampler is told of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainable.config import Budget
from tuner.campaign.trial_end import TrialEnd
from tuner.campaign.trials import Ledger
from tuner.proposals.sampler import Sampler


@pytest.fixture
def ledger(bench) -> Ledger:
    return Ledger(bench.store(), bench.space, bench.base, "data", "version")


@pytest.fixture
def values(toy_space, toy_base) -> dict:
    return toy_space.values_of(toy_base) | {"optimizer.matrix_lr": 0.2}


def run(ledger: Ledger, values: dict, value: float, result_of, stage: str = "", status="completed", **changes) -> None:
    config = replace(ledger.space.config(ledger.base, values), **changes)
    entry = (
        ledger.open_again(values, config, {"stage": stage, "arm": "a", "round": 1, "design": "3x3"})
        if stage
        else ledger.open(values, config, 0)
    )
    ledger.start(entry.key)
    if status == "completed":
        ledger.report(entry.key, result_of(config, config.budget.amount, value, "completed"))
    ledger.close(entry.key, status)


def test_completed_runs_that_differ_from_a_trial_in_their_seed_alone(ledger, values, result_of, bench) -> None:
    run(ledger, values, 2.0, result_of)
    run(ledger, values, 2.1, result_of, "confirm", seed=101)
    run(ledger, values, 2.2, result_of, "confirm", seed=102, status="crashed")
    run(ledger, values, 1.5, result_of, "confirm", seed=103, budget=Budget(steps=480))  # at a larger scale
    again = Ledger(bench.store(), bench.space, bench.base, "data", "version")
    again.restore()
    for book in (ledger, again):
        assert [(end.values, end.value) for end in book.replicates()] == [(values, 2.1)]
        assert [end.value for end in book.ends()] == [2.0]


def test_the_gaussian_process_asks_for_something_else_once_it_knows_that_its_best_was_lucky(
    toy_space, toy_base, values
) -> None:
    base = toy_space.values_of(toy_base)
    rates = [0.01 * 1.3**number for number in range(12)]
    ends = [TrialEnd(base | {"optimizer.matrix_lr": rate}, "completed", 2 + rate) for rate in rates]
    lucky = replace(ends[6], value=1.0)
    again = [replace(lucky, value=2.15) for _ in range(3)]

    def asked(replicates) -> dict:
        earlier = [*ends[:6], lucky, *ends[7:]]
        sampler = Sampler(toy_space, base, 0, earlier=earlier, base_known=True, method="gp", replicates=replicates)
        for _ in range(16 - len(earlier)):  # what is left of the first points
            asked = sampler.ask()
            sampler.tell(asked.number, "completed", 3.0)
        rates = [sampler.ask().values["optimizer.matrix_lr"] for _ in range(6)]
        return sum(abs(rate - lucky.values["optimizer.matrix_lr"]) < 0.05 for rate in rates)

    assert asked([]) > asked(again)
