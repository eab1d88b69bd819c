"""``import tuner``, with the executor that plays Ray: what it returns, what it refuses, and how it goes on."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest
import ray

import tuner
from results.design import Design
from results.store.campaign_folder import Store
from search_spaces import load as load_space
from search_spaces.domains import Choice
from search_spaces.space import Knob
from terminal import program
from tests.own_files import forgotten
from tests.small_campaign import SMALL, play_in_place_of_ray, work_in
from trainable.schedules import Cosine, Warmup
from tuner import start
from tuner.cli import modes
from tuner.python import arguments
from tuner.python.arguments import in_python
from tuner.python.campaign import overrides_for
from tuner.search_loop import Search
from tuner.spec import CampaignSpec

ASKED = {"scale": "proxy", "overrides": SMALL, "data": "text", "audit": False, "results": "runs"}


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    work_in(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(autouse=True)
def played(monkeypatch, play):
    """Campaigns run by the executor that plays Tune; returns where to put what happens meanwhile."""
    meanwhile = []

    def all_of_it(campaign: Search) -> None:
        for happens in meanwhile:
            happens(campaign)

    play_in_place_of_ray(monkeypatch, play, all_of_it)
    return meanwhile


def test_a_search_returns_a_campaign_with_its_rows_its_best_and_its_verdicts(capsys) -> None:
    campaign = tuner.search("parameter_golf", trials=9, confirm="2x2", name="sure", **ASKED)
    trials, confirmations = campaign.trials, campaign.confirmations
    assert trials["number"].is_monotonic_increasing and len(trials) >= 9 and set(trials["stage"]) == {"search"}
    assert len(confirmations) == 6 and set(confirmations["stage"]) == {"confirm"}
    assert (trials["number"].dtype, trials["is_base"].dtype, trials["value"].dtype) == ("Int64", "boolean", "float64")
    assert trials["status"].cat.ordered and len(campaign.reports) > len(trials)
    best, verdicts = campaign.best(), campaign.verdicts()
    assert list(verdicts["pairs"]) == [2, 2] and verdicts["better"].any() and best.confirmed
    assert best.trial == verdicts.loc[verdicts["better"], :].sort_values("difference")["trial"].iloc[0]
    assert best.difference == verdicts["difference"].min() < 0
    by_number = trials.set_index("number")["value"]
    assert best.versus_base == pytest.approx(by_number[best.trial] - by_number[trials["is_base"].to_numpy()].mean())
    assert best.config.key("") and best.changes and (verdicts["low"] < verdicts["difference"]).all()
    assert campaign.spec.confirm == Design(2, 2, 2) and campaign.spec.overrides["model.num_layers"] == 2
    assert "campaign: runs/sure" in capsys.readouterr().out


def test_reprs_are_one_line(capsys) -> None:
    campaign = tuner.search("parameter_golf", trials=3, confirm=False, name="short", display=False, **ASKED)
    assert capsys.readouterr() == ("", "")
    shown = repr(campaign)
    assert (
        shown.startswith("<Campaign 'runs/short': parameter_golf, 3 of 3 trials, best val_bpb ") and "\n" not in shown
    )
    (Path("runs/short/campaign.json")).rename("away")
    assert repr(campaign) == "<Campaign 'runs/short', which cannot be read>"
    Path("away").rename("runs/short/campaign.json")
    assert "\n" not in repr(campaign.best()) and repr(campaign.best()).startswith("<Best: trial ")


def test_a_campaign_goes_on_from_its_object_its_name_its_path_and_the_command_line() -> None:
    campaign = tuner.search("parameter_golf", trials=2, confirm=False, name="grow", concurrent=1, **ASKED)
    assert campaign.resume(trials=3) is campaign and len(campaign.trials) == 3
    assert len(tuner.load("runs/grow").resume(trials=4).trials) == 4
    found = tuner.load("grow", results="runs")
    assert found.resume(trials=5, display=False).spec.trials == 5 and found.spec.concurrent == 1
    assert tuner.load(Path("runs/grow").absolute()).trials.equals(campaign.trials)
    from tuner.run import main

    assert main(["--resume", "grow", "--results", "runs", "--trials", "6"]) == 0 and len(campaign.trials) == 6


def test_a_replay_trains_the_rows_that_it_is_given() -> None:
    campaign = tuner.replay("parameter_golf", "BASE", "1 x2", seeds=1, name="again", **ASKED)
    assert sorted(campaign.trials["recorded_id"]) == ["1", "1", "BASE"] and campaign.verdicts().empty
    assert list(campaign.verdicts().columns)[:2] == ["trial", "difference"]


def test_a_space_of_your_own_is_searched_and_goes_on_without_being_found_by_its_name(toy_space, capsys) -> None:
    golf = load_space("parameter_golf")
    own = replace(golf, name="mine", question="Mine?", knobs=golf.knobs[:3])
    asked = {**ASKED, "overrides": {**SMALL, "schedule": "Cosine"}}
    campaign = tuner.search(own, trials=4, confirm="1x2", name="mine", **asked)
    out = capsys.readouterr().out
    assert "space: mine - Mine?" in out and "winner as a command" not in out, "no command line can say it"
    assert len(campaign.resume(trials=5).trials) >= 5
    with pytest.raises(ValueError, match=r"unknown space 'mine'.*tuner\.load\('.*mine', space=SPACE\)\.resume\(\)"):
        tuner.load("runs/mine").resume(trials=6)
    assert len(tuner.load("runs/mine", space=own).resume(trials=6).trials) >= 6
    with pytest.raises(ValueError, match="space 'mine' has no recorded runs"):
        tuner.replay(own, "H1", **ASKED)
    with pytest.raises(ValueError, match="space 'mine' has no recorded runs"):
        tuner.search(own, warm_start="recorded", **asked)


def test_a_warm_start_and_a_reuse_take_campaigns(capsys) -> None:
    first = tuner.search("parameter_golf", trials=3, confirm=False, name="first", **ASKED)
    asked = {"warm_start": ["recorded", first], "reuse": first}
    second = tuner.search("parameter_golf", trials=3, confirm=False, name="second", **asked, **ASKED)
    assert "first" in set(second.trials["reused_from"].dropna())
    assert second.spec.reuse == (str(Path("runs/first").absolute()),)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise RuntimeError('boom')", r"over code of your own: own_fails\.py, line 6: RuntimeError: boom$"),
        ("return 'a'", "over code of your own: TypeError: "),
    ],
)
def test_code_of_ones_own_that_fails_in_the_audit_is_one_line(body: str, says: str) -> None:
    Path("own_fails.py").write_text(f"""from dataclasses import dataclass
