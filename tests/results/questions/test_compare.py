"""Campaigns side by side: what is ranked together, what is not and why, and the text of it."""

from __future__ import annotations

import io
import json
import re

import pandas as pd
import pytest

from results import compare, load
from results.page.comparison import comparison_data
from results.page.plain import json_number
from results.questions.compare import compare_campaigns
from results.questions.compare_text import print_campaigns
from terminal.console import Console
from tests.results.questions.conftest import TIED

BASE = {
    "budget": {"steps": 240},
    "evaluation": {"tokens": 64},
    "optimizer": {"type": "Muon", "matrix_lr": 0.04},
    "schedule": {"type": "Tidal@abc", "cycles": 3},
    "hooks": [{"type": "WeightAverage", "decay": 0.9}],
}


def printed(found, width: int = 100, top: int = 10) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_campaigns(console, found, top)
    return console.file.getvalue()


@pytest.fixture
def other(ended):
    """The trials of another search, the best of which is between those of ``searched``."""
    return [ended(0, "completed", 1.92), ended(1, "completed", 1.75, TIED)]


def test_campaigns_that_are_measured_alike_are_ranked_together(searched, other, written) -> None:
    found = compare_campaigns([written(searched), written(other, name="day")])
    board = found.leaderboard
    assert found.differences.empty and set(found.campaigns["ruler"]) == {0}
    assert board["rank"].tolist() == [1, 2, 3, 4, 5, 6] and board["value"].is_monotonic_increasing
    assert list(zip(board["campaign"], board["trial"], strict=True))[:3] == [("night", 3), ("day", 1), ("night", 1)]
    assert board["versus_base"].tolist()[:2] == pytest.approx([-0.2, -0.17]), "each against its own base"
    text = printed(found)
    assert "Leaderboard of night, day: one ruler" in text and "Not ranked together" not in text


def test_what_is_scored_on_the_way_keeps_no_campaigns_apart_since_ends_are_ranked(searched, other, written) -> None:
    on_the_way = {"tokens": 64, "tokens_on_the_way": 16}
    one, two = written(searched, base=BASE), written(other, name="day", base={**BASE, "evaluation": on_the_way})
    assert compare_campaigns([one, two]).differences.empty


@pytest.mark.parametrize(
    ("changed", "field", "values"),
    [
        ({"data": "other"}, "data", ("made-up", "other")),
        ({"base": {**BASE, "evaluation": {"tokens": 128}}}, "evaluation.tokens", ("64", "128")),
        (
            {"base": {**BASE, "evaluation": {"tokens": 64, "ttt": {"epochs": 2}}}},
            "evaluation.ttt.epochs",
            ("none", "2"),
        ),
        ({"base": {**BASE, "artifact": {"bits": 8}}}, "artifact.bits", ("none", "8")),
        ({"objective": "val_loss"}, "objective", ("val_bpb", "val_loss")),
        ({"objectives": ["val_bpb", "train_seconds"]}, "objective", ("val_bpb", "val_bpb,train_seconds")),
    ],
)
def test_what_cannot_be_compared_is_not_ranked_and_named_with_both_values(
    searched, other, written, changed, field, values
) -> None:
    cells = {name: changed[name] for name in ("data", "objective") if name in changed}
    one = written(searched, base=BASE)
    two = written([{**row, **cells} for row in other], **{"name": "day", "base": BASE, **changed})
    found = compare_campaigns([one, two])
    (row,) = found.differences.to_dict("records")
    assert row == {
        "field": field, "campaign": "night", "value": values[0], "other_campaign": "day", "other_value": values[1]
    }  # fmt: skip
    assert found.leaderboard.groupby("ruler")["rank"].min().tolist() == [1, 1]
    assert found.leaderboard.groupby("ruler")["campaign"].nunique().tolist() == [1, 1]
    text = printed(found)
    assert f"  {field}: {values[0]} in night, {values[1]} in day\n" in text and "one ruler" not in text


