from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from results.questions.one_ruler import one_ruler
from tests.results.conftest import START


def reports(row, *values):
    """One at each of the rungs 60 and 120."""
    moments = zip((60.0, 120.0), values, strict=False)
    common = {"key": row["key"], "attempt": 1, "at": START}
    return [{**common, "step": int(rung), "milestone": rung, "val_bpb": value} for rung, value in moments]


@pytest.fixture
def stopped_search(make_trial, written):
    """Twelve trials whose ends are their values at the rungs less 0.5: half are stopped at 60, two at 120."""

    def make(noise: float = 0.0, ends: int = 6):
        rows, told = [], []
        random = np.random.default_rng(0)
        for number in range(ends + 8):
            at = [2.0 + 0.1 * number, 1.8 + 0.1 * number + noise * random.normal()]
            if number < ends:
                rows.append(
                    make_trial(number, "completed", at[1] - 0.3 + noise * random.normal(), {"model.tied": False})
                )
                told += reports(rows[-1], *at)
            else:
                far = number < ends + 2
                rung = {"rung": 120.0 if far else 60.0}
                rows.append(make_trial(number, "stopped", at[far], {"model.tied": False}, **rung))
                told += reports(rows[-1], *at[: 1 + far])
        return written(rows, told)

    return make


def test_what_was_stopped_is_predicted_from_its_last_rung_by_those_that_went_on(stopped_search):
    campaign = stopped_search()
    ruler = one_ruler(campaign.trials, campaign.reports)
    assert ruler.at == "the end" and ruler.measured == 6
    assert ruler.values == pytest.approx([1.5 + 0.1 * number for number in range(14)])
    assert "8 predicted from their last rung" in ruler.about
    assert "1 predicted from its last rung" in replace(ruler, measured=13).about


def test_a_prediction_over_two_rungs_is_less_sure_than_over_one_and_a_measured_end_is_sure(stopped_search):
    campaign = stopped_search(noise=0.05)
    spread = one_ruler(campaign.trials, campaign.reports).spread
    assert (spread[:6] == 0).all() and (spread[6:8] > 0).all() and spread[8:].min() > spread[6:8].max()


def test_where_few_have_ended_all_are_compared_at_the_latest_rung_that_enough_have_come_to(stopped_search):
    campaign = stopped_search(ends=4)
    ruler = one_ruler(campaign.trials, campaign.reports)
    assert ruler.at == "120 steps" and ruler.measured == 6 and len(ruler) == 12


def test_what_diverged_is_worse_than_any_value_and_what_crashed_says_nothing(make_trial, written):
    rows = [make_trial(number, "completed", 2.0 + number, {"model.tied": False}) for number in range(5)]
    rows += [make_trial(5, "diverged", None, {"model.tied": False}), make_trial(6, "crashed"), make_trial(7, "running")]
    campaign = written(rows)
    ruler = one_ruler(campaign.trials, campaign.reports)
    assert ruler.values.tolist() == [2.0, 3.0, 4.0, 5.0, 6.0, np.inf]
    assert ruler.about == (
        "6 trials at the end: 5 measured, 1 diverged (counted as the worst); "
        "left out: 1 crashed, 1 without a value at a rung yet"
    )


def test_runs_of_a_confirmation_and_replayed_ones_are_no_trials_of_the_search(make_trial, written):
    rows = [make_trial(number, "completed", 2.0, {"model.tied": False}) for number in range(5)]
    rows.append(make_trial(5, "completed", 1.0, stage="confirm", arm=rows[0]["key"], round=0, design="1x2"))
    rows.append(make_trial(6, "completed", 1.0, recorded_id="A", reading="as_run"))
    campaign = written(rows)
    assert len(one_ruler(campaign.trials, campaign.reports)) == 5


def test_an_empty_campaign_has_nothing_to_compare(written):
    campaign = written([])
    assert len(one_ruler(campaign.trials, campaign.reports)) == 0
