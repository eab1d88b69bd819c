from __future__ import annotations

import json
import os
import re
import shlex
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import ray
from filelock import FileLock

import search_spaces
from results import load
from results.store.find import latest
from results.store.names import campaign_folder
from search_spaces import load as load_space
from tests.small_campaign import SET_SMALL, SMALL, play_in_place_of_ray, work_in
from trainable.component_json import decode
from trainable.worker.attempt import STOP_FILE
from tuner import start
from tuner.audit.overrides import INERT, Finding
from tuner.campaign import provenance
from tuner.campaign.driver import only_driver
from tuner.cli import options
from tuner.cluster import connect
from tuner.question import ask
from tuner.run import main
from tuner.search_loop import Search
from tuner.spec import CampaignSpec

ROWS = ["--space", "parameter_golf", "--scale", "proxy", "--results", "runs", "--no-audit"]
ROWS += SET_SMALL
GOLF = [*ROWS, "--no-confirm"]
AT_RANDOM = ["--sampler", "random"]  # every knob leaves the base
AUDITED = [part for part in GOLF if part != "--no-audit"]


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    """A working folder with a little text, and no way to start Ray."""
    work_in(tmp_path, monkeypatch, "text [b]")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    return tmp_path


@pytest.fixture
def without_ray(monkeypatch, play):
    """Campaigns run by the executor that plays Tune; what happens while they run is the test's choice."""
    return partial(play_in_place_of_ray, monkeypatch, play)


def campaign_json(name: str) -> dict:
    return json.loads((Path("runs") / name / "campaign.json").read_text())


def statuses(name: str) -> list[str]:

    return sorted(s for s in load(Path("runs") / name).trials["status"] if s != "infeasible")


def test_a_dry_run_prints_the_plan_and_writes_nothing(workplace, capsys) -> None:
    before = sorted(workplace.rglob("*"))
    assert main([*GOLF, "--trials", "7", "--concurrent", "1", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "7 trials on 1 core, steps 12 each" in out and "model.num_layers=2" in out
    assert "steps 3, 6 of 12" in out and "tokens: at most 3,072 a trial, 21,504 in all" in out
    assert "tokens/s" in out and out.splitlines()[-1].startswith("dry run: nothing was trained")
    assert sorted(workplace.rglob("*")) == before


def test_a_dry_run_plans_for_slots_that_are_not_here(capsys) -> None:
    assert main([*GOLF, "--trials", "64", "--dry-run", "--slots", "32"]) == 0
    out = capsys.readouterr().out
    assert "64 trials on 32 slots" in out and "slots: 32, each like a core" in out and "of 64 whole trials)" in out
    with pytest.raises(SystemExit):
        main([*GOLF, "--slots", "32"])
    assert "--slots goes with --dry-run, not with a search" in capsys.readouterr().err


def test_a_dry_run_without_early_stopping_says_so(capsys) -> None:
    assert main([*GOLF, "--dry-run", "--stopper", "none"]) == 0
    out = capsys.readouterr().out
    assert "early stopping: none; every trial runs to its end" in out and "time without early stopping" not in out


def test_lists_need_neither_ray_nor_a_campaign(capsys) -> None:
    assert main(["--list", "--results", "runs"]) == 0
    assert "parameter_golf: " in capsys.readouterr().out
    assert main(["--list", "--space", "parameter_golf"]) == 0
    assert "optimizer.matrix_lr" in capsys.readouterr().out


def test_a_campaign_ends_with_its_leaderboard_its_files_and_code_0(without_ray, capsys) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "5", "--name", "one"]) == 0
    out = capsys.readouterr().out
    assert f"{Path.cwd() / 'text [b]'}: " in out, "brackets in a name are no markup"
    assert "trials = pandas.read_parquet('runs/one/trials')" in out and "the base config" in out
    assert len(statuses("one")) == 5 and set(statuses("one")) <= {"completed", "stopped"}
    record = campaign_json("one")
    assert record["overrides"] == SMALL | {"data.source": "../../text [b]"}
    assert (record["trials"], record["seed"], record["stopper"], record["scale"]) == (5, None, "predictive", "proxy")
    assert record["ranges"]["optimizer.matrix_lr"]["domain"] == "0.01 .. 0.3 (log)"
    assert record["code_version"] == provenance.code_version() and record["environment"]["torch"]