def test_another_budget_is_another_ruler(searched, ended, written) -> None:
    twice = [ended(0, "completed", 1.5, budget=480.0)]
    found = compare_campaigns([written(searched), written(twice, name="long")])
    assert found.differences[["field", "value", "other_value"]].to_numpy().tolist() == [
        ["budget", "240 steps", "480 steps"]
    ]


def test_of_three_campaigns_two_may_share_a_ruler(searched, other, written) -> None:
    third = written([{**row, "data": "other"} for row in other], name="third", data="other")
    found = compare_campaigns([written(searched), third, written(other, name="day")])
    assert found.campaigns["ruler"].tolist() == [0, 1, 0] and len(found.differences) == 1
    text = printed(found)
    assert "Leaderboard of night, day: one ruler" in text and "Leaderboard of third\n" in text


def test_a_trial_that_is_measured_unlike_its_base_has_no_rank(searched, ended, written) -> None:
    config = json.dumps({"evaluation": {"tokens": 99}})
    odd = [
        ended(6, "completed", 1.0, {"optimizer.matrix_lr": 0.5}, budget=120.0),
        ended(7, "completed", 1.1, {"optimizer.matrix_lr": 0.6}, config=config),
    ]
    found = compare_campaigns([written([*searched, *odd]), written(searched, name="day")])
    left = found.leaderboard[found.leaderboard["rank"].isna()]
    assert left["trial"].tolist() == [6, 7] and found.leaderboard["value"].iloc[0] == 1.7
    assert left["why_not_ranked"].tolist() == ["budget 120 steps, not 240 steps", "evaluation.tokens 99, not 64"]
    assert "not ranked: 2 trials of night, unlike its base: budget 120 steps, not 240 steps (1)" in printed(found)


def test_knobs_stand_side_by_side_with_ranges_and_fixed_values(searched, other, written) -> None:
    ranges = {"optimizer.matrix_lr": {"domain": "0.01 .. 0.3 (log)", "why": "", "when": {}}}
    knobs = {"optimizer.matrix_lr": "float64"}
    only = {"schedule": "string", "hooks.WeightAverage.decay": "float64", "schedule.period": "float64"}
    bare = [{k: v for k, v in row.items() if "." not in k and k != "schedule"} for row in other]
    one = written(bare, knobs=knobs, ranges=ranges, base=BASE)
    two = written(bare, name="day", knobs=only, base=BASE)
    three = written(bare, name="again", knobs=knobs, ranges=ranges, base=BASE)
    table = compare_campaigns([one, two, three]).knobs.set_index("knob")
    assert table.loc["optimizer.matrix_lr"].tolist() == [False, "0.01 .. 0.3 (log)", "= 0.04", "0.01 .. 0.3 (log)"]
    assert table.loc["schedule", "in night"] == "= Tidal" and table.loc["schedule", "in day"] == "unknown"
    assert table.loc["hooks.WeightAverage.decay", "in night"] == "= 0.9"
    assert table["in night"].isna()["schedule.period"], "its schedule has no such field"
    text = printed(compare_campaigns([one, three]))
    assert "1 knob with the same range in all of them" in text and "that differ" not in text


def test_a_setting_that_differs_is_named_though_it_is_a_knob_in_none(searched, other, written) -> None:
    small, large = ({**BASE, "model": {"type": "GPT", "num_layers": layers, "width": 64}} for layers in (2, 9))
    asked = {"model.num_layers": 2, "model.width": 64, "budget.steps": 240, "optimizer.matrix_lr": 0.04}
    found = compare_campaigns(
        [written(searched, base=small, overrides=asked), written(other, name="day", base=large, overrides={})]
    )
    assert found.differences.empty, "they are ranked together"
    table = found.knobs.set_index("knob")
    assert "model.num_layers" not in found.knobs["knob"].tolist()[:-1] and table["same"].tolist()[-1] is False
    assert table.loc["model.num_layers"].tolist() == [False, "= 2", "= 9"]
    assert not table.index.isin(["model.width", "budget.steps"]).any(), "the same in both, and no ruler differs"
    said = " ".join(printed(found).split())
    assert "Knobs and settings that differ (= value: fixed) knob in night in day model.num_layers = 2 = 9" in said