from trainable.schedules import Schedule
@dataclass(frozen=True, kw_only=True)
class OwnFails(Schedule):
    def __call__(self, progress: float) -> float:
        {body}
""")
    asked = {**ASKED, "audit": True, "overrides": {**SMALL, "schedule": "OwnFails"}, "imports": ["own_fails.py"]}
    with forgotten(), pytest.raises(ValueError, match=says) as raised:
        tuner.search("parameter_golf", trials=2, confirm=False, **asked)
    assert "\n" not in str(raised.value) and not Path("runs").exists()


def test_what_the_best_has_changed_is_given_as_overrides() -> None:
    golf = load_space("parameter_golf")
    late = Warmup(frac=0.07, inner=Cosine(min_lr_frac=0.3))
    schedules = Choice.of({"base": golf.scales["proxy"].base.schedule, "late": late})
    own = replace(golf, name="labels", knobs=(Knob("schedule", schedules, "a label that names no class"),))
    campaign = tuner.search(own, trials=4, confirm=False, name="labels", **ASKED)
    trials = campaign.trials
    changed = trials[~trials["is_base"].fillna(False)].iloc[0]
    assert json.loads(changed["overrides"]) == {"schedule": "late"}
    changes = overrides_for(Store.open(campaign.folder).campaign["base"], changed)
    assert changes == {"schedule": "Warmup", "schedule.frac": 0.07, "schedule.inner.min_lr_frac": 0.3}
    assert campaign.best().changes in ({}, changes) and not repr(campaign.best()).count("3 changes"), "1, as in its row"
    again = tuner.search(
        "parameter_golf", trials=1, confirm=False, name="again", **{**ASKED, "overrides": {**SMALL, **changes}}
    )
    assert again.trials["key"][0] == changed["key"]


WRONG = {  # arguments -> what the ValueError says
    "trials": (0, "trials: '0' is not a whole number of at least 1"),
    "hours": (float("nan"), "hours: 'nan' is not a positive number of hours"),
    "scale": ("prxy", "no scale 'prxy': did you mean 'proxy'"),
    "cpus": ("2", "cpus is the text '2' but must be a number: 2"),
    "stall_minutes": ("2.5", "stall_minutes is the text '2.5' but must be a number: 2.5"),
    "checkpoint_every": ("20", "checkpoint_every is the text '20' but must be a number: 20"),
    "confirm": ("3x1", "confirm: '3x1' asks for 1 seed, but each candidate takes 2 to 30"),
    "stopper": ("ash", "stopper: 'ash' is no value of it: did you mean 'asha'"),
    "compile": (1, "compile is 1 but must be True or False"),
    "overrides": ({"model.num_layer": 3}, "no knob 'num_layer'"),
    "constraints": (3, "constraint"),
    "concurrent": (4096, "^concurrent is 4096 but must be in 1.."),
    "gpu_fraction": (2, "gpu_fraction: '2' is not a part of a GPU"),
    "name": ("../x", "the campaign name '../x' must begin"),
    "seed": (True, "seed is True but must be a number or text"),
    "reuse": ("nowhere", "nowhere is no campaign"),
    "warm_start": ("nowhere", "^warm_start: nowhere is no campaign"),
    "ablate": (True, "^ablate takes a confirmed winner apart: leave out confirm=False"),
    "data": ("no/such", "there are no data 'no/such'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input_is_a_value_error_that_names_the_argument_and_makes_nothing(workplace, name) -> None:
    before = sorted(workplace.rglob("*"))
    value, said = WRONG[name]
    with pytest.raises(ValueError, match=said) as raised:
        tuner.search("parameter_golf", **{**ASKED, "confirm": False, "trials": 2, name: value})
    assert "--" not in str(raised.value) and "\n" not in str(raised.value)
    assert [path for path in sorted(workplace.rglob("*")) if path not in before and "cache" not in path.parts] == []


def test_an_argument_that_does_not_exist_or_does_not_go_there_is_a_type_error_with_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"search\(\) has no argument 'trails': did you mean 'trials'"):
        tuner.search("parameter_golf", trails=3)
    with pytest.raises(TypeError, match=r"replay\(\) has no argument 'trials'"):
        tuner.replay("parameter_golf", "H1", trials=3)
    with pytest.raises(ValueError, match="unknown space 'parameter_gulf': did you mean 'parameter_golf'"):
        tuner.search("parameter_gulf")
    with pytest.raises(ValueError, match="which recorded runs"):
        tuner.replay("parameter_golf")
    with pytest.raises(ValueError, match="nothing is no campaign"):
        tuner.load("nothing")


def test_the_arguments_are_the_fields_of_the_spec_and_of_a_start() -> None:
    shown = set(inspect.signature(tuner.search).parameters) - {"space", "display"}
    spec = {f.name for f in fields(CampaignSpec)} - {"space", "replay", "carried"}  # carried: of confirm_scale's own
    assert shown == spec | {"data", "name", "results", "hours", "address", "audit", "notify", "log"}
    replayed = set(inspect.signature(tuner.replay).parameters)
    assert {"rows", "reading", "seeds"} <= replayed and "confirm" not in replayed
    assert set(arguments.parameters(modes.RESUME)) >= {"trials", "data", "concurrent"}


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ("--concurrent is 8", "concurrent is 8"),
        ("--no-confirm and --no-reuse", "confirm=False and reuse=[]"),
        ("--set takes, --constraint, --gpu-fraction", "overrides takes, constraints, gpu_fraction"),
        ("--reading goes with --replay or --resume", "reading goes with replay() or resume()"),
        (
            "choose another --name, or go on with: python -m tuner.run --resume night",
            "choose another name, or go on with: tuner.load('night').resume()",
        ),
        (
            "say: python -m tuner.run --resume night --results 'my runs' --data PLACE. To use what is there",
            "say: tuner.load('my runs/night').resume(data='PLACE'). To use what is there",
        ),
        ("give more, or --set data.vocab_size=288.", "give more, or overrides={'data.vocab_size': 288}."),
        ("(--show all lists them)", "(python -m tuner.run --show all lists them)"),
        ("a -- b --nothing-known", "a -- b --nothing-known"),
    ],
)
def test_messages_name_arguments_where_the_command_line_names_options(said, there) -> None:
    assert in_python(said) == there


def test_an_interruption_ends_the_search_in_order_and_is_raised(played, capsys) -> None:
    def interrupted(campaign: Search) -> None:
        campaign.start(campaign.next().key)
        signal.raise_signal(signal.SIGINT)

    played.append(interrupted)
    handlers = [signal.getsignal(number) for number in program.ENDING]
    with pytest.raises(KeyboardInterrupt, match="interrupted"):
        tuner.search("parameter_golf", trials=3, confirm=False, name="cut", **ASKED)
    assert [signal.getsignal(number) for number in program.ENDING] == handlers
    played.clear()
    campaign = tuner.load("runs/cut")
    assert list(campaign.trials["status"]) == ["interrupted"]
    assert list(campaign.resume().trials["status"] == "running") == [False] * len(campaign.trials)


def test_a_second_interruption_does_not_end_the_process_of_a_notebook(played) -> None:
    def twice(campaign: Search) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    played.append(twice)
    with pytest.raises(KeyboardInterrupt):
        tuner.search("parameter_golf", trials=3, confirm=False, name="twice", **ASKED)


def test_it_works_in_a_thread_and_inside_a_running_event_loop() -> None:
    found: list[tuner.Campaign] = []

    async def cell(name: str) -> None:
        found.append(tuner.search("parameter_golf", trials=2, confirm=False, name=name, **ASKED))

    asyncio.run(cell("loop"))
    thread = threading.Thread(target=lambda: asyncio.run(cell("thread")))
    thread.start()
    thread.join()
    assert [len(campaign.trials) for campaign in found] == [2, 2]


def test_a_second_campaign_at_once_is_refused_and_the_first_goes_on(monkeypatch) -> None:
    said: list[str] = []
    begin = start.begin

    def begin_another_meanwhile(*asked):
        with pytest.raises(ValueError, match="another campaign runs in this process") as refused:
            tuner.search("parameter_golf", trials=1, confirm=False, name="second", **ASKED)
        said.append(str(refused.value))
        return begin(*asked)

    monkeypatch.setattr(start, "begin", begin_another_meanwhile)
    first = tuner.search("parameter_golf", trials=1, confirm=False, name="first", **ASKED)
    monkeypatch.setattr(start, "begin", begin)
    assert len(said) == 1 and len(first.trials) == 1 and not first.folder.with_name("second").exists()
    assert len(tuner.search("parameter_golf", trials=1, confirm=False, name="third", **ASKED).trials) == 1


def test_a_process_that_uses_ray_already_is_told_so(monkeypatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    with pytest.raises(ValueError, match=r"connected to a Ray cluster already: call ray\.shutdown\(\) first"):
        tuner.search("parameter_golf", **ASKED)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)


def test_two_objectives_have_a_front_and_no_best() -> None:
    asked = {"objective": "val_loss,train_seconds", "name": "two"}
    campaign = tuner.search("parameter_golf", trials=4, **asked, **ASKED)
    assert 1 <= len(campaign.front()) <= len(campaign.trials) and "best" not in repr(campaign)
    with pytest.raises(ValueError, match="no trial is simply the best"):
        campaign.best()
    assert isinstance(campaign.front(), pd.DataFrame)


def test_importing_it_is_cheap_and_says_what_is_there() -> None:
    code = """