@pytest.mark.usefixtures("pages")
def test_a_search_ends_with_verdicts_and_its_winner_as_a_command_that_trains_it(without_ray, capsys) -> None:
    without_ray()
    confirmed = [part for part in GOLF if part != "--no-confirm"]
    assert main([*confirmed, "--data", "text [b]", "--trials", "14", "--name", "sure", "--confirm", "2x2"]) == 0
    out = capsys.readouterr().out
    assert "the best 2 and the base on 2 fresh seeds: 6 runs" in out and "established: better" in out
    assert "the verdicts are below" in out and f"--resume sure --results {Path('runs').resolve()} --ablate\n" in out
    assert campaign_json("sure")["confirm"] == "2x2"
    (line,) = [line for line in out.splitlines() if line.startswith("  python -m tuner.run --space")]
    given = options.parse(shlex.split(line)[3:])
    base = ask(load_space(given.spec.space), given.spec).base
    trials = load(Path("runs/sure")).trials
    number = int(out.split("Winner: trial ")[1].split(",")[0])
    (winner,) = trials.loc[trials["number"] == number, "config"]
    assert base.key("") == decode(json.loads(winner)).key("")

    assert main(["--resume", "sure", "--results", "runs", "--ablate"]) == 0
    out = capsys.readouterr().out
    assert "Ablation: " in out and "--ablate" not in out
    stages = load(Path("runs/sure")).rows["stage"].value_counts()
    assert stages["search"] == 14 and stages["confirm"] == 6 and stages["ablate"] > 0
    assert main(["--resume", "sure", "--results", "runs", "--confirm", "2x3"]) == 2
    assert "--confirm 2x3 cannot follow 2x2" in capsys.readouterr().err


def test_what_cannot_be_confirmed_says_so(capsys) -> None:
    two = ["--objective", "val_bpb,train_seconds"]
    confirmed = [part for part in GOLF if part != "--no-confirm"]
    for more, said in (
        ([*two, "--confirm", "3x3"], "is for one objective"),
        (["--ablate", "--no-confirm"], "leave out --no-confirm"),
        ([*two, "--ablate"], "--ablate is for a search for one objective"),
        (
            ["--replay", "H1", "--confirm", "3x3"],
            "--confirm goes with a search or --resume, not with",
        ),
        (["--confirm", "3x1"], "asks for 1 seed, but each candidate takes 2 to 30"),
        (["--confirm", "99x3"], "99 candidates, but 1 to 10 can be confirmed"),
        (["--confirm", "three"], "must be CANDIDATESxSEEDS"),
    ):
        try:
            code = main([*confirmed, *more])
        except SystemExit as ended:
            code = ended.code
        assert code == 2 and said in capsys.readouterr().err


def test_a_given_seed_goes_into_every_trial(without_ray) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "2", "--name", "seeded", "--seed", "7"]) == 0

    assert set(load("runs/seeded").trials["seed"].dropna()) == {7} and campaign_json("seeded")["seed"] == 7


def test_crashed_trials_make_the_exit_code_1_and_are_counted(without_ray, toy_curve, capsys) -> None:
    def crashing(config, milestone):
        if milestone == 12.0 and config.seed == 1337 and config.optimizer.matrix_lr != 0.04:
            raise RuntimeError(f"[/made up] {config.optimizer.matrix_lr}")
        return toy_curve(config, milestone)

    without_ray(curve=crashing)
    assert main([*GOLF, "--data", "text [b]", "--trials", "4", "--name", "bad", "--stopper", "none", *AT_RANDOM]) == 1
    assert "3 runs crashed: the last line of each error is in trials.reason" in capsys.readouterr().out
    assert campaign_json("bad")["stopper"] == "none"


def test_the_same_error_again_and_again_ends_the_campaign_with_a_message(without_ray, toy_curve, capsys) -> None:
    def crashing(config, milestone):
        if config.optimizer.matrix_lr == 0.04:
            return toy_curve(config, milestone)
        raise RuntimeError("[/made up]")

    without_ray(curve=crashing)
    assert main([*GOLF, "--data", "text [b]", "--trials", "9", "--name", "bad", *AT_RANDOM]) == 1
    out = capsys.readouterr().out
    reason = "3 trials in a row ended with the same error: RuntimeError: [/made up]"
    assert f"ended early ({reason}). Go on with: python -m tuner.run --resume bad" in out


def test_a_base_that_crashes_ends_the_campaign_with_its_error_and_a_resume_goes_on_without_the_cause(
    without_ray, capsys
) -> None:
    def crashing(config, milestone):
        raise RuntimeError("[/made up]")

    for trials in ("1", "9"):
        without_ray(curve=crashing)
        name = ["--name", f"bad{trials}", "--concurrent", "1"]
        assert main([*GOLF, "--data", "text [b]", "--trials", trials, *name]) == 1
        why = "the base config crashed, which all others are measured against: RuntimeError: [/made up]"
        go_on = f"Go on with: python -m tuner.run --resume bad{trials} --results runs"
        assert f"ended early ({why}). {go_on}" in capsys.readouterr().out
        without_ray()
        assert main(["--resume", f"bad{trials}", "--results", "runs"]) == 0
        assert len(statuses(f"bad{trials}")) == int(trials) and "crashed" not in statuses(f"bad{trials}")