def test_winners_and_noise_are_those_of_each(confirmed, searched, written) -> None:
    found = compare_campaigns([confirmed(), written(searched, name="day")])
    assert found.winners["confirmed"].tolist() == [True, False] and found.winners["trial"].tolist() == [3, 3]
    assert found.noise["campaign"].tolist() == ["night"]
    text = printed(found)
    assert "confirmation 1 (3 configs, 9 runs, paired)" in text and text.isascii()
    assert max(map(len, text.splitlines())) <= 102


def winners_of(text: str) -> list[list[str]]:
    """Cells of the table of winners, its heads first."""
    after = text.partition("\nWinners (")[2].splitlines()[1:]
    return [re.split(r" {2,}", line.strip()) for line in after[: after.index("")]]


def test_each_winner_says_what_the_search_and_what_fresh_seeds_gave_in_columns_of_their_own(
    confirmed, searched, written, unsettled
) -> None:
    made = [confirmed(), unsettled, written(searched, name="day"), written(searched[:1], name="base")]
    found = compare_campaigns(made)
    sure, open_yet, alone, base = found.winners.to_dict("records")
    assert sure["versus_base"] == alone["versus_base"] == pytest.approx(-0.2), "single runs, in every row"
    assert open_yet["difference"] < 0 < open_yet["high"] and not open_yet["confirmed"]
    assert open_yet["verdict"].startswith("not established: ")
    assert pd.isna(alone["difference"]) and pd.isna(alone["verdict"]) and pd.isna(base["versus_base"])
    heads, *rows = winners_of(printed(found))
    assert heads == ["campaign", "trial", "value", "vs base", "on fresh seeds", "95 % interval", "verdict"]
    assert [row[-1] for row in rows[:4]] == ["established: better", "not established", "not tried", "the base"]
    data = comparison_data(found, [one.read() for one in made])
    assert [one["said"].partition(":")[0] for one in data["winners"]] == [
        "established", "not established", "not tried", "the base"
    ]  # fmt: skip
    assert data["winners"][1]["difference"] == json_number(open_yet["difference"])


def test_two_folders_of_one_name_are_told_apart(searched, written) -> None:
    found = compare_campaigns([written(searched, name=f"{place}/night") for place in ("here", "there")])
    assert found.campaigns["campaign"].tolist() == ["night", "night (2)"]
    assert found.leaderboard["rank"].tolist() == [1, 1, 3, 3, 5, 5, 7, 7], "equals share a rank"


def test_own_train_functions_are_compared_by_their_fingerprint(ended, written) -> None:
    rows = [ended(0, "completed", -0.5, objective="-accuracy")]
    own = {"name": "loss", "source": "", "maximise": True, "domains": {}}
    made = [
        written(rows, name=name, objective="-accuracy", own_train={**own, "fingerprint": mark}, base={"steps": 240})
        for name, mark in (("a", "x"), ("b", "x"), ("c", "y"))
    ]
    found = compare_campaigns(made)
    assert found.campaigns["ruler"].tolist() == [0, 0, 1]
    assert found.differences["field"].tolist() == ["train function"]


def test_campaigns_in_which_nothing_has_completed_are_compared_too(ended, written, searched) -> None:
    made = [written([], name="empty"), written([ended(0, "crashed")], name="failed"), written(searched)]
    found = compare_campaigns(made)
    assert found.campaigns["completed"].tolist() == [0, 0, 4] and found.winners["trial"].isna().tolist() == [
        True,
        True,
        False,
    ]
    assert "Leaderboard of empty, failed, night: one ruler" in printed(found)
    assert "no trial has completed" in printed(compare_campaigns(made[:2]))


