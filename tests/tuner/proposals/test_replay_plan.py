from __future__ import annotations

import pytest

import search_spaces
from search_spaces import recorded
from search_spaces.effects import reference
from tuner.proposals import replay_plan
from tuner.proposals.replay_plan import Replay, choose

GOLF = search_spaces.load("parameter_golf")


def chosen(*selections: str, seeds: int = 1) -> dict[str, int]:
    return choose(GOLF, Replay(selections, "as_run", seeds)).seeds


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        ("H1", ["H1"]),
        ("H1, BASE", ["BASE", "H1"]),
        ("phase 18", ["H1", "H2", "H3", "H4", "H5", "H6"]),
        ("H[12]", ["H1", "H2"]),
        ("phase 17,H1", ["G1", "G3", "H1"]),
    ],
)
def test_a_selection_names_rows_in_the_order_of_the_file(selection, ids):
    assert sorted(chosen(selection)) == sorted(ids)
    order = [run.id for run in recorded.load(GOLF)]
    assert list(chosen(selection)) == sorted(ids, key=order.index)


def test_all_is_every_run_with_a_config_and_says_what_it_leaves_out():
    found = choose(GOLF, Replay(("all",), "as_run"))
    assert len(found.seeds) == 131 and found.left_out == ("P10-E2..E25",)


def test_bases_are_the_rows_that_others_build_on():
    assert {"BASE", "N2", "NF14", "A7", "B4", "C10", "D6", "E8", "F6", "G1", "H1"} <= chosen("bases").keys()
    assert "H2" not in chosen("bases")


def test_the_larger_number_of_seeds_holds_for_a_row_chosen_twice():
    found = chosen("H*", "H1 x3", seeds=2)
    assert found["H1"] == 3 and found["H2"] == 2


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("H9", "no recorded run 'H9': did you mean"),
        ("phase 99", "no recorded run 'phase 99': "),
        ("Z*", r"no recorded run 'Z\*'"),
        ("", "no recorded run ''"),
        ("H1 x0", "the number of seeds must be at least 1"),
        ("P10-E2..E25", "its config was never published"),
    ],
)
def test_a_selection_that_names_nothing_is_one_clear_line(selection, message):
    with pytest.raises(ValueError, match=message) as caught:
        chosen(selection)
    assert "\n" not in str(caught.value)


def planned(*selections: str, reading: str = "as_run", overrides=None) -> list[replay_plan.Planned]:
    return replay_plan.plan(GOLF, "replay", reading, choose(GOLF, Replay(selections, reading)), overrides or {})


def test_rows_that_are_one_computation_are_one_training_named_after_the_first():
    ids = [p.ids for p in planned("BASE,N3,B4,C9,C13,C14,H1")]
    assert ids == [("BASE", "N3"), ("B4", "C9", "C13", "C14"), ("H1",)]
    assert len(planned("all")) == 118


def test_the_first_seed_of_all_rows_comes_before_the_second_of_any():
    found = planned("phase 18", "H1 x3")
    assert [p.recorded_id for p in found[-2:]] == ["H1", "H1"]
    seeds = [p.config.seed for p in found if p.recorded_id == "H1"]
    assert seeds == [1337, 1338, 1339]


def test_within_a_seed_the_rows_that_findings_compare_come_first_in_the_order_of_the_file():
    ids = [p.recorded_id for p in planned("phase 1", "N*", "BASE x2")]
    assert ids[:2] == ["BASE", "N2"] and ids[-1] == "BASE"
    assert ids[2:-1] == [p.recorded_id for p in planned("phase 1", "N1", "N[3-9]", "NF*") if p.recorded_id in ids[2:]]


def test_what_the_user_fixes_holds_for_every_row_and_a_wrong_value_names_the_row():
    assert {p.config.model.logit_softcap for p in planned("H*", overrides={"model.logit_softcap": 9.0})} == {9.0}
    with pytest.raises(ValueError, match=r"run 'U6': .*num_heads"):
        planned("U6", overrides={"model.num_kv_heads": 3})


def test_every_space_has_a_row_that_its_campaign_measured_itself_against():
    found = {name: reference(recorded.load(search_spaces.load(name))).id for name in search_spaces.names()}
    assert found["parameter_golf"] == "BASE" and found["ngpt"] == "2"


def test_a_factor_scales_recorded_rates_and_a_size_needs_its_table():
    full = recorded.resolve(GOLF, "H1", "as_run", "full")
    here = recorded.resolve(GOLF, "H1", "as_run", "replay")
    assert here.optimizer.head_lr == pytest.approx(8 * full.optimizer.head_lr)
    assert here.optimizer.tied_embed_lr == pytest.approx(8 * full.optimizer.tied_embed_lr)
    assert here.optimizer.matrix_lr == full.optimizer.matrix_lr  # no factor: as recorded
    assert recorded.resolve(GOLF, "NF12", "as_run", "replay").model.model_dim == 96