def test_a_replay_goes_on_after_its_base_has_crashed(without_ray) -> None:
    def crashing(config, milestone):
        if config.seed == 1338:
            return 1.0
        raise RuntimeError(f"{config.optimizer.matrix_lr} {config.model.num_kv_heads}")

    without_ray(curve=crashing)
    assert main([*ROWS, "--data", "text [b]", "--replay", "BASE,1 x2", "--name", "again"]) == 1
    assert statuses("again").count("completed") >= 1 and len(statuses("again")) == 4


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_the_campaign_which_says_how_to_resume_and_ends_with_its_code(
    without_ray, capsys, number
) -> None:
    handler = signal.getsignal(number)

    def signalled(campaign: Search) -> None:
        request = campaign.next()
        campaign.start(request.key)
        signal.raise_signal(number)
        assert (campaign.folder / STOP_FILE).exists() and campaign.exhausted

    without_ray(signalled)
    assert main([*GOLF, "--data", "text [b]", "--trials", "3", "--name", "cut"]) == 128 + number
    assert "ended early (interrupted). Go on with: python -m tuner.run --resume cut" in capsys.readouterr().out
    assert statuses("cut") == ["interrupted"] and signal.getsignal(number) == handler

    without_ray()
    assert main(["--resume", "cut", "--results", "runs"]) == 0
    assert len(statuses("cut")) == 3 and "interrupted" not in statuses("cut")


def test_ctrl_c_before_the_search_is_no_traceback(monkeypatch, capsys) -> None:
    def interrupted(*args, **options) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "read_data", interrupted)
    assert main([*GOLF, "--name", "early"]) == 130
    assert capsys.readouterr().err == "python -m tuner.run: interrupted\n"
    assert not Path("runs").exists()


@pytest.mark.parametrize(("error", "code"), [(ValueError("Ray did not start"), 2), (KeyboardInterrupt(), 130)])
def test_a_start_that_fails_before_its_first_trial_leaves_nothing_and_its_name_free(
    without_ray, monkeypatch, capsys, error, code
) -> None:
    def fails(*arguments) -> None:
        raise error

    command = [*GOLF, "--data", "text [b]", "--trials", "1", "--name", "night"]
    monkeypatch.setattr(connect, "connect", fails)
    assert main(command) == code and not Path("runs").exists()
    without_ray()
    monkeypatch.setattr(start, "run_on_ray", fails)
    assert main(command) == code and statuses("night") == []
    without_ray()
    assert main(command) == 0 and statuses("night") == ["completed"]
    capsys.readouterr()
    assert main(command) == 2
    assert "campaign 'night' exists already: choose another --name, or go on with: " in capsys.readouterr().err


def test_a_resume_asks_the_same_question_and_runs_what_is_left(without_ray, capsys, monkeypatch) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "2", "--name", "grow", "--stopper", "none"]) == 0
    capsys.readouterr()
    assert main(["--resume", "grow", "--results", "runs"]) == 0
    assert "nothing left to do: all of 2 trials ended (--trials asks for more)" in capsys.readouterr().out
    assert main(["--resume", "grow", "--results", "runs", "--trials", "1"]) == 2
    assert "--trials 1 is fewer than the 2 that campaign 'grow' has started" in capsys.readouterr().err
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main(["--resume", "../runs/grow", "--trials", "5"]) == 0
    monkeypatch.chdir("..")
    assert statuses("grow") == ["completed"] * 5


def test_a_resume_that_asks_for_more_trials_sets_damage_aside_as_any_other_does(without_ray, capsys) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "2", "--name", "hurt", "--stopper", "none"]) == 0
    part = Path("runs/hurt/trials/part-000000.parquet")
    part.write_bytes(part.read_bytes()[:-50])
    capsys.readouterr()
    assert main(["--resume", "hurt", "--results", "runs", "--trials", "3"]) == 0
    assert "set aside as damaged/trials/part-000000.parquet: " in capsys.readouterr().out
    assert statuses("hurt") == ["completed"] * 3


