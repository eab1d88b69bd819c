from __future__ import annotations

import pytest

from results.questions import next_steps
from terminal.short import short
from tests.results.questions.made_up_search import KNOBS, RANGES, place, search


def steps_of(campaign, trials=24):
    return campaign.next_steps(trials).set_index("step")


def test_an_unconfirmed_search_is_to_be_confirmed_first(make_trial, written):
    rows = search(make_trial, lambda row: (place(row) - 0.5) ** 2)
    campaign = written(rows, knobs=KNOBS, ranges=RANGES, trials=24)
    found = steps_of(campaign)
    where = campaign.store.folder.parent
    assert found.index.tolist() == ["confirm", "more trials"]
    assert (
        found.loc["confirm", "command"] == f"python -m tuner.run --resume night --results {where} --confirm 3x3..5..30"
    )
    assert found.loc["confirm", "runs"] == 12
    assert found.loc["more trials", "command"].endswith(f"--results {where} --trials 48")


def test_more_trials_have_a_gain_with_its_spread(make_trial, written):
    campaign = written(search(make_trial, lambda row: (place(row) - 0.5) ** 2), knobs=KNOBS, ranges=RANGES)
    few, many = (steps_of(campaign, trials).loc["more trials"] for trials in (4, 400))
    for found in (few, many):
        assert 0 <= found["low"] <= found["gain"] <= found["high"] and 0 < found["chance"] <= 1
        gain, low, high = (short(found[name]) for name in ("gain", "low", "high"))
        said = (
            f"expected gain {gain} in val_bpb (80 %: {low} to {high}); chance of any gain {100 * found['chance']:.0f} %"
            ", of single runs, of which the lowest is lucky"
        )
        assert found["why"] == said
    assert few["gain"] < many["gain"] and few["chance"] < many["chance"]


def test_a_knob_at_an_edge_is_to_be_widened_before_more_of_the_same_is_trained(make_trial, written):
    campaign = written(search(make_trial, lambda row: 3 - place(row), trials=60), knobs=KNOBS, ranges=RANGES)
    found = steps_of(campaign)
    assert found.index.tolist() == ["confirm", "widen", "more trials"]
    assert (
        found.loc["widen", "why"].startswith("widen rate above 0.1: ") and "LogUniform" in found.loc["widen", "command"]
    )


def test_a_confirmed_winner_is_to_be_taken_apart(confirmed):
    found = steps_of(confirmed())
    assert found.index[0] == "take apart" and found.loc["take apart", "command"].endswith("--ablate")
    assert "the winner changes 2 knobs at once" in found.loc["take apart", "why"]


def test_a_winner_that_was_taken_apart_is_not_again(confirmed):
    assert "take apart" not in steps_of(confirmed(ablated=True)).index


def test_a_confirmation_that_goes_on_is_to_be_finished(confirmed):
    found = steps_of(confirmed(better=1.6005, other=1.62))
    assert found.index[0] == "finish" and "2x3..5 is not over" in found["why"].iloc[0]


def test_of_a_confirmation_that_has_settled_nothing_more_seeds_take_a_campaign_of_their_own(confirmed):
    campaign = confirmed(better=1.601, other=1.62)
    rows = campaign.rows.copy()
    rows["design"] = rows["design"].where(rows["design"].isna(), "2x3")  # its seeds are spent
    object.__setattr__(campaign, "rows", rows)
    found = steps_of(campaign)
    assert found.index[0] == "more seeds" and "would settle it" in found["why"].iloc[0]
    assert "--warm-start" in found["command"].iloc[0] and "--confirm 1x" in found["command"].iloc[0]


def test_more_trials_and_more_seeds_say_what_their_numbers_are_of(unsettled) -> None:
    found = steps_of(unsettled)
    assert found.loc["more trials", "takes"].startswith("24 more trials, about ")
    why = "a campaign of its own: 5 trials that begin with the best of this one, then the pairs"
    assert found.loc["more seeds", "takes"].startswith("5 trials and ") and found.loc["more seeds", "why"].endswith(why)


def test_runs_that_have_not_ended_come_first(make_trial, written):
    rows = search(make_trial, lambda row: place(row), trials=5)
    rows[4].update(status="running", value=None)
    found = steps_of(written(rows, knobs=KNOBS, ranges=RANGES, trials=8))
    assert found.index[0] == "finish" and found["runs"].iloc[0] == 4
    assert found["why"].iloc[0].startswith("1 trial not finished, 5 of 8 trials begun")


