"""The winner against the other candidates, and the base's spread beside theirs."""

from __future__ import annotations

import random

import pytest
from scipy.stats import f

from results import load
from results.design import Design
from results.page.verdict import sentence_of
from results.plain_rows import plain_rows
from results.statistics.between_candidates import leads, seed_spread
from results.statistics.confirmation import Round, rounds
from results.statistics.f_test import two_sided_chance
from results.statistics.judgement import EndedRun
from results.verdicts import verdict_lines

SEEDS = (7, 8, 9)


def a_round(base, *candidates, design="3x3", seeds=SEEDS) -> Round:
    arms = {"base": base, **{f"c{place}": values for place, values in enumerate(candidates)}}
    runs = {(arm, seed): EndedRun(v) for arm, values in arms.items() for seed, v in zip(seeds, values, strict=False)}
    names = tuple(arm for arm in arms if arm != "base")
    return Round(0, Design.parse(design), "base", names, tuple(seeds), runs, len(runs))


@pytest.mark.parametrize(("ratio", "a", "b"), [(12.6, 2, 6), (0.1, 2, 6), (1.0, 1, 1), (3.0, 8, 24), (1e5, 1, 30)])
def test_the_chance_is_that_of_the_f_distribution(ratio, a, b) -> None:
    assert two_sided_chance(ratio, a, b) == pytest.approx(2 * min(f.cdf(ratio, a, b), f.sf(ratio, a, b)), abs=1e-12)


def test_a_base_that_varies_more_than_its_candidates_is_found(a=(0.0, 0.03, -0.03)) -> None:
    found = seed_spread(a_round(a, (-0.5, -0.502, -0.498), (-0.4, -0.401, -0.4), (-0.4, -0.399, -0.402)))
    assert found is not None and found.differs and found.base_is_noisier
    assert found.base_sd == pytest.approx(0.03) and found.candidates_sd < 0.002 and found.seeds == 3
    alike = seed_spread(
        a_round((0.0, 0.002, -0.002), (-0.5, -0.502, -0.498), (-0.4, -0.403, -0.4), (-0.4, -0.399, -0.4))
    )
    assert alike is not None and not alike.differs


def test_what_a_seed_does_to_all_makes_no_false_alarm() -> None:
    draw = random.Random(5)
    wrong = 0
    for _ in range(400):
        shifts = [draw.gauss(0, 1) for _ in SEEDS]
        base, *arms = ([mean + shift + draw.gauss(0, 1) for shift in shifts] for mean in (0, -9, -9, -9))
        wrong += (known := seed_spread(a_round(base, *arms))) is not None and known.differs
    assert wrong <= 0.06 * 400


def test_the_best_of_equal_candidates_is_told_apart_in_one_of_twenty_at_most() -> None:
    draw = random.Random(3)
    told = 0
    for _ in range(400):
        arms = ([draw.gauss(-400, 1) for _ in SEEDS] for _ in range(3))
        told += leads(a_round([draw.gauss(0, 1) for _ in SEEDS], *arms))[-1].told_apart
    assert told <= 0.05 * 400, "the one that it is furthest ahead of, picked afterwards"


def test_one_that_is_far_ahead_is_told_apart_also_beside_a_noisy_base() -> None:
    found = leads(a_round((0.0, 0.3, -0.3), (-9.0, -9.001, -9.0), (-8.0, -8.0, -8.001), (-7.0, -7.001, -7.001)))
    assert [(lead.arm, lead.told_apart, lead.seeds) for lead in found] == [("c1", True, 3), ("c2", True, 3)]
    assert found[0].ahead == pytest.approx(1.0, abs=0.001)


def test_nobody_is_compared_without_another_candidate_or_a_winner() -> None:
    assert leads(a_round((0.0, 0.001, 0.0), (-9.0, -9.001, -9.0), design="1x3")) == []
    assert leads(a_round((0.0, 0.001, 0.0), (9.0, 9.001, 9.0), (8.0, 8.0, 8.001), (8.0, 8.0, 8.001))) == []


def test_report_page_and_python_say_it_alike(confirmed_with) -> None:
    results = load(confirmed_with)
    found = rounds(plain_rows(results.rows))
    text = "\n".join(verdict_lines(results))
    page = sentence_of(results, results.rows, found).sentence
    lead = "Trial 1 is ahead of trial 2 by 0.0050 on the same 3 fresh seeds (95 % interval "
    caution = "But the base varies more than its candidates: SD 0.0300 beside 0.00"
    for said in (text, page):
        assert lead in said and "not told apart, either may be the better one" in said
        assert caution in said and "may be too narrow." in said
    won, verdicts = results.winner().iloc[0], results.verdicts()
    assert won["runner_up"] == 2 and won["ahead"] == pytest.approx(0.005) and not won["told_apart"]
    assert won["ahead_low"] < 0 < won["ahead_high"]
    assert verdicts["behind_winner"].tolist()[1] == pytest.approx(0.005) and verdicts["behind_winner"].isna()[0]
    assert (verdicts["spread_chance"] <= 0.05).all() and verdicts["base_sd"].iloc[0] == pytest.approx(0.03)


@pytest.fixture
def confirmed_with(tmp_path, make_trial):
    """A confirmation with a noisy base and two candidates that lie close together."""
    from results import Store
    from tests.results.conftest import KNOBS

    store = Store.create(tmp_path / "noisy", {"space": "parameter_golf"}, KNOBS)
    changes = ({}, {"optimizer.matrix_lr": 0.06}, {"model.tied": False})
    rows = [make_trial(n, "completed", 1.9 - 0.1 * n, changes[n]) for n in range(3)]
    values = ((1.9, 1.93, 1.87), (1.5, 1.502, 1.499), (1.505, 1.504, 1.507))
    for n in range(3):
        for place, seed in enumerate(SEEDS):
            columns = {"stage": "confirm", "arm": rows[n]["key"], "round": 0, "design": "2x3", "seed": seed}
            rows.append(make_trial(10 + 3 * n + place, "completed", values[n][place], changes[n], **columns))
    for row in rows:
        store.write_trial(row)
    return store.folder