import sys, tuner
heavy = {"torch", "pandas", "ray", "optuna", "pyarrow", "numpy", "rich", "pydantic", "fsspec"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert {"search", "replay", "load", "Campaign"} <= set(dir(tuner))
from tuner import search_loop
from tuner.proposals import replay_plan
assert callable(tuner.search) and callable(tuner.replay) and callable(tuner.load)
"""
    root = Path(tuner.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.returncode == 0, done.stderr


def test_the_page_about_it_names_what_is_there() -> None:
    page = (Path(tuner.__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    called = set(re.findall(r"\btuner\.(\w+)", page)) - {"run"}
    assert {"search", "replay", "load"} < called and all(hasattr(tuner, name) for name in called)
    section = page.partition("## A campaign")[2].partition("##")[0]
    table = "".join(line for line in section.splitlines() if line.startswith("|"))
    members = set(re.findall(r"\bcampaign\.(\w+)", page)) | set(re.findall(r"`(\w+)(?:\(\))?`", table))
    members -= {"folder", "overrides", "CampaignSpec"}
    assert len(members) > 8 and all(hasattr(tuner.Campaign, name) for name in members)
    named = set(re.findall(r"`(\w+)`", page.partition("## Arguments")[2].partition("##")[0]))
    known = set(inspect.signature(tuner.search).parameters)
    assert {"scale", "overrides", "reuse"} <= named and named - known <= {"ValueError", "TypeError"}


@pytest.mark.parametrize("place", [object(), ["runs"], {}, b"runs"])
def test_a_place_of_another_type_is_refused_instead_of_becoming_a_folder_of_its_text(place) -> None:
    with pytest.raises(ValueError, match=r"results is .* but must be a path, a URL or a campaign"):
        tuner.search("parameter_golf", results=place)