def test_a_resume_refuses_other_data_another_space_and_another_version_of_it(without_ray, capsys, monkeypatch) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "1", "--name", "old"]) == 0
    capsys.readouterr()
    again = ["--resume", "old", "--results", "runs", "--trials", "2"]
    (Path("text [b]") / "0.txt").write_text("something else")
    assert main(again) == 2
    assert "the data have changed since campaign 'old' began" in capsys.readouterr().err
    path = Path("runs/old/campaign.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"base": record["base"] | {"seed": 1}}))
    assert main(again) == 2
    assert "was started with another version of space 'parameter_golf'" in capsys.readouterr().err
    assert main([*again, "--space", "ngpt"]) == 2
    assert "campaign 'old' searches 'parameter_golf', not 'ngpt'" in capsys.readouterr().err
    assert statuses("old") == ["completed"]


def test_a_campaign_has_one_driver_at_a_time(without_ray, capsys) -> None:
    def second_driver(campaign: Search) -> None:
        assert main(["--resume", "busy", "--results", "runs"]) == 2
        assert "campaign 'busy' is being run by another process" in capsys.readouterr().err

    without_ray(second_driver)
    assert main([*GOLF, "--data", "text [b]", "--trials", "1", "--name", "busy"]) == 0
    with FileLock("runs/busy/.lock", timeout=0):
        pass


def test_the_latest_campaign_is_the_one_that_was_started_last(make_bench, tmp_path) -> None:
    for age, name in enumerate(("new", "old")):
        bench = make_bench(name)
        bench.folder = tmp_path / "runs" / name
        bench.store()
        os.utime(bench.folder / "campaign.json", (1e9 - age, 1e9 - age))
    assert latest(tmp_path / "runs", "resume").name == "new"
    assert start.usable_campaign(tmp_path / "runs", "old") == campaign_folder(tmp_path / "runs", "old")
    assert start.usable_campaign(Path("elsewhere"), str(tmp_path / "runs" / "old")) == tmp_path / "runs" / "old"


def test_a_base_outside_the_range_of_its_own_knob_is_refused() -> None:
    space = search_spaces.load("parameter_golf")
    with pytest.raises(ValueError, match=r"model.num_kv_heads is 8 in the base but is searched in 1 \| 2 \| 4"):
        base = space.scales["proxy"].base

        scales = {
            "proxy": replace(space.scales["proxy"], base=replace(base, model=replace(base.model, num_kv_heads=8)))
        }
        ask(replace(space, scales=scales), CampaignSpec(space=space.name, scale="proxy"))


def test_two_starts_in_one_second_are_two_campaigns(without_ray, monkeypatch) -> None:
    without_ray()
    monkeypatch.setattr(time, "strftime", lambda *args: "now")
    command = [*GOLF, "--data", "text [b]", "--trials", "1"]
    assert main(command) == main(command) == 0
    assert sorted(os.listdir("runs")) == ["parameter_golf-proxy-now", "parameter_golf-proxy-now-2"]


def test_the_audit_names_what_changes_nothing_before_anything_is_spent(without_ray, monkeypatch, capsys) -> None:
    without_ray()
    dead = Finding("optimizer.matrix_lr", INERT, 0.3, 0.04, 0.0, "while made_up=1")
    monkeypatch.setattr("tuner.audit.overrides.audit_space", lambda space, base: [dead])
    assert main([*AUDITED, "--data", "text [b]", "--trials", "3", "--name", "audited", *AT_RANDOM]) == 0
    out = capsys.readouterr().out
    assert out.index("optimizer.matrix_lr (while made_up=1)") < out.index("campaign: ")
    assert campaign_json("audited")["inert"] == ["optimizer.matrix_lr"]
    trials = load("runs/audited").trials
    changed = trials["overrides"].map(json.loads).map(lambda o: [p for p in o if p == "optimizer.matrix_lr"])
    assert trials["inert"].dropna().map(json.loads).tolist() == changed[trials["inert"].notna()].tolist()
    assert any(changed)


@pytest.mark.parametrize("asked", [["--dry-run"], []], ids=["plan", "start"])
def test_data_that_are_too_few_are_refused_before_the_audit(workplace, monkeypatch, capsys, asked) -> None:
    def too_early(*given: object) -> None:
        raise AssertionError("the audit takes a minute")

    (workplace / "few.txt").write_text("little text " * 40)
    monkeypatch.setattr(start, "audited", too_early)
    assert main([*AUDITED, "--data", "few.txt", *asked]) == 2
    said = capsys.readouterr()
    assert ("tokens" in said.err) and said.err.count("\n") == 1 and "audit" not in said.out


def test_a_start_says_what_its_limits_and_hours_cut_before_its_trials_begin(without_ray, capsys) -> None:
    without_ray()
    asked = ["--constraint", "step_seconds<=1e-7", "--hours", "1e-4", "--name", "cut", "--trials", "2"]
    assert main([*GOLF, "--data", "text [b]", *asked]) in (0, 1)
    out = capsys.readouterr().out
    assert out.index("limit: step_seconds<=1e-07, and about ") < out.index("campaign: ")
    assert out.index("none will have completed; what runs is left for --resume") < out.index("campaign: ")


def test_what_changes_nothing_in_a_replayed_run_stands_in_its_row(without_ray, monkeypatch) -> None:
    without_ray()
    monkeypatch.setattr("tuner.audit.recorded.inert_of_row", lambda space, id, reading: ["schedule.made_up"])
    monkeypatch.setattr("tuner.audit.overrides.audit_fixed", lambda *given: [])
    rows = [part for part in ROWS if part != "--no-audit"]
    assert main([*rows, "--data", "text [b]", "--replay", "N3", "--name", "again"]) == 0
    (inert,) = set(load("runs/again").trials["inert"])
    assert json.loads(inert) == ["schedule.made_up"]


def test_a_setting_that_changes_nothing_is_named_before_anything_is_spent(monkeypatch, capsys) -> None:
    monkeypatch.setattr("tuner.audit.overrides.audit_space", lambda space, base: [])
    settings = ["--set", "model.tie_embeddings=true", "--set", "optimizer.embed_lr=1"]
    assert main([*AUDITED, "--data", "text [b]", *settings, "--dry-run"]) == 0
    said = "nothing here: optimizer.embed_lr (while model.tie_embeddings=true)"
    out = capsys.readouterr().out
    assert said in out and "1 of 12 settings sets what is there without it: model.tie_embeddings" in out
    assert "3 of 12 settings cannot show in its shortened runs, which is no fault: budget.steps, " in out
    assert "20 of 20 knobs are not audited, as no other value makes a valid run" in out, "none has a finding"


def test_a_replay_trains_the_rows_it_was_asked_for_and_ends_with_the_comparison(without_ray, capsys) -> None:
    without_ray()
    rows = ["--replay", "BASE,N3,1", "--replay", "1 x2"]
    assert main([*ROWS, "--data", "text [b]", *rows, "--name", "again"]) == 0
    out = capsys.readouterr().out
    assert "plan: recorded runs as_run: 3, as different trainings 2, with all seeds 3 trials; on " in out
    assert "noise of a run in the log: SD 0.0018 with 13 degrees of freedom" in out
    found = load("runs/again").trials
    assert sorted(zip(found["recorded_id"], found["seed"], strict=True)) == [("1", 1337), ("1", 1338), ("BASE", 1337)]
    assert set(found["reading"]) == {"as_run"} and found["is_base"].sum() == 1
    assert len(load("runs/again").reports) >= 3 * 3, "a replay keeps the curves"
    assert main(["--resume", "again", "--results", "runs"]) == 0
    assert "nothing left to do" in capsys.readouterr().out


def test_a_budget_whose_steps_nobody_knows_is_not_audited_and_says_so(capsys) -> None:
    timed = [part.replace("budget.steps=12", "budget.steps=null") for part in GOLF if part != "--no-audit"]
    assert main([*timed, "--set", "budget.seconds=60", "--dry-run"]) == 0
    assert "audit: not done: " in capsys.readouterr().out


def test_objectives_and_constraints_are_kept_and_a_resume_goes_on_with_them(without_ray, capsys) -> None:
    without_ray()
    asked = ["--objective", "val_loss,train_seconds", "--constraint", "parameters<=1e9", "--name", "two"]
    assert main([*GOLF, "--data", "text [b]", "--trials", "3", *asked]) == 0
    out = capsys.readouterr().out
    assert "objectives: the Pareto front of val_loss and train_seconds; nothing is stopped early" in out
    assert "constraints: parameters<=1000000000" in out and "completed front" in out
    record = campaign_json("two")
    assert record["objectives"] == ["val_loss", "train_seconds"] and record["stopper"] == "none"
    assert record["constraints"] == ["parameters<=1000000000"]
    assert main(["--resume", "two", "--results", "runs", "--trials", "5"]) == 0
    assert statuses("two") == ["completed"] * 5 and "constraints: parameters<=" in capsys.readouterr().out


def test_the_limit_of_the_artifact_itself_is_announced_with_the_others_as_the_report_has_it(capsys) -> None:
    asked = ["--set", "artifact=Artifact", "--constraint", "parameters<=1e9"]
    assert main([*GOLF, "--data", "text [b]", "--trials", "3", *asked, "--dry-run"]) == 0
    assert "constraints: parameters<=1000000000; artifact_bytes<=16000000\n" in capsys.readouterr().out


def test_expert_ranges_are_kept_and_a_resume_goes_on_with_them(without_ray) -> None:
    without_ray()
    asked = ["--likely", "optimizer.matrix_lr=0.02..0.021", "--name", "expert"]
    assert main([*GOLF, "--data", "text [b]", "--trials", "3", *asked]) == 0
    assert campaign_json("expert")["likely"] == ["optimizer.matrix_lr=0.02..0.021"]
    assert main(["--resume", "expert", "--results", "runs", "--trials", "5"]) == 0
    rates = pd.read_parquet("runs/expert/trials").sort_values("number")["optimizer.matrix_lr"].tolist()
    assert len(rates) == 5 and all(0.02 <= rate <= 0.021 for rate in rates[1:])


def test_a_warm_start_and_a_reuse_are_announced_kept_and_survive_a_resume(without_ray, capsys) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "3", "--name", "first"]) == 0
    asked = ["--warm-start", "recorded", "runs/first", "--reuse", "runs/first", "--name", "second", "--sampler", "gp"]
    capsys.readouterr()
    assert main([*GOLF, "--data", "text [b]", "--trials", "3", *asked]) == 0
    out = capsys.readouterr().out
    known = r"warm start: \d+ of recorded, \d of first; "
    assert re.search(known + r"left out \d+: [^;]+;.* as a trend and lengths of its model, dropped", out, re.DOTALL)
    assert re.search(r"reuse: \d finished trials? of runs/first", out)
    table = load(Path("runs") / "second").trials
    assert table.loc[table["is_base"].fillna(False).astype(bool), "reused_from"].tolist() == ["first"]
    prior = campaign_json("second")["prior"]
    assert {point["source"] for point in prior} == {"recorded", "first"}
    assert {point["same"] for point in prior if point["source"] == "first"} == {True}
    assert main(["--resume", "second", "--results", "runs", "--trials", "4"]) == 0
    out = capsys.readouterr().out
    assert "reuse: " in out and len(statuses("second")) == 4
    assert re.search(known + r"as a trend and lengths", out), "a resume goes on with it"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objective", "val_bbp"], "unknown objective 'val_bbp'"),
        (["--objective", "val_bpb_quantised"], "needs an artifact: --set artifact=Artifact"),
        (["--constraint", "artifact_bytes<=16e6"], "needs an artifact: --set artifact=Artifact"),
        (["--constraint", "peak_memory_bytes<=1e9"], "measured on a GPU only"),
        (["--data", "text [b]", "--constraint", "parameters<=10"], "the base breaks a constraint: parameters"),
        (["--data", "text [b]", "--warm-start", "nowhere"], "--warm-start: nowhere is no campaign"),
        (["--data", "text [b]", "--reuse", "nowhere"], "nowhere is no campaign"),
        (["--objective", "val_bpb,train_seconds", "--stopper", "asha"], "--stopper asha judges by one objective"),
        (["--objective", "val_bpb,train_seconds", "--warm-start", "recorded"], "--warm-start is for one objective"),
        (["--objective", "val_loss", "--replay", "H1"], "--objective goes with a search, not with --replay"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_line_and_exit_code_2(capsys, arguments, message) -> None:
    try:
        code = main([*GOLF, *arguments])
    except SystemExit as ended:
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2 and message in error and error.count("\n") == 1
    assert not list(Path("runs").glob("*/campaign.json"))


def test_a_campaign_whose_data_were_moved_goes_on_with_the_same_trials(without_ray, capsys, toy_curve) -> None:
    def interrupted(campaign: Search) -> None:
        request = campaign.next()
        campaign.start(request.key)
        signal.raise_signal(signal.SIGINT)

    without_ray(interrupted)
    assert main([*GOLF, "--data", "text [b]", "--trials", "3", "--name", "moved"]) == 130
    (key,) = load("runs/moved").trials["key"]
    os.rename("text [b]", "elsewhere")
    capsys.readouterr()
    without_ray()
    again = ["--resume", "moved", "--results", "runs"]
    assert main(again) == 2
    hint = "If the data were moved, say where they are: python -m tuner.run --resume moved --results runs --data PLACE"
    assert hint in capsys.readouterr().err
    assert main([*again, "--data", "nanochta"]) == 2
    assert "did you mean 'nanochat'? If the data were moved" in capsys.readouterr().err
    os.mkdir("others")
    Path("others/a.txt").write_text(" ".join(map(str, range(9999))))
    Path("others/b.txt").write_text(" ".join(map(str, range(9999))))
    assert main([*again, "--data", "others"]) == 2
    assert "the data have changed since campaign 'moved' began" in capsys.readouterr().err
    asked = []
    without_ray(lambda campaign: asked.extend(campaign.queue.waiting))
    assert main([*again, "--data", "elsewhere"]) == 0
    assert [(entry.key, entry.config.data.source) for entry in asked] == [(key, str(Path.cwd() / "elsewhere"))]
    assert key in set(load("runs/moved").trials["key"]) and len(statuses("moved")) == 3
    assert main([*again, "--trials", "4"]) == 0, "the place is remembered"
    assert campaign_json("moved")["overrides"]["data.source"] == "../../elsewhere"


def test_a_resume_removes_what_killed_writers_left_once_it_holds_the_campaign(without_ray, capsys) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "1", "--name", "killed"]) == 0
    left = Path("runs/killed/trials/.0123456789abcdef.parquet.0123abcd")
    left.write_bytes(b"half")
    again = ["--resume", "killed", "--results", "runs"]
    with only_driver(Path("runs/killed").absolute()):
        assert main(again) == 2 and left.exists()
    assert main(again) == 0 and not left.exists()


