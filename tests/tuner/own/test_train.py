"""``tuner.tune`` with the executor that plays Ray: proposals, rows, stopping, confirmation, going on, refusals."""

from __future__ import annotations

import json
import signal
import threading
from functools import partial
from pathlib import Path

import pytest
import ray
from ray import cloudpickle

import tuner
from results import report
from tuner import start, status
from tuner.own import train as own_train
from tuner.own.running import Running
from tuner.own.worker import task_of
from tuner.run import main

SPACE = {"lr": "0.001..1 log", "width": "4..64", "act": "relu|gelu"}
BASE = {"lr": 0.01, "width": 16, "act": "relu"}
ASKED = {"base": BASE, "steps": 100, "results": "runs", "display": False}


def loss(config, report) -> float:
    """Falls with the steps, best at a rate of 0.1 and with gelu; seeds add noise."""
    best = abs(config["lr"] - 0.1) + (config["act"] == "relu") * 0.3
    value = best + config["seed"] % 7 / 1000
    for step in range(5, config["steps"] + 1, 5):
        report(step, value + 1 / step)
    return value


@pytest.fixture(autouse=True)
def played(monkeypatch, tmp_path, play):
    """Campaigns run by the executor that plays Tune; returns where to put what happens meanwhile."""
    meanwhile = []

    class OwnTune(play):
        train = None

        def _train(self, request):
            sent = self.search.here.worker.keywords
            train, asked = cloudpickle.loads(sent["train"]), json.loads(request.to_json())
            running = Running(train, task_of(asked, sent["objective"], sent["maximise"]))
            result = {"done": False}
            try:
                while not result["done"]:
                    result = running.next()
                    yield result
            finally:
                running.stop()

    def run_on_ray(console, campaign, here, tick) -> None:
        with start.interruptible(campaign):
            tune = OwnTune(campaign)
            for happens in meanwhile:
                happens(tune)
            tune.run()
        campaign.abandon()

    def no_ray(**options) -> None:
        raise AssertionError("Ray must not start")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray, "init", no_ray)
    monkeypatch.setattr(start, "on_ray", lambda console, here, address: here)
    monkeypatch.setattr(start, "run_on_ray", run_on_ray)
    return meanwhile


def test_a_function_is_searched_stopped_early_and_confirmed_on_fresh_seeds_paired_with_the_base() -> None:
    campaign = tuner.tune(loss, SPACE, trials=12, confirm="2x2", name="mine", **ASKED)
    trials = campaign.trials
    assert len(trials) == 12 and set(trials["status"]) == {"completed", "stopped"} and trials["is_base"].sum() == 1
    assert set(trials["objective"]) == {"loss"} and set(trials["seed"]) == {1337} and set(trials["budget"]) == {100.0}
    assert trials[["tokens", "val_loss", "val_bpb", "device", "tokens_per_second", "parameters"]].isna().all().all()
    assert (trials["lr"].dtype, trials["width"].dtype) == ("float64", "Int64") and set(trials["act"]) == {
        "relu",
        "gelu",
    }
    stopped = trials[trials["status"] == "stopped"]
    assert set(stopped["rung"]) <= {25.0, 50.0} and (stopped["last_value"] > stopped["cutoff"]).all()
    assert len(campaign.confirmations) == 6 and set(campaign.confirmations["seed"]) == {1338, 1339}
    best = campaign.best()
    assert best.confirmed and best.difference < 0 and campaign.verdicts()["better"].any()
    assert best.config.keys() == {*SPACE, "seed", "steps"} and best.config["steps"] == 100
    whole = campaign.reports[campaign.reports["key"] == trials["key"][0]]
    assert list(whole["milestone"]) == [9, 18, 25, 27, 36, 45, 50, 55, 64, 73, 82, 91, 100]
    assert list(whole["step"])[:3] == [10, 20, 25] and whole["reported_value"].is_monotonic_decreasing
    assert campaign.spec.objective == "loss" and "mine" in repr(campaign)