@pytest.mark.parametrize("trials", [0, 1, 11])
def test_with_few_trials_nothing_is_said_of_a_gain(make_trial, written, trials):
    rows = search(make_trial, lambda row: place(row), trials=trials) if trials else []
    found = steps_of(written(rows, knobs=KNOBS, ranges=RANGES)).loc["more trials"]
    assert found[["gain", "low", "high", "chance"]].isna().all()
    assert f"{trials} of at least 12 trials can be compared at the end" in found["why"]


def test_failures_only_have_no_gain(make_trial, written):
    rows = [{**row, "status": "diverged", "value": None} for row in search(make_trial, lambda row: 2.0)]
    assert steps_of(written(rows, knobs=KNOBS, ranges=RANGES)).loc["more trials"][["gain"]].isna().all()


def test_a_replay_has_no_next_steps(make_trial, written):
    replay = {"selections": ["all"], "reading": "as_run", "seeds": 1}
    assert written(search(make_trial, place), knobs=KNOBS, ranges=RANGES, replay=replay).next_steps().empty


def test_of_an_own_train_function_the_command_is_a_call(make_trial, written):
    own = {"name": "mine", "fingerprint": "x", "source": "", "maximise": False, "domains": {}}
    found = steps_of(written(search(make_trial, place), knobs=KNOBS, ranges=RANGES, own_train=own))
    assert found.loc["more trials", "command"].startswith("tuner.tune(train, space, ..., name='night'")
    assert found.loc["more trials", "command"].endswith("trials='48')")


def test_a_space_of_the_users_own_is_given_as_the_file_that_the_campaign_keeps(make_trial, written):
    own = [f"{name}@" + "0" * 64 for name in ("stairs", "small_space")]
    made = written(search(make_trial, place), knobs=KNOBS, ranges=RANGES, imports=own, space="small")
    kept = made.store.folder / "sources"
    kept.mkdir()
    (kept / "stairs.py").write_text("STEPS = 3\n")
    (kept / "small_space.py").write_text('SMALL = Space(\n    name="small",\n)\n')
    command = next_steps._anew(made, {"trials": 30})
    assert command.startswith(f"python -m tuner.run --space {kept}/small_space.py --scale proxy ")
    assert command.endswith(f" --import {kept}/stairs.py") and "#" not in command and "--trials 30" in command
    assert (
        steps_of(made)
        .loc["more trials", "command"]
        .endswith(f"--import {kept}/stairs.py --import {kept}/small_space.py")
    )
    (kept / "small_space.py").write_text("SMALL = small(Space(name=NAME))\n")
    assert next_steps._anew(made, {}).endswith("# with the file of your space as --space")
    (kept / "small_space.py").write_text("LARGE = 1\n")
    packaged = next_steps._anew(made, {})
    assert "--space small " in packaged and "#" not in packaged, "one of the package's, with tricks of one's own"


def test_of_a_campaign_with_files_of_its_own_the_commands_ask_for_them(make_trial, written):
    own = ["stairs@" + "0" * 64, "tricks.sawtooth@" + "1" * 64]
    found = steps_of(written(search(make_trial, place), knobs=KNOBS, ranges=RANGES, imports=own))
    assert found.loc["more trials", "command"].endswith("--trials 48 --import stairs.py --import tricks")
    assert found.loc["confirm", "command"].endswith("--import stairs.py --import tricks")


@pytest.mark.parametrize("trials", [0, -3, 2.5, True, 50_001, 10**12, 10**400])
def test_a_number_of_trials_that_is_none_is_refused(written, trials):
    with pytest.raises(ValueError, match=r"trials is [-\w. ^]+ but must be a whole number from 1 to 50,000$"):
        written([]).next_steps(trials)


def test_a_search_with_a_limit_that_can_be_met_asks_all_else_as_before(ended, written):
    rows = [ended(number, "infeasible", objective="train_minutes", val_bpb=8.5 + number / 10) for number in (0, 1)]
    asked = {"constraints": ["val_bpb<=3.2", "parameters<=1e9"], "objectives": ["train_minutes"], "seed": 7}
    campaign = written(rows, **{**asked, "objective": "train_minutes", "keep": "all", "trials": 4})
    command = steps_of(campaign).loc["other limit", "command"]
    assert command == (
        "python -m tuner.run --space parameter_golf --scale proxy --trials 4 --objective train_minutes --seed 7 "
        "--keep all --constraint 'val_bpb<=8.5' --constraint 'parameters<=1e9'"
    )