def test_a_replay_whose_data_were_moved_goes_on_with_the_same_trainings(without_ray, capsys) -> None:
    def interrupted(campaign: Search) -> None:
        campaign.start(campaign.next().key)
        signal.raise_signal(signal.SIGINT)

    without_ray(interrupted)
    assert main([*ROWS, "--data", "text [b]", "--replay", "BASE,1", "--name", "moved"]) == 130
    (begun,) = load("runs/moved").trials["key"]
    os.rename("text [b]", "elsewhere")
    without_ray()
    again = ["--resume", "moved", "--results", "runs"]
    capsys.readouterr()
    assert main(again) == 2 and f"{shlex.join(again)} --data PLACE" in capsys.readouterr().err
    asked = []
    without_ray(lambda campaign: asked.extend(campaign.queue.waiting))
    assert main([*again, "--data", "elsewhere"]) == 0
    assert [(entry.key, entry.config.data.source) for entry in asked] == [(begun, str(Path.cwd() / "elsewhere"))]
    trials = load("runs/moved").trials
    assert begun in set(trials["key"]) and list(trials["status"]) == ["completed"] * 2
    assert main(again) == 0, "the place is remembered"


def test_data_that_have_a_name_cannot_have_moved(make_bench, capsys) -> None:
    bench = make_bench("named")
    bench.folder = Path("runs/named")
    bench.store()
    asked = {"overrides": {}, "base": {}, "trials": 1, "seed": None, "data": "x"}
    asked |= {"space": "parameter_golf", "stopper": "asha", "fidelity": "truncate"}
    Path("runs/named/campaign.json").write_text(json.dumps(campaign_json("named") | asked))
    assert main(["--resume", "named", "--results", "runs", "--data", "text [b]"]) == 2
    assert "--data is for data that were moved: campaign 'named' reads none from a place" in capsys.readouterr().err


