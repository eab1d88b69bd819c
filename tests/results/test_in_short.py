"""Results as Python shows them: one line each, and a name that they lack is answered with the nearest one."""

from __future__ import annotations

import copy

import pytest

from results import load
from results.compare import compare
from results.questions.compare import compare_campaigns
from tuner.python.campaign import Campaign


def test_a_loaded_campaign_is_one_line(campaign) -> None:
    found = load(campaign)
    done = int((found.trials["status"] == "completed").sum())
    assert repr(found) == f"<Loaded 'made-up': {len(found.trials)} trials, {done} completed>"


def test_a_comparison_is_one_line_with_its_frames(campaign) -> None:
    said = repr(compare_campaigns([load(campaign), load(campaign)]))
    assert said.startswith("<Campaigns: 2 campaigns side by side; rows of its frames: campaigns (2), ")
    assert len(said) < 250 and "\n" not in said


def test_a_replay_beside_its_record_is_one_line() -> None:
    said = repr(compare(load("results/recorded/ngpt")))
    assert said.startswith("<Comparison: ngpt beside its record; rows of its frames: runs (") and "\n" not in said


@pytest.mark.parametrize("door", [load, Campaign])
@pytest.mark.parametrize(("asked", "meant"), [("trails", "trials"), ("nexts_steps", "next_steps")])
def test_a_name_that_is_not_there_is_answered_with_the_nearest(campaign, door, asked, meant) -> None:
    with pytest.raises(AttributeError, match=f"has no attribute '{asked}': did you mean '{meant}'\\?"):
        getattr(door(campaign), asked)


def test_best_of_a_loaded_campaign_leads_to_the_winner(campaign) -> None:
    with pytest.raises(AttributeError, match="'Loaded' has no attribute 'best': did you mean 'winner'"):
        _ = load(campaign).best
    with pytest.raises(AttributeError, match=r"valid names: .*winner"):
        _ = load(campaign).xxxxxxxx


def test_it_can_be_copied(campaign) -> None:
    found = load(campaign)
    assert repr(copy.copy(found)) == repr(found)
