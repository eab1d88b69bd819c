"""What campaigns are taken to have found: that it names real runs, and that the log's own noise bears it out."""

from __future__ import annotations

import json

import pytest

import search_spaces
from results import Store, load
from results.replays.comparison import Comparison, compare
from results.statistics.leaderboard import ESTABLISHED
from search_spaces import recorded
from search_spaces.effects import findings, reference, replay_record


@pytest.fixture(params=search_spaces.names())
def space(request):
    return search_spaces.load(request.param)


def replayed(name: str, folder) -> Comparison:
    """The comparison of a campaign's replay in which nothing has been trained yet."""
    record = replay_record(search_spaces.load(name), "as_run", "proxy")
    store = Store.create(folder, {"space": name, "scale": "proxy", "recorded": record}, {})
    return compare(load(store.folder))


def test_findings_name_recorded_runs_that_can_be_run(space):
    found = findings(space.name)
    runnable = {run.id for run in recorded.load(space) if run.base is not None}
    named = [step.id for step in found.progression] + list(found.not_scores)
    named += [name for effect in found.effects for name in (effect.treatment, effect.control)]
    assert set(named) <= runnable
    assert not found.plateau or found.plateau.keys() == space.scales.keys()


def test_both_sides_of_an_effect_are_different_trainings_at_every_scale(space):
    for effect in findings(space.name).effects:
        for scale in space.scales:
            one, other = (
                recorded.resolve(space, name, "as_run", scale).key("") for name in (effect.treatment, effect.control)
            )
            assert one != other, effect.name


def test_a_record_is_json_that_says_all_there_is_to_compare(space):
    record = replay_record(space, "as_logged", "proxy")
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert [run["id"] for run in record["runs"]] == [run.id for run in recorded.load(space)]
    first = reference(recorded.load(space)).id
    assert [run["id"] for run in record["runs"] if run["base"] == recorded.ROOT] == [first]


def test_a_campaign_without_findings_has_none():
    found = findings("speedrun")
    assert not (found.progression or found.effects or found.not_scores or found.plateau)


def test_campaigns_measured_themselves_against_their_base():
    firsts = {name: reference(recorded.load(search_spaces.load(name))).id for name in search_spaces.names()}
    assert (firsts["parameter_golf"], firsts["ngpt"], firsts["speedrun"]) == ("BASE", "2", "record")


# --- groups -----------------------------------------------------------------------------------------------------------


def test_replicates_are_what_knobs_without_effect_leave_of_the_log():
    record = replay_record(search_spaces.load("parameter_golf"), "as_logged", "proxy")
    assert record["replicates"] == [
        ["BASE", "N3"],
        ["N2", "NF8"],
        ["NF14", "W0a"],
        ["W0b", "W0e"],
        ["B4", "C9", "C13", "C14"],
        ["C10", "C11", "D3", "D10"],
        ["D6", "E10"],
        ["E8", "F8", "F10"],
    ]
    assert ["BASE", "N3"] not in record["same"], "read as logged, head diversity does something"
    assert ["C10", "D10"] in record["same"] or any({"C10", "D10"} <= set(group) for group in record["same"])


def test_what_is_fixed_for_a_whole_replay_makes_more_runs_the_same():
    space = search_spaces.load("parameter_golf")
    before, after = (
        replay_record(space, "as_run", "proxy", overrides)["same"]
        for overrides in (None, {"model.logit_softcap": 30.0})
    )
    assert ["B4", "C9", "C13", "C14"] in before
    assert ["B4", "C4", "C5", "C6", "C9", "C13", "C14"] in after


# --- what the log establishes -----------------------------------------------------------------------------------------


def test_the_noise_of_the_parameter_golf_log_is_0_0018_with_13_degrees_of_freedom(tmp_path):
    noise = replayed("parameter_golf", tmp_path / "replay").recorded_noise
    assert noise is not None
    assert (round(noise.sd, 4), noise.degrees_of_freedom) == (0.0018, 13)
    assert round(noise.smallest_difference(1, 1), 4) == 0.0055


def test_the_parameter_golf_log_establishes_its_effects_and_119_scores(tmp_path):
    comparison = replayed("parameter_golf", tmp_path / "replay")
    assert set(comparison.effects["recorded_verdict"]) == {ESTABLISHED} and len(comparison.effects) == 15
    never = comparison.runs.loc[comparison.runs["recorded"].isna(), "id"]
    assert never.tolist() == ["N5", "N6", *(f"U{i}" for i in range(1, 11)), "P10-E2..E25"]
    assert comparison.runs["recorded"].notna().sum() == 119


def test_the_parameter_golf_progression_goes_from_base_to_the_best(tmp_path):
    progression = replayed("parameter_golf", tmp_path / "replay").progression.set_index("id")
    changes = progression["recorded_difference"].round(3)
    assert (changes["N2"], changes["NF14"], changes["A7"], changes["G1"]) == (-0.022, -0.010, -0.019, -0.013)
    known = progression["recorded_verdict"] == ESTABLISHED
    assert progression.index[known].tolist() == ["N2", "NF14", "A7", "B4", "D6", "G1"]


def test_five_rounds_of_ngpt_are_on_the_plateau_and_its_log_establishes_nothing(tmp_path):
    comparison = replayed("ngpt", tmp_path / "replay")
    runs = comparison.runs
    assert runs.loc[runs["recorded_plateau"], "id"].tolist() == ["3", "4", "5", "11", "15"]
    assert comparison.recorded_noise is not None and comparison.recorded_noise.degrees_of_freedom == 1
    assert not comparison.effects["recorded_verdict"].eq(ESTABLISHED).any()