def test_a_campaign_goes_on_when_the_one_it_reused_has_gone(without_ray, capsys) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "2", "--name", "first"]) == 0
    assert main([*GOLF, "--data", "text [b]", "--trials", "2", "--name", "second", "--reuse", "runs/first"]) == 0
    os.rename("runs/first", "runs/kept")
    again = ["--resume", "second", "--results", "runs", "--trials", "3"]
    capsys.readouterr()
    assert main(again) == 2
    error = capsys.readouterr().err
    assert f"reuses trials of {Path.cwd() / 'runs/first'}, where no campaign is now" in error and error.count("\n") == 1
    assert "--reuse FOLDER" in error and "--no-reuse" in error
    assert main([*again, "--reuse", "runs/kept", "./runs/kept"]) == 2
    assert "--reuse: 'runs/kept' is given twice" in capsys.readouterr().err
    assert main([*again, "--no-reuse", "--checkpoint-every", "12"]) == 2
    assert "--checkpoint-every 12 would write nothing: trials have 12 steps" in capsys.readouterr().err
    assert main([*again, "--reuse", "runs/kept"]) == 0
    assert "reuse: 2 finished trials of runs/kept" in capsys.readouterr().out
    assert campaign_json("second")["reuse"] == ["../kept"]
    os.rename("runs/kept", "runs/gone")
    again[-1] = "4"
    assert main([*again, "--no-reuse"]) == 0 and len(statuses("second")) == 4
    assert main(again) == 0, "that is remembered"
    assert "first" in set(load("runs/second").trials["reused_from"].dropna())