def test_one_campaign_alone_is_nothing_to_compare(searched, written) -> None:
    with pytest.raises(ValueError, match="at least 2 campaigns, not 1"):
        compare_campaigns([written(searched)])


def test_hostile_texts_reach_the_screen_escaped(ended, written) -> None:
    rows = [ended(0, "completed", 1.0), ended(1, "completed", 0.9, {"schedule": "x\x1b[31m\nforged  1  day"})]
    made = [written(rows, name=name, data_description="\x1b[2J") for name in ("night", "day")]
    text = printed(compare_campaigns(made))
    assert "\x1b" not in text and "\nforged" not in text


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_compares_any_campaigns(searched, other, written, tmp_path, capsys) -> None:
    written(searched), written([{**row, "data": "other"} for row in other], name="day", data="other")
    assert compare.main([str(tmp_path / "night"), str(tmp_path / "day"), "--top", "1"]) == 0
    out = capsys.readouterr().out
    assert "data: made-up in night, other in day" in out and "3 more completed trials not shown." in out
    assert not list(tmp_path.glob("*.png"))


def test_a_real_replay_stands_beside_another(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)  # where the page of replays that are kept goes
    kept = [compare.KEPT / "parameter_golf", compare.KEPT / "ngpt"]
    assert compare.main([str(folder) for folder in kept]) == 0
    assert (tmp_path / "compare-parameter_golf-ngpt.html").is_file()
    out = capsys.readouterr().out
    assert "objective: val_bpb in parameter_golf, val_loss in ngpt" in out and "80 trials of parameter_golf" in out
    board = compare_campaigns([load(folder) for folder in kept]).leaderboard
    assert len(board) == 140 + 57 and board["rank"].isna().sum() == 80 + 3


@pytest.mark.parametrize("option", [["--space", "ngpt"], ["--picture", "x.png"]])
def test_options_of_a_replay_are_refused_for_several_campaigns(option, searched, written, tmp_path, capsys) -> None:
    written(searched)
    assert compare.main([str(tmp_path / "night"), str(tmp_path / "night"), *option]) == 2
    error = capsys.readouterr().err
    assert f"{option[0]} is for one replay beside its record, not for 2 campaigns" in error and error.count("\n") == 1


def test_a_campaign_that_is_not_there_is_named(searched, written, tmp_path, capsys) -> None:
    written(searched)
    assert compare.main([str(tmp_path / "night"), str(tmp_path / "nigth")]) == 2
    assert "nigth" in capsys.readouterr().err


def test_a_copy_of_a_campaign_is_no_second_one(searched, other, written) -> None:
    """Nor an earlier moment of it: what ran once is evidence once. The one with fewer runs is named, else the later."""
    night, copy, earlier = (
        written(rows, name=name, at_once=True)
        for name, rows in {"night": searched, "copy": searched, "earlier": searched[:2]}.items()
    )
    day = written(other, name="day")
    with pytest.raises(ValueError, match=r"/copy is a copy of .*/night, or of a part of it: all of its \d+ runs began"):
        compare_campaigns([night, day, copy])
    for order in ([night, earlier], [earlier, night]):
        with pytest.raises(ValueError, match=r"/earlier is a copy of .*/night, or of a part of it: all of its 2 runs"):
            compare_campaigns(order)


def test_a_run_that_two_campaigns_have_is_ranked_once(searched, other, written) -> None:
    """One is a copy of the other that went on, or has reused a run of it."""
    mixed = [searched[0], {**other[1], "started_at": other[0]["started_at"]}]
    found = compare_campaigns([written(searched, at_once=True), written(mixed, name="day", at_once=True)])
    again = found.leaderboard[found.leaderboard["why_not_ranked"].notna()]
    assert again[["campaign", "trial"]].values.tolist() == [["day", 0]] and again["rank"].isna().all()
    assert again["why_not_ranked"].tolist() == ["the same run as trial 0 of night"]