def test_the_same_seed_proposes_the_same_trials() -> None:
    first, second = (tuner.tune(loss, SPACE, trials=6, confirm=False, concurrent=1, **ASKED) for _ in range(2))
    assert first.folder != second.folder and list(first.trials["key"]) == list(second.trials["key"])
    other = tuner.tune(loss, SPACE, trials=6, confirm=False, concurrent=1, seed=5, **ASKED)
    assert set(other.trials["seed"]) == {5} and not set(other.trials["key"]) & set(first.trials["key"])


def test_what_is_to_be_highest_is_kept_negated_under_a_name_that_says_so() -> None:
    def accuracy(config, report) -> float:
        return 1 - loss(config, lambda step, value: report(step, 1 - value))

    asked = {**ASKED, "objective": "accuracy", "maximise": True}
    campaign = tuner.tune(accuracy, SPACE, trials=8, confirm=False, name="high", **asked)
    best = campaign.best()
    assert best.objective == "-accuracy" and -1 < best.value < 0 and best.value == campaign.trials["value"].min()


def test_an_exception_is_a_crashed_trial_with_its_traceback_and_others_go_on() -> None:
    def fragile(config, report) -> float:
        if config["act"] == "gelu":
            raise RuntimeError(f"no kernel for width {config['width']}")
        return loss(config, report)

    campaign = tuner.tune(fragile, SPACE, trials=8, confirm=False, name="fragile", **ASKED)
    crashed = campaign.trials[campaign.trials["status"] == "crashed"]
    assert len(crashed) and crashed["reason"].str.startswith("RuntimeError: no kernel for width ").all()
    assert Path("runs/fragile/errors", f"{crashed['key'].iloc[0]}.txt").exists()
    assert (campaign.trials["status"] == "completed").any()


def test_the_same_call_goes_on_with_what_it_began_and_never_trains_a_finished_trial_again(played) -> None:
    def interrupt(tune) -> None:
        tune.run(12)
        signal.raise_signal(signal.SIGTERM)
        tune.run(0)
        for key in list(tune.running):
            tune.search.end(key, {"status": "interrupted"})
            tune._gone(key)

    played.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        tuner.tune(loss, SPACE, trials=8, confirm="1x2", concurrent=2, seed=3, name="long", **ASKED)
    found = tuner.load("runs/long")
    before = found.trials.set_index("key")
    assert "interrupted" in set(before["status"]) and len(before) < 8
    played.clear()
    campaign = tuner.tune(loss, SPACE, name="long", **ASKED)  # trials, seed and design are the campaign's
    after = campaign.trials.set_index("key")
    assert len(after) == 8 and set(after["status"]) <= {"completed", "stopped"} and len(campaign.confirmations) == 4
    ended = before[before["status"].isin(["completed", "stopped"])].index
    assert (after.loc[ended, "attempt"] == 1).all()
    cut = before[before["status"] == "interrupted"].index
    assert (after.loc[cut, "attempt"] == 2).all(), "begun anew"
    assert len(tuner.tune(loss, SPACE, trials=9, name="long", **ASKED).trials) == 9


def test_another_question_under_a_name_that_is_taken_is_refused() -> None:
    tuner.tune(loss, SPACE, trials=2, confirm=False, name="mine", **ASKED)

    def other(config, report) -> float:
        return 1.0

    asked = {"trials": 2, "confirm": False, "name": "mine", **ASKED}
    kept = Path("runs/mine/campaign.json").read_bytes()
    for train, changed, message in (
        (other, {}, r"its train function was another \(loss there, other here\)"),
        (loss, {"steps": 50}, r"asks something else \("),
        (loss, {"seed": 4}, r"asks something else \(seed is 1337 there and 4 here\)"),
        (loss, {"base": {**BASE, "lr": 0.02}}, r"asks something else \("),
        (loss, {"objective": "error"}, r"asks something else \("),
    ):
        with pytest.raises(ValueError, match=message):
            tuner.tune(train, SPACE, **{**asked, **changed})
    with pytest.raises(ValueError, match=r"asks something else \(lr is LogUniform"):
        tuner.tune(loss, {**SPACE, "lr": "0.001..2 log"}, **asked)
    assert Path("runs/mine/campaign.json").read_bytes() == kept