def test_more_evaluation_than_there_is_text_is_refused_before_ray_starts(workplace, capsys) -> None:
    """``no_ray`` would raise: the validation text is read, and nothing is made."""
    golf = ["evaluation.tokens=1000000000000" if part == "evaluation.tokens=512" else part for part in GOLF]
    assert main([*golf, "--data", "text [b]", "--trials", "2"]) == 2
    error = capsys.readouterr().err
    assert "evaluation.tokens is 1,000,000,000,000 but the validation stream has only" in error
    assert error.count("\n") == 1 and not Path("runs").exists()


def test_a_resume_goes_on_as_it_was_begun_and_remembers_what_it_was_told(without_ray, capsys) -> None:
    without_ray()
    told = ["--concurrent", "1", "--stall-minutes", "7", "--compile"]
    assert main([*GOLF, "--data", "text [b]", "--trials", "2", "--name", "kept", *told]) == 0
    found: list[Search] = []
    without_ray(found.append)
    again = ["--resume", "kept", "--results", "runs"]
    assert main([*again, "--trials", "3"]) == 0
    assert (found[0].here.slots, found[0].spec.stall_minutes, found[0].spec.compile) == (1, 7.0, True)
    assert main([*again, "--trials", "4", "--no-compile"]) == 0 and not found[1].spec.compile
    record = campaign_json("kept")
    assert (record["trials"], record["concurrent"], record["compile"]) == (4, 1, False)
    capsys.readouterr()
    assert main([*again, "--cpus", "4096"]) == 2 and campaign_json("kept") == record, "what is refused changes nothing"


