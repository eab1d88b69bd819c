"""A search whose best are trained at a larger scale: the campaign beside it, its values, its resume, its refusals."""

from __future__ import annotations

import json
import math
import shutil
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

import tuner
from results.page.data import page_data
from results.page.markdown import markdown
from results.store import frames
from results.store.campaign_folder import Store
from search_spaces import load as load_space
from search_spaces.space import Scale, Space
from terminal.console import Console
from tests.small_campaign import SMALL, play_in_place_of_ray, work_in
from trainable.component_json import decode
from trainable.component_paths import get_value, with_values
from tuner import run, status, transfer
from tuner.cli.larger_text import print_larger
from tuner.cluster import capacity as machine
from tuner.cluster.placement import Placement
from tuner.command import Planning, Start
from tuner.question import ask
from tuner.search_loop import Search
from tuner.spec import CampaignSpec

ASKED = {"scale": "proxy", "data": "text", "audit": False, "results": "runs", "name": "night", "stopper": "none"}
LARGER = {**ASKED, "trials": 8, "confirm": "2x2", "confirm_scale": "big", "carry": 3}
RATE = "optimizer.tied_embed_lr"
SEARCH, THERE = Path("runs/night"), Path("runs/night-at-big")


def grown(**big: object) -> Space:
    """The golf space at two widths, 32 and 64, so small that both read a little text."""
    golf = load_space("parameter_golf")
    small = with_values(golf.scale("proxy").base, SMALL)
    large = with_values(small, {"model.model_dim": 64, "data.batch_tokens": 512, **big})
    scales = {"proxy": Scale(small, 8, "small"), "big": Scale(large, 8, "twice as wide")}
    return replace(golf, name="grown", scales=scales)


def learned(config, milestone: float) -> float:
    """A made-up curve, the better the lower the rate of the matrices; the wider model is better by a half."""
    wide = config.model.model_dim == 64
    noise = zlib.crc32(f"{config.seed} {config.optimizer.matrix_lr}".encode()) / 2**32 / 1000
    return 2.0 - 0.5 * wide + abs(math.log10(config.optimizer.matrix_lr / 0.01)) + 10 / (10 + milestone) + noise


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch, play) -> list:
    """A folder to work in, and campaigns that a made-up curve trains; returns what happens as each begins."""
    meanwhile: list = []

    def all_of_it(campaign: Search) -> None:
        for happens in meanwhile:
            happens(campaign)

    work_in(tmp_path, monkeypatch)
    play_in_place_of_ray(monkeypatch, play, all_of_it, curve=learned)
    return meanwhile


def kept(folder: Path) -> dict:
    return json.loads((folder / "campaign.json").read_text())


def configs(campaign: tuner.Campaign) -> dict[int, object]:
    return {int(row["number"]): decode(json.loads(row["config"])) for _, row in campaign.trials.iterrows()}


def test_the_best_of_a_search_are_trained_at_the_larger_scale_in_a_campaign_of_their_own():
    search = tuner.search(grown(), display=False, **LARGER)
    larger, carried = tuner.load(THERE), tuner.load(THERE).spec.carried
    assert set(search.trials["scale"]) == {"proxy"} and set(larger.trials["scale"]) == {"big"}
    assert (search.trials["status"] != "infeasible").sum() == 8
    assert len(larger.trials) == 4 and larger.trials["is_base"].sum() == 1
    assert carried is not None and (carried.campaign, carried.scale) == ("night", "proxy")
    completed = search.trials.query("status == 'completed' and not is_base")
    best = completed.sort_values("value")["number"].tolist()[:3]
    assert sorted(trial.number for trial in carried.trials) == sorted(best)
    assert carried.base is not None and carried.base.number == 0
    assert larger.spec.confirm and len(larger.confirmations) == 6  # confirmed there as the search is
    assert larger.read().rows["seed"].min() > search.read().rows["seed"].max()


def test_searched_rates_move_by_the_rule_of_width_and_all_else_stays():
    search = tuner.search(grown(), display=False, **LARGER)
    carried = tuner.load(THERE).spec.carried
    assert carried is not None and dict(carried.factors) == {RATE: 0.5, "optimizer.head_lr": 0.5}
    space, there = configs(search), configs(tuner.load(THERE))
    wide = {get_value(config, "optimizer.matrix_lr"): config for config in there.values()}
    for trial in carried.trials:
        was = space[trial.number]
        now = wide[get_value(was, "optimizer.matrix_lr")]
        tied = get_value(was, "model.tie_embeddings")
        path = RATE if tied else "optimizer.head_lr"
        assert get_value(now, path) == get_value(was, path) * 0.5
        assert now.schedule == was.schedule and now.optimizer.scalar_lr == was.optimizer.scalar_lr
        assert now.model.model_dim == 64 and now.data.batch_tokens == 512
    base = there[int(tuner.load(THERE).trials.query("is_base")["number"].iloc[0])]
    assert get_value(base, RATE) == get_value(grown().scale("big").base, RATE)  # the larger scale's own