def test_a_function_that_holds_another_value_is_another_under_a_name_that_is_taken() -> None:
    def scaled(factor, config, report) -> float:
        return factor * config["lr"]

    asked = {"trials": 2, "confirm": False, "name": "mine", **ASKED}
    tuner.tune(partial(scaled, 3.0), SPACE, **asked)
    with pytest.raises(ValueError, match=r"the source of scaled, or a value that it holds, has changed"):
        tuner.tune(partial(scaled, 4.0), SPACE, **asked)
    assert len(tuner.tune(partial(scaled, 3.0), SPACE, **{**asked, "trials": 3}).trials) == 3


def test_names_of_no_use_for_a_folder_still_make_one() -> None:
    def _hidden(config, report) -> float:
        return config["lr"]

    asked = {"trials": 1, "confirm": False, **ASKED}
    assert tuner.tune(_hidden, SPACE, **asked).name.startswith("hidden-")
    assert tuner.tune(lambda config, report: 1.0, SPACE, **asked).name.startswith("train-")


@pytest.mark.parametrize(
    "name", ["time_total_s", "done", "trial_id", "config", "time_this_iter_s", "node_ip", "iterations_since_restore"]
)
def test_no_objective_is_called_like_what_ray_puts_into_a_result(name: str) -> None:
    with pytest.raises(ValueError, match="which is a column of the results: choose another name"):
        own_train._objective(name, False)
    assert own_train._objective("mean_loss", False) == "mean_loss", "which Ray knows of, and puts nowhere"