def test_a_campaign_of_the_version_before_is_resumed_and_is_of_this_one_then(without_ray, capsys) -> None:
    without_ray()
    assert main([*ROWS, "--data", "text [b]", "--trials", "2", "--name", "old", "--confirm", "1x2"]) == 0
    file = Path("runs/old/campaign.json")
    new = ("spec_version", "concurrent", "gpu_fraction", "cpus", "mixed_devices", "stall_minutes")
    file.write_text(json.dumps({name: value for name, value in campaign_json("old").items() if name not in new}))
    assert main(["--resume", "old", "--results", "runs", "--trials", "4"]) == 0
    record = campaign_json("old")
    assert (record["spec_version"], record["trials"], record["confirm"]) == (2, 4, "1x2")


def test_a_plan_of_a_resume_is_of_what_is_left(without_ray, capsys) -> None:
    without_ray()
    assert main([*ROWS, "--data", "text [b]", "--trials", "2", "--name", "part", "--confirm", "1x2"]) == 0
    capsys.readouterr()
    again = ["--resume", "part", "--results", "runs", "--dry-run"]
    assert main([*again, "--trials", "5"]) == 0
    out = capsys.readouterr().out
    assert "left: 3 of 5 trials" in out and "tokens: at most 3,072 a trial, 9,216 in all" in out
    assert campaign_json("part")["trials"] == 2, "a plan changes nothing"
    assert main([*again, "--trials", "3"]) == 0
    out = capsys.readouterr().out
    assert "left: 1 of 3 trials" in out and "\nweights: the best trial and the base stay, 2 files, " in out, out
    assert "the checkpoints of at most 2 stay until then" in out, "that one is not the base"
    assert main(again) == 0
    out = capsys.readouterr().out
    assert "left: 0 of 2 trials" in out and "\ntime: " not in out and "\nconfirmation: " in out, out


def test_a_plan_of_a_replay_that_goes_on_is_of_what_is_left(without_ray, capsys) -> None:
    def interrupted(campaign: Search) -> None:
        campaign.start(campaign.next().key)
        signal.raise_signal(signal.SIGINT)

    without_ray(interrupted)
    assert main([*ROWS, "--data", "text [b]", "--replay", "BASE,1 x2", "--name", "cut"]) == 130
    again = ["--resume", "cut", "--results", "runs"]
    capsys.readouterr()
    assert main([*again, "--dry-run"]) == 0 and "left: " not in capsys.readouterr().out
    without_ray()
    assert main(again) == 0
    capsys.readouterr()
    assert main([*again, "--dry-run"]) == 0
    assert "left: 0 of 4 trials" in capsys.readouterr().out


def test_a_search_that_was_not_confirmed_says_how_to(without_ray, capsys) -> None:
    without_ray()
    assert main([*GOLF, "--data", "text [b]", "--trials", "5", "--name", "loose"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "--confirm" in line]
    words, runs = shlex.split(line), str(Path.cwd() / "runs")
    assert words == ["python", "-m", "tuner.run", "--resume", "loose", "--results", runs, "--confirm", "3x3..5..30"]
    assert main(words[3:]) == 0
    out = capsys.readouterr().out
    assert "Confirmed on fresh seeds" in out and "--confirm" not in out
    assert main([*GOLF, "--data", "text [b]", "--trials", "1", "--name", "bare"]) == 0
    assert "--confirm" not in capsys.readouterr().out, "the base alone leaves nothing to confirm"


def test_a_resume_says_the_same_things_in_the_same_order_as_a_start(without_ray, monkeypatch, capsys) -> None:
    without_ray()

    def on_ray(console, here, address):
        console.print("starting Ray ...")
        return here

    assert main([*GOLF, "--data", "text [b]", "--trials", "1", "--name", "lines"]) == 0
    monkeypatch.setattr(start, "on_ray", on_ray)
    capsys.readouterr()
    assert main(["--resume", "lines", "--results", "runs", "--trials", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index("starting Ray ...") + 1] == "campaign: runs/lines"


def test_a_stopper_that_has_nothing_to_judge_by_is_refused(capsys) -> None:
    asked = ["--objective", "train_minutes", "--constraint", "val_bpb<=2.3"]
    assert main([*GOLF, *asked, "--stopper", "median"]) == 2
    assert "--stopper median judges by values on the way, and train_minutes is" in capsys.readouterr().err
    assert main([*GOLF, *asked, "--dry-run"]) == 0 and "early stopping: none" in capsys.readouterr().out