def test_settings_of_the_search_stay_but_for_those_that_make_the_size(capsys):
    asked = {**LARGER, "overrides": {"model.rope_base": 5000.0, "data.batch_tokens": 128, RATE: 0.04}}
    tuner.search(grown(), **asked)
    assert kept(THERE)["overrides"].items() >= {"model.rope_base": 5000.0, RATE: 0.02}.items()
    assert kept(THERE)["base"]["data"]["batch_tokens"] == 512
    assert kept(THERE)["carried"]["left"] == ["data.batch_tokens"]
    assert "as the scale has it: data.batch_tokens" in capsys.readouterr().out


def test_the_report_says_how_the_order_carried_over_and_whether_the_winner_holds(capsys):
    search = tuner.search(grown(), **{**LARGER, "carry": 6})
    said = capsys.readouterr().out
    assert "rank correlation 1.00 over 7 configs" in said and "holds at scale big" in said
    table = search.transfer()
    assert table["search_rank"].tolist() == table["rank"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert table.attrs["correlation"]["value"] == 1.0
    assert table.equals(tuner.load(THERE).transfer())
    assert (table["search_value"] - table["value"] - 0.5).abs().max() < 0.01


def test_a_campaign_that_was_interrupted_at_the_larger_scale_goes_on_from_either(workplace):
    def cut(campaign: Search) -> None:
        if campaign.folder.name == THERE.name:
            campaign.events.append(lambda entry: campaign.interrupt(2) if entry.row["is_base"] else None)

    workplace.append(cut)
    with pytest.raises(KeyboardInterrupt):
        tuner.search(grown(), display=False, **LARGER)
    before = tuner.load(THERE).trials
    assert 1 <= (before["status"] == "completed").sum() < 4
    steps = tuner.load(SEARCH).next_steps()
    assert steps["step"].iloc[0] == "finish" and "night-at-big" in steps["why"].iloc[0]
    workplace.clear()
    tuner.load(SEARCH, space=grown()).resume(display=False)
    after = tuner.load(THERE).trials
    assert (after["status"] == "completed").all() and len(after) == 4
    assert not Path("runs/night-at-big-2").exists()
    tuner.load(THERE, space=grown()).resume(display=False)  # nothing is left
    assert len(tuner.load(THERE).trials) == 4


def test_a_finished_search_is_carried_over_by_a_resume_as_its_next_step_says():
    search = tuner.search(
        grown(), display=False, **{**LARGER, "confirm_scale": None, "carry": None, "confirm": "2x2..4"}
    )
    assert not THERE.exists() and search.transfer().empty
    step = search.next_steps().iloc[0]
    assert step["step"] == "carry over" and step["command"].endswith("--confirm-scale big")
    assert step["takes"] == "7 trials and 6 to 12 runs at scale big" and step["runs"] == 13
    tuner.load(SEARCH, space=grown()).resume(display=False, confirm_scale="big", carry=2)
    assert len(tuner.load(THERE).trials) == 3
    assert "carry over" not in tuner.load(SEARCH).next_steps()["step"].tolist()


@pytest.mark.slow
def test_other_best_configs_begin_another_campaign_which_reuses_what_is_trained():
    tuner.search(grown(), display=False, **LARGER)
    tuner.load(SEARCH, space=grown()).resume(display=False, carry=4)
    again = tuner.load("runs/night-at-big-2")
    assert len(again.trials) == 5
    assert again.trials["reused_from"].notna().sum() == 4


def test_rows_of_the_larger_scale_are_in_no_answer_about_the_search():
    search = tuner.search(grown(), display=False, **LARGER)
    before = {name: getattr(search, name)() for name in ("leaderboard", "importance", "winner", "verdicts")}
    shutil.rmtree(THERE)
    for name, table in before.items():
        assert getattr(tuner.load(SEARCH), name)().equals(table), name


@pytest.mark.slow
def test_status_names_both_campaigns():
    tuner.search(grown(), display=False, **LARGER)
    now = datetime.now(UTC)
    assert any(line == "at scale big: campaign night-at-big, 10 runs ended" for line in status.status(SEARCH, now))
    said = "carried over: the best 3 trials of campaign night, scale proxy"
    assert said in status.status(THERE, now)


@pytest.mark.slow
@pytest.mark.usefixtures("pages")
def test_the_page_and_the_summary_of_both_campaigns_have_the_ranks_side_by_side():
    tuner.search(grown(), display=False, **LARGER)
    for folder, linked in ((SEARCH, "search_trial"), (THERE, "trial")):
        data = page_data(frames.load(folder), folder)
        found = data["transfer"]
        assert found["linked"] == linked and [row["rank"] for row in found["rows"]] == [1, 2, 3, 4]
        assert "rank correlation" in found["lines"][0]
        assert "| in the search | rank | proxy | vs base | rank | big |" in markdown(data)
        assert (folder / "report.html").read_text().count("transferSection") >= 2


def test_nothing_is_carried_over_where_only_the_base_completed(capsys, monkeypatch, play):
    only_base = lambda config, at: 2.0 if config.optimizer.matrix_lr == 0.04 else None  # noqa: E731
    play_in_place_of_ray(monkeypatch, play, curve=only_base)
    tuner.search(grown(), **LARGER)
    assert "Nothing to carry over to scale big: no trial but the base completed." in capsys.readouterr().out
    assert not THERE.exists()


@pytest.mark.slow
def test_a_config_that_is_no_valid_run_there_is_left_out_and_said(capsys):
    space = grown(**{"model.num_layers": 1, "model.encoder_layers": 0})  # deeper encoders are none there
    tuner.search(space, **{**LARGER, "trials": 12, "carry": 12})
    said = capsys.readouterr().out
    assert "not carried over to scale big: trial" in said
    carried = kept(THERE)["carried"]["trials"]
    assert carried and all(trial["values"].get("model.encoder_layers", 0) <= 1 for trial in carried)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"confirm_scale": "bigg"}, "space grown has no scale 'bigg': did you mean 'big'?"),
        ({"confirm_scale": "proxy"}, "confirm_scale proxy is the scale of the search itself: give another one, big"),
        ({"confirm_scale": None}, "carry 3 is for confirm_scale: give the scale to carry them over to too"),
        ({"carry": 0}, "carry: '0' "),
        ({"objective": "val_bpb,parameters", "confirm": None}, "carries the best of a search for one objective over"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_in_one_line_before_anything_is_made(changes, said):
    with pytest.raises(ValueError) as refused:
        tuner.search(grown(), display=False, **{**LARGER, **changes})
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert not Path("runs").exists()


def test_what_the_larger_scale_would_refuse_is_refused_before_the_search():
    with pytest.raises(ValueError, match=r"confirm_scale big: .*evaluation\.tokens is 9,999,872"):
        tuner.search(grown(**{"evaluation.tokens": 9_999_872}), display=False, **LARGER)
    assert not Path("runs").exists()


def test_a_campaign_at_the_larger_scale_takes_no_further_trials_and_is_not_carried_on():
    tuner.search(grown(), display=False, **LARGER)
    for asked in ({"trials": 9}, {"confirm_scale": "proxy"}):
        with pytest.raises(ValueError, match="has the best of campaign 'night' at scale big, where nothing is"):
            tuner.load(THERE, space=grown()).resume(display=False, **asked)


def test_nothing_begins_at_the_larger_scale_once_the_hours_are_over(capsys, monkeypatch):
    clock = iter([0.0, 7200.0])
    monkeypatch.setattr(transfer, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    tuner.search(grown(), **LARGER, hours=2)
    assert "The 2 hours are over: nothing was carried over to scale big yet." in capsys.readouterr().out
    assert not THERE.exists()


@pytest.mark.slow
def test_a_plan_of_a_search_that_was_carried_over_names_what_has_ended(capsys, tmp_path):
    tuner.search(grown(), display=False, **LARGER)
    console, store = Console(width=200), Store.open(SEARCH)
    question = ask(grown(), CampaignSpec.of_json(store.campaign))
    start = Start(planning=Planning(device="h100", slots=2))
    print_larger(console, question, machine.of_this_machine(2, Placement(None, None)), start, store)
    assert "10 runs of campaign night-at-big ended already: no config" in capsys.readouterr().out


def test_the_command_line_refuses_it_for_a_replay(capsys):
    with pytest.raises(SystemExit) as ended:
        run.main(["--space", "parameter_golf", "--replay", "H1", "--confirm-scale", "full"])
    assert ended.value.code == 2
    assert "--confirm-scale goes with a search or --resume, not with --replay" in capsys.readouterr().err