def test_the_commands_answer_about_it_and_a_resume_says_which_call_goes_on(capsys) -> None:
    campaign = tuner.tune(loss, SPACE, trials=6, confirm="1x2", name="mine", **ASKED)
    call = "tuner.tune(train, space, ..., name='mine', results='runs')"
    assert main(["--resume", "mine", "--results", "runs"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "trains by a function of your own" in said and call in said
    with pytest.raises(ValueError, match="trains by a function of your own"):
        campaign.resume(trials=9)
    assert report.main(["runs/mine"]) == 0 and status.main(["runs/mine"]) == 0
    out = capsys.readouterr().out
    assert "Winner: trial" in out and "campaign: mine, train function loss" in out and call in out
    for option in ("--warm-start", "--reuse"):
        asked = ["--space", "parameter_golf", option, "runs/mine", "--dry-run", "--no-audit"]
        assert main(asked) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "of a train function of somebody's own" in said


def test_the_end_prints_calls_and_not_commands(capsys) -> None:
    tuner.tune(loss, SPACE, trials=6, confirm=False, name="mine", **{**ASKED, "display": True})
    out = capsys.readouterr().out
    assert "train: loss - Which config of loss gives the lowest loss?" in out
    runs = str(Path.cwd() / "runs")
    assert f"tuner.tune(train, space, ..., name='mine', results={runs!r}, confirm='3x3..5..30')" in out
    assert "python -m tuner.run" not in out


def test_functions_of_every_kind_reach_a_worker() -> None:
    scale = 3.0

    class Trainer:
        def __call__(self, config, report) -> float:
            return scale * config["lr"]

    def local(factor, config, report) -> float:
        return factor * config["lr"]

    for train in (lambda config, report: scale * config["lr"], Trainer(), partial(local, 3.0)):
        campaign = tuner.tune(train, SPACE, trials=2, confirm=False, **ASKED)
        assert campaign.trials["value"][0] == pytest.approx(0.03)
    typed: dict = {}
    exec("def typed(config, report): return config['lr']", typed)
    assert tuner.tune(typed["typed"], SPACE, trials=1, **ASKED).trials["value"][0] == 0.01


def test_a_program_is_searched_by_its_command_line(tmp_path) -> None:
    line = tuner.command_line("awk 'BEGIN { print \"50 {lr}\"; print {lr} }'")
    campaign = tuner.tune(line, {"lr": "0.001..1 log"}, **{**ASKED, "base": {"lr": 0.01}}, trials=3, confirm=False)
    assert list(campaign.trials["value"].dropna()) and (campaign.reports["step"].isin([50, 100])).all()
    with pytest.raises(ValueError, match=r"the command line has \{lr\}: did you mean"):
        tuner.tune(line, {"lrs": "0.001..1 log"}, **{**ASKED, "base": {"lrs": 0.01}})


LOCK = threading.Lock()
WRONG = {
    "train": ((3, SPACE), {}, "train is 3 but must be a function"),
    "not to be sent": ((lambda config, report, lock=LOCK: 1.0, SPACE), {}, "train cannot be sent"),
    "objective": ((loss, SPACE), {"objective": "a b"}, "objective is 'a b' but must be a name"),
    "column": ((loss, SPACE), {"objective": "seconds"}, "'seconds', which is a column of the results"),
    "maximise": ((loss, SPACE), {"maximise": 1}, "maximise is 1 but must be True or False"),
    "trials": ((loss, SPACE), {"trials": 0}, "trials: '0' is not a whole number"),
    "knob": ((loss, {**SPACE, "value": "0..1"}), {"base": {**BASE, "value": 0.5}}, "must not be called like a column"),
    "ablate": ((loss, SPACE), {"ablate": True, "confirm": False}, "ablate"),
    "name": ((loss, SPACE), {"name": "../x"}, "the campaign name '../x' must begin"),
    "concurrent": ((loss, SPACE), {"concurrent": 4096}, "^concurrent is 4096 but must be in"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_a_value_error_in_one_line_and_leaves_nothing(case: str) -> None:
    given, changed, message = WRONG[case]
    with pytest.raises(ValueError, match=message) as raised:
        tuner.tune(*given, **{**ASKED, **changed})
    assert "\n" not in str(raised.value) and not Path("runs").exists()


def test_a_campaign_of_a_space_is_not_gone_on_with(tmp_path, make_bench) -> None:
    make_bench("runs/toy").search()
    with pytest.raises(ValueError, match="exists already, and searches 'toy', without a train function"):
        tuner.tune(loss, SPACE, name="toy", **ASKED)


def test_rows_that_say_of_one_config_what_another_did_are_refused() -> None:
    campaign = tuner.tune(loss, SPACE, trials=3, confirm=False, name="mine", **ASKED)
    from results.store.campaign_folder import Store

    store = Store.open(campaign.folder)
    row = store.trials()[1]
    store.write_trial({**row, "config": row["config"].replace('"steps": 100', '"steps": 99')})
    with pytest.raises(ValueError, match="has the config of another trial"):
        tuner.tune(loss, SPACE, trials=4, name="mine", **ASKED)


def test_every_name_that_a_result_uses_is_no_objective() -> None:
    from tuner.own.running import Task

    result = Running(lambda config, report: 1.0, Task({}, 1, (), "loss")).next()
    for name in result.keys() - {"loss"}:
        with pytest.raises(ValueError, match="which is a column of the results"):
            own_train._objective(name, False)


def test_the_check_of_campaign_json_knows_all_that_it_keeps_of_a_function() -> None:
    from results.store.campaign_json import CampaignFile, OwnTrain

    folder = tuner.tune(loss, SPACE, trials=1, name="mine", **ASKED).folder
    kept = json.loads((folder / "campaign.json").read_text())
    assert kept["own_train"].keys() == OwnTrain.model_fields.keys() and kept.keys() - {"schema_version"} < (
        CampaignFile.model_fields.keys()
    )
    (folder / "campaign.json").write_text(json.dumps({**kept, "own_train": {**kept["own_train"], "maximise": "no"}}))
    with pytest.raises(ValueError, match=r"own_train.maximise is 'no' but must be true or false"):
        tuner.load(folder)
