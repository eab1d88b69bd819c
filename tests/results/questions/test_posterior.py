"""The sampler behind ``importance``, asked about made-up trials of which it is known what they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from results.questions.components import basis
from results.questions.knobs import SearchedKnob, active_in_the_domain
from results.questions.posterior import _Chain, posterior

KNOBS = [SearchedKnob(f"knob_{number}", "uniform") for number in range(4)]
ALL = np.ones((10, 4), dtype=bool)


def made_up(trials=60, seed=0):
    random = np.random.default_rng(seed)
    places = random.random((trials, 4))
    found = basis(KNOBS, list(places.T), [np.ones(trials, dtype=bool)] * 4, ALL)
    return places, found, random


def shares(found, values, parts):
    return posterior(found, values, np.array(parts), np.random.default_rng(0)).shares(found)


def test_the_knob_that_makes_the_values_has_them_and_the_rest_is_noise() -> None:
    places, found, random = made_up()
    values = places[:, 1] + 0.29 * random.normal(size=60)  # half of the variance
    drawn = shares(found, values[:, None], [1.0])
    assert drawn.mean(axis=0)[1] == pytest.approx(0.5, abs=0.15) and drawn.mean(axis=0)[[0, 2, 3]].max() < 0.1
    assert (drawn.sum(axis=1) < 1).all()


def test_a_knob_that_moves_early_values_only_has_none_of_the_end() -> None:
    places, found, random = made_up(120)
    end = places[:, 1] + 0.05 * random.normal(size=120)
    early = end + 1.0 + 1.5 * places[:, 0] + 0.05 * random.normal(size=120)
    end[np.argsort(early)[40:]] = np.nan  # the stopper goes by what is early
    drawn = shares(found, np.stack([early, end], axis=1), [0.25, 1.0]).mean(axis=0)
    assert drawn[1] > 0.8 and drawn[0] < 0.1
    alone = shares(found, early[:, None], [1.0]).mean(axis=0)
    assert alone[0] > alone[1], "by early values alone it would be the first"


def test_trials_that_were_stopped_say_what_those_that_ended_do_not() -> None:
    places, found, random = made_up(60, seed=1)
    end = places[:, 2] + 0.05 * random.normal(size=60)
    early = end + 0.5 + 0.1 * random.normal(size=60)
    end[np.argsort(early)[12:]] = np.nan
    both = np.stack([early, end], axis=1)
    few = np.flatnonzero(~np.isnan(end))
    places_of_few = [places[few, number] for number in range(4)]
    of_few = basis(KNOBS, places_of_few, [np.ones(len(few), dtype=bool)] * 4, ALL)
    certain = (shares(found, both, [0.25, 1.0])[:, 2] > 0.3).mean()
    assert certain > 0.95 > (shares(of_few, both[few, 1:], [1.0])[:, 2] > 0.3).mean()


def test_what_a_conditional_knob_makes_is_shared_with_what_switches_it_on() -> None:
    kind = SearchedKnob("kind", "choice", options=("deep", "flat"))
    depth = SearchedKnob("kind.depth", "uniform", when={"kind": ["deep"]})
    domain = active_in_the_domain([kind, depth])
    assert domain[:, 0].all() and domain[:, 1].mean() == pytest.approx(0.5, abs=0.03)
    chosen = np.array([0.0, 1.0, 0.0, 1.0])
    found = basis([kind, depth], [chosen, chosen / 2], [chosen >= 0, chosen == 0], domain)
    own = found.owners[found.group == 1][0]
    assert own == pytest.approx([0.125, 0.375], abs=0.02), (
        "Shapley values of depth where kind is deep, half of the time"
    )
    assert found.owners[found.group == 0][0] == pytest.approx([1.0, 0.0])


def test_a_knob_under_two_conditions_is_active_where_both_hold() -> None:
    first = SearchedKnob("a", "choice", options=(True, False))
    second = SearchedKnob("b", "choice", options=("x", "y", "z"), when={"a": [True]})
    third = SearchedKnob("c", "log", 1.0, 10.0, when={"b": ["x", "y"]})
    live = active_in_the_domain([first, second, third]).mean(axis=0)
    assert live == pytest.approx([1.0, 1 / 2, 1 / 3], abs=0.03)


def test_a_variance_is_drawn_by_the_whole_covariance_of_the_values(monkeypatch) -> None:
    places, found, random = made_up(40)
    end = places[:, 1] + places[:, 0] * places[:, 2] + 0.05 * random.normal(size=40)
    values = np.stack([end + 0.5 + 0.1 * random.normal(size=40), end], axis=1)
    values[:9, 1] = np.nan
    chain = _Chain(found, values, np.array([0.25, 1.0]), np.random.default_rng(0))
    draw = chain._variance
    for _ in range(20):
        chain.step()
    groups = chain._groups()
    used = chain._used(groups)
    design, seen = chain._stacked(used)
    asked = iter(groups)
    changed = 0

    def drawn(inner, along, old, prior):
        nonlocal changed
        place, _ = next(asked)
        inverse = np.linalg.inv(np.eye(len(seen)) + design * chain.priors[used] @ design.T)
        columns = design[:, np.searchsorted(used, place)]
        assert inner == pytest.approx(columns.T @ inverse @ columns, rel=1e-6, abs=1e-8)
        assert along == pytest.approx(columns.T @ inverse @ seen, rel=1e-6, abs=1e-6)
        new = draw(inner, along, old, prior)
        changed += new != old
        return new

    monkeypatch.setattr(chain, "_variance", drawn)
    chain._choose(groups, used, design.T @ design, design.T @ seen)
    assert changed > 3 and next(asked, None) is None


def test_a_group_that_acts_is_judged_as_if_it_did_not() -> None:
    places, found, random = made_up(40)
    values = (places[:, 1] + 0.2 * random.normal(size=40))[:, None]
    chain = _Chain(found, values, np.array([1.0]), np.random.default_rng(0))
    (place, prior), old = chain.groups[1], 0.3
    columns, seen = chain.features[:, place] / 0.3, chain.values[:, 0] / 0.3
    drawn: list[list[float]] = []
    for was in (0.0, old):
        inverse = np.linalg.inv(np.eye(len(seen)) + was * columns @ columns.T)
        asked = columns.T @ inverse @ columns, columns.T @ inverse @ seen, was, prior
        chain.random = np.random.default_rng(0)
        drawn.append([chain._variance(*asked) for _ in range(100)])
    assert drawn[0] == drawn[1] and len(set(drawn[0])) > 2
