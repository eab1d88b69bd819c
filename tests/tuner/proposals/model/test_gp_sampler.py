"""Proposals of the Gaussian process: where they lie, what they avoid, that seed and rows decide them."""

from __future__ import annotations

import pytest

from search_spaces.domains import Choice, LogUniform, Uniform
from search_spaces.own_train import OwnSpace
from search_spaces.space import Knob
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.model import goal, models
from tuner.proposals.sampler import Sampler

SPACE = OwnSpace(
    "toy", "?", "loss", {},
    (
        Knob("rate", LogUniform(0.001, 1.0), "x"),
        Knob("kind", Choice("a", "b", "c"), "x"),
        Knob("part", Uniform(0.0, 1.0), "x", {"kind": ("b",)}),
        Knob("width", Uniform(0.0, 1.0), "x"),
    ),
)  # fmt: skip
BASE = {"rate": 0.5, "kind": "a", "width": 0.5}


def loss(values: dict) -> float:
    """Lowest, at 1, for kind b with a rate of .03 and a part of .8."""
    from math import log10

    kind = {"a": 0.5, "b": abs(values.get("part", 0) - 0.8), "c": 0.8}[values["kind"]]
    return 1 + (log10(values["rate"]) + 1.5) ** 2 + kind


def search(count: int, seed: int = 0, fails=lambda values: False, earlier=(), seconds=lambda values: 1.0) -> list[dict]:
    sampler = Sampler(SPACE, BASE, seed, method="gp", earlier=earlier)
    found = []
    for _ in range(count):
        asked = sampler.ask()
        found.append(asked.values)
        failed = fails(asked.values)
        told = ("out of memory", None) if failed else ("completed", loss(asked.values))
        sampler.tell(asked.number, *told, attributes={"train_seconds": seconds(asked.values)})
    return found


@pytest.fixture(scope="module")
def searched() -> list[dict]:
    return search(36)


def test_it_finds_the_option_and_the_knob_that_only_acts_under_it(searched) -> None:
    best = min(searched, key=loss)
    assert best["kind"] == "b" and loss(best) < 1.15 and loss(searched[0]) > 2
    assert sum(loss(values) < 1.5 for values in searched[-12:]) >= 6


def test_every_proposal_is_a_point_of_the_space_and_none_comes_twice(searched) -> None:
    for values in searched:
        assert ("part" in values) == (values["kind"] == "b")
        assert all(value in SPACE.knob(path).domain for path, value in values.items())
    assert len({tuple(values.items()) for values in searched[16:]}) == 20


def test_the_seed_and_the_rows_decide_them(searched) -> None:
    earlier = [TrialEnd(values, "completed", loss(values)) for values in searched[:20]]
    resumed = search(4, earlier=earlier)
    assert search(4, earlier=earlier) == resumed
    assert search(4, seed=1, earlier=earlier) != resumed
    assert search(4, earlier=earlier[:-1]) != resumed


def test_it_keeps_away_from_where_trials_fail() -> None:
    def fails(values: dict) -> bool:
        return values["width"] > 0.4 and values["rate"] < 0.1  # most of where losses are low

    found = search(40, fails=fails)
    late = found[-15:]
    assert sum(fails(values) for values in late) <= 5
    assert any(loss(values) < 1.4 and not fails(values) for values in found)


def test_of_two_that_are_as_good_it_takes_the_one_that_trains_faster() -> None:
    found = search(36, seconds=lambda values: 100.0 if values["width"] > 0.5 else 10.0)
    late = found[-14:]
    assert sum(values["width"] <= 0.5 for values in late) >= 9, "width does nothing to the loss"


def test_points_that_are_asked_for_together_differ() -> None:
    sampler = Sampler(SPACE, BASE, 0, method="gp")
    for _ in range(20):
        asked = sampler.ask()
        sampler.tell(asked.number, "completed", loss(asked.values))
    asked = [sampler.ask().values for _ in range(20)]  # more than goal.MANY, so that some are drawn
    assert len(asked) > goal.MANY and len({tuple(values.items()) for values in asked}) == 20
    rates = sorted(values["rate"] for values in asked)
    assert rates[-1] / rates[0] > 1.5


def test_what_was_stopped_early_is_learnt_from() -> None:
    def after(rung_of_a: float) -> int:
        """Proposals with kind c after five of them were stopped with such a value at a rung."""
        sampler = Sampler(SPACE, BASE, 0, method="gp", base_known=True)
        for number in range(12):
            values = {"rate": 0.03 * 1.3**number, "kind": "a", "width": 0.5}
            sampler.add(TrialEnd(values, "completed", loss(values), {5: loss(values) + 1}))
        for number in range(5):
            sampler.add(TrialEnd({"rate": 0.04, "kind": "c", "width": number / 5}, "stopped", None, {5: rung_of_a}))
        return sum(sampler.ask().values["kind"] == "c" for _ in range(8))

    assert after(1.8) > after(4.0)


def test_asks_are_bounded_by_a_subset_of_the_history(monkeypatch) -> None:
    sizes = []
    real = models.GaussianProcess

    def counting(features, *others):
        sizes.append(len(features))
        return real(features, *others)

    monkeypatch.setattr(models, "GaussianProcess", counting)
    monkeypatch.setattr(models, "MOST", 20)
    monkeypatch.setattr(models, "FITTED_ON", 15)
    search(40)
    assert max(sizes) == 20
