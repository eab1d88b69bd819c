"""Plans of ``--dry-run``: for devices that are not here, budgets of every kind, and numbers at the edge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import search_spaces
from tuner import run
from tuner.cli import plan_text
from tuner.plan.throughput import Speeds

GOLF = ("--space", "parameter_golf", "--no-audit", "--dry-run")
SPEED = 5000.0
FEW_LAYERS = ("--set", "model.num_layers=4")  # each operation of each is counted


@pytest.fixture(autouse=True)
def fixed_speed(monkeypatch) -> None:
    monkeypatch.setattr(plan_text, "speeds", lambda config, runtime, slots: Speeds(SPEED, SPEED))


@pytest.fixture
def planned(capsys, tmp_path, monkeypatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")

    def plan(*arguments: str) -> str:
        assert run.main([*arguments, "--results", "runs"]) == 0
        assert not (tmp_path / "runs").exists(), "a plan writes nothing"
        return str(capsys.readouterr().out)

    return plan


@pytest.fixture
def refused(capsys) -> Callable[..., str]:
    def plan(*arguments: str) -> str:
        try:
            code = run.main([*arguments])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr().err
        assert code == 2 and said.count("\n") == 1 and len(said) < 400, said
        return str(said)

    return plan


def line(text: str, name: str) -> str:
    return next(found for found in text.splitlines() if found.startswith(f"{name}: "))


def test_a_plan_for_cards_says_speed_assumption_memory_hours_and_cost(planned) -> None:
    said = planned(*GOLF, "--device", "h100", "--slots", "8", "--price", "2.5")
    assert "scale: full" in said, "a card trains what is recorded"
    speed = line(said, "speed")
    assert "1,894,710 tokens/s, 277 ms a step, assumed: 25% of the 989.4 TFLOP/s in bf16 of NVIDIA H100 data" in speed
    assert "with its start (28% of it, compiling 30 s) and evaluations (12% of it)" in speed
    assert "15 s of it Ray's start, " in line(said, "time")
    assert line(said, "slots") == "slots: 8, each like NVIDIA H100 SXM, 80 GB"
    assert "of 80 (" in line(said, "memory") and "device-hours" in line(said, "time")
    assert line(said, "cost").endswith("device-hours at 2.5: 8 held to the end")


def test_settings_stand_in_a_plan_as_they_are_set(planned) -> None:
    settings = ("hooks.GradientClip.max_norm=null", "model.tie_embeddings=false", "schedule=Cosine")
    said = planned(*GOLF, "--device", "h100", *(word for text in settings for word in ("--set", text)))
    assert line(said, "plan").endswith(", ".join(settings))


def test_a_measured_speed_is_planned_with_as_it_is_given(planned) -> None:
    said = planned(
        *GOLF, "--scale", "full", "--tokens-per-second", "1e6", "--no-confirm", "--trials", "1", "--price", "3600"
    )
    assert line(said, "speed").startswith(
        "speed: 1,000,000 tokens/s, 524 ms a step, given with --tokens-per-second: 2 min 34 s a trial, with its start"
    )
    assert "each like a device of that speed" in line(said, "slots")
    assert line(said, "cost").startswith("cost: about 169 for 0.047 device-hours at 3600: 1 held")


def test_what_cannot_be_kept_is_said_in_a_line(planned) -> None:
    proxy = (*GOLF, "--scale", "proxy")  # of 1,024 tokens a step
    said = planned(*proxy, "--constraint", "step_seconds<=0.01", "--constraint", "val_bpb<=1.2")
    assert line(said, "limit").startswith("limit: step_seconds<=0.01, and about 0.2048 is expected of a trial like")
    assert said.count("\nlimit: ") == 1 and "20.5 times that: it would be infeasible" in said
    assert "\nlimit: " not in planned(*proxy, "--constraint", "step_seconds<=0.21")
    cut = next(found for found in planned(*proxy, "--hours", "0.01").splitlines() if found.startswith("--hours"))
    assert cut.startswith("--hours 0.01 is 36 s, and a whole trial takes about ") and "none will have" in cut
    assert "--hours 100: whatever is not done by then is left for --resume" in planned(*proxy, "--hours", "100")
    said = planned(*proxy, "--replay", "H1 x2", "--hours", "0.01")
    assert "--hours 0.01 is 36 s, and a whole trial takes about " in said


def test_memory_that_a_card_has_and_a_limit_forbids_is_said(planned) -> None:
    few = (*GOLF, "--device", "h200", *FEW_LAYERS)
    said = planned(*few, "--constraint", "peak_memory_bytes<=1e9")
    assert line(said, "limit").startswith("limit: peak_memory_bytes<=1000000000, and about ")
    assert "\nlimit: " not in planned(*few, "--constraint", "peak_memory_bytes<=1e11")


def test_the_price_of_a_replay_is_that_of_its_trainings(planned) -> None:
    said = planned(*GOLF, "--replay", "H1", "--device", "h200", "--price", "3", "--slots", "2")
    assert "% is the trials' start; 15 s is Ray's" in line(said, "time")
    assert "NVIDIA H200 SXM, 141 GB" in line(said, "slots") and "device-hours at 3: 2 held" in line(said, "cost")


def test_a_replay_shows_what_is_fixed_and_that_the_log_trained_longer(planned) -> None:
    said = planned(*GOLF, "--scale", "proxy", "--replay", "H1", "--set", "budget.steps=20")
    assert line(said, "plan").endswith(", budget.steps=20")
    assert line(said, "steps of a trial").startswith("steps of a trial: 20 here, 276 in the log; budgets that differ")


def test_a_cost_that_nobody_knows_is_said_to_be_unknown(planned) -> None:
    passes = ("--set", "budget.steps=null", "--set", "budget.epochs=2", "--price", "1")
    said = planned(*GOLF, "--scale", "full", *passes)
    assert line(said, "cost") == "cost: not known, as the time is not (--device or --tokens-per-second)"
    assert line(said, "tokens").endswith("of a budget in epochs: the data say how many, and are not prepared yet")
    said = planned(*GOLF, "--scale", "proxy", *passes)
    assert line(said, "cost").startswith("cost: about ") and line(said, "tokens").startswith("tokens: at most ")


@pytest.mark.parametrize(
    ("unit", "amount"),
    [
        ("steps", "1"), ("steps", "1e12"), ("tokens", "1"), ("tokens", "1e15"), ("flops", "1"), ("flops", "1e30"),
        ("seconds", "0.001"), ("seconds", "1e9"), ("param_data_ratio", "1e-9"), ("param_data_ratio", "1e9"),
        ("epochs", "1e-9"), ("epochs", "1e9"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("device", [(), ("--device", "h100")])
def test_a_budget_of_every_kind_and_size_is_planned(planned, unit, amount, device) -> None:
    budget = [] if unit == "steps" else ["--set", "budget.steps=null"]
    said = planned(*GOLF, "--scale", "proxy", *FEW_LAYERS, *budget, "--set", f"budget.{unit}={amount}", *device)
    assert "dry run: nothing was trained" in said
    assert "inf" not in line(said, "time") and "nan" not in line(said, "time")


@pytest.mark.parametrize("layers", [FEW_LAYERS, pytest.param((), marks=pytest.mark.slow)], ids=["few", "all"])
@pytest.mark.parametrize("name", search_spaces.names())
def test_every_space_is_planned_for_a_card(planned, name, layers) -> None:
    said = planned("--space", name, "--no-audit", "--dry-run", "--device", "a100-80gb", "--price", "2", *layers)
    found = line(said, "speed")
    assert ("s a step, assumed: " in found or "s a step, estimated: " in found) and " to launch its " in found
    assert "of 80" in line(said, "memory")
    timed = "not known beforehand" not in line(said, "tokens")  # mainrun's passes are over data that are not here
    assert ("% of it" in found.partition("with its start (")[2]) is timed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--device", "h10"), "--device 'h10' is no card that is known: did you mean"),
        (("--set", "optimizer.matrix_lr=1e308"), "MuonAdam.matrix_lr is 1e+308 but must be 0 or more and at most"),
        (("--set", "model.model_dim=1000000"), "parameters, which take about"),
        (("--set", "model.num_layers=1000000000"), "GPT.num_layers is 1000000000 but must be at least 1 and at most"),
        (("--set", "data.batch_tokens=1e30"), "DataConfig.batch_tokens is about 10^30 but must be"),
        (("--replay", "H1 x999999999"), "ask for 999,999,999 trainings, but 20,000 are the most"),
        (("--replay", "H1", "--seeds", "9" * 20), "is not a whole number of at least 1 and at most 1,000,000"),
        (("--trials", "9" * 5000), "is not a whole number of at least 1 and at most 1,000,000"),
        (("--slots", "1e3"), "'1e3' is not a whole number"),
        (("--hours", "inf"), "'inf' is not a positive number of hours up to 1,000,000"),
        (("--reports", "10001"), "'10001' is not a whole number in 0..10,000"),
        (("--gpu-fraction", "1e-300"), "'1e-300' is not a part of a GPU"),
        (("--price", "nan"), "'nan' is not a positive number of units of money"),
        (("--tokens-per-second", "0"), "'0' is not a positive number of tokens per second"),
        (("--constraint", "parameters<=5e-324 margin 99%"), "needs a limit above 0 (1e-09 to 1e+30)"),
        (("--device", "h100", "--gpu-fraction", "0.5"), "--gpu-fraction is of machines that are there"),
        (("--tokens-per-second", "9", "--address", "auto"), "--address is of machines that are there"),
    ],
)  # fmt: skip
def test_a_number_beyond_its_range_is_refused_in_one_line(refused, arguments, says) -> None:
    assert says in refused(*GOLF, "--scale", "proxy", *arguments)


@pytest.mark.parametrize("option", [("--device", "h100"), ("--tokens-per-second", "9"), ("--price", "2")])
def test_what_is_for_plans_is_refused_without_one(refused, option) -> None:
    said = refused("--space", "parameter_golf", *option)
    assert f"{option[0]} goes with --dry-run, not with a search" in said


def test_a_clock_that_is_asked_for_depends_on_what_shares_the_cores(planned) -> None:
    asked = (*GOLF, *FEW_LAYERS, "--objective", "train_minutes", "--constraint", "val_bpb<=2.3")
    said = "train_minutes depends on what runs beside: 2 trials share the cores (--concurrent 1: one at a time)"
    assert said in planned(*asked, "--concurrent", "2")
    assert "depends on what runs beside" not in planned(*asked, "--concurrent", "1")
    assert "runs beside" not in planned(*GOLF, *FEW_LAYERS, "--concurrent", "2"), "no clock is asked for"


def test_the_name_of_a_campaign_in_place_of_data_is_said_to_be_one(refused) -> None:
    said = refused(*GOLF, "--data", "parameter_golf")
    assert "'parameter_golf' is a campaign, and no name of data: parameter_golf reads fineweb10B_sp1024" in said
    assert "`python -m trainable.data prepare fineweb10B_sp1024` prepares it for --data fineweb10B_sp1024" in said


def test_a_plan_says_which_checkpoints_are_asked_for(planned) -> None:
    here = (*GOLF, "--scale", "proxy", "--slots", "2")
    assert "checkpoints:" not in planned(*here)
    behind = (
        ", and every five minutes; the last 2 of each running trial stay, 4 files, until it ends, "
        "2.61 MB to 3.91 MB each as the base"
    )
    for asked, said in {"100": "every 100 steps", "1": "every 1 step", "validation": "at each validation"}.items():
        assert line(planned(*here, "--checkpoint-every", asked), "checkpoints") == f"checkpoints: {said}{behind}"


def test_a_plan_of_few_trials_promises_no_more_files_than_they_leave(planned) -> None:
    asked = (*GOLF, "--scale", "proxy", "--slots", "8", "--no-confirm", "--checkpoint-every", "100")
    for trials, stay, weights, checkpoints in (
        (
            "1",
            "none: the base is never stopped, and there is no other",
            "those of the one trial stay, 1 file",
            "2 files",
        ),
        ("2", "the checkpoint of the one that may stop stays until then", "on the way at most 2 files", "4 files"),
        ("4", "the checkpoints of at most 3 stay until then, 2.61 MB", "on the way at most 4 files", "8 files"),
        ("40", "the checkpoints of at most 8 stay until then", "on the way at most 10 files", "16 files"),
    ):
        said = planned(*asked, "--trials", trials)
        assert stay in line(said, "promotion") and weights in line(said, "weights")
        assert f"each running trial stay, {checkpoints}, until" in line(said, "checkpoints")


def test_a_plan_says_what_the_curves_monitor(planned) -> None:
    here = (*GOLF, "--scale", "proxy")
    assert line(planned(*here), "monitors") == (
        "monitors: updates, weights, clips, attention, logits in each trial's curve, for under 1 % of a step "
        "(--monitor none: none)"
    )
    assert line(planned(*here, "--monitor", "logits,clips"), "monitors").startswith("monitors: clips, logits in each")
    assert line(planned(*here, "--monitor", "none"), "monitors") == (
        "monitors: none; curves have losses, gradient norms and rates "
        "(--monitor updates,weights,clips,attention,logits: more)"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scale", "full", "--trials", "24", "--slots", "8"],
         "the winner and the base stay, 2 files, 136 MB; on the way at most 12 files, 819 MB; 68.2 MB each as the base "
         "(--keep none: no weights)"),
        (["--no-confirm", "--slots", "1"],
         "the best trial and the base stay, 2 files, 2.61 MB; on the way at most 3 files, 3.91 MB; 1.3 MB each as the "
         "base (--keep none: no weights)"),
        (["--keep", "best", "--slots", "1"],
         "the best trial and the base stay, 2 files, 2.61 MB; on the way at most 3 files, 3.91 MB; 1.3 MB each as the "
         "base (--keep none: no weights)"),
        (["--keep", "all", "--trials", "10", "--confirm", "2x3"],
         "of all trials that complete, at most 19 files, 24.8 MB; 1.3 MB each as the base (--keep none: no weights)"),
        (["--keep", "none"], "none are kept (--keep confirmed: the winner's and the base's)"),
        (["--objective", "val_bpb,train_seconds"],
         "the front and the base stay; 1.3 MB each as the base (--keep none: no weights)"),
        (["--replay", "H1"], "none are kept (--keep confirmed: the winner's and the base's)"),
        (["--replay", "H1", "--keep", "best"],
         "the best trial and the base stay; 1.3 MB each as the base (--keep none: no weights)"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_plan_says_what_the_kept_weights_take_on_the_disk(planned, arguments, said) -> None:
    scale = [] if "--scale" in arguments else ["--scale", "proxy"]
    assert line(planned(*GOLF, *scale, *arguments), "weights") == f"weights: {said}"


def test_a_plan_names_the_knobs_that_a_set_component_does_not_have(planned) -> None:
    muon = ("--set", "optimizer=MuonAdamSplit")
    said = planned("--space", "ngpt", "--no-audit", "--dry-run", *muon)
    names = "optimizer.lr, optimizer.other_lr_ratio, optimizer.weight_decay, optimizer.beta2"
    assert f"not searched, since MuonAdamSplit has no such knobs: {names}\n" in said and ", 12 knobs" in said
    assert "not searched" not in planned("--space", "ngpt", "--no-audit", "--dry-run")


def test_another_objective_than_the_space_s_own_is_named_and_why_nothing_is_stopped_by_it(planned) -> None:
    said = planned(*GOLF, "--objective", "train_minutes", "--constraint", "val_bpb<=2.3")
    assert "objective: train_minutes, in place of val_bpb\n" in said
    assert "to its end: it judges by values on the way, and train_minutes is known at the end only" in " ".join(
        said.split()
    )
    assert "objective:" not in planned(*GOLF)


@pytest.mark.parametrize(
    ("trials", "confirmed", "runs", "kept"),
    [
        ("1", "nothing: the one trial is the base", "no more runs", "at most 1 file"),
        ("2", "the best one and the base on 3 fresh seeds", "6 to 60 runs more", "at most 62 files"),
        ("3", "the best 2 and the base on 3 fresh seeds", "9 to 65 runs more", "at most 68 files"),
        ("9", "the best 3 and the base on 3 fresh seeds", "12 to 70 runs more", "at most 79 files"),
    ],
)
def test_a_plan_counts_as_many_candidates_as_there_can_be(planned, trials, confirmed, runs, kept) -> None:
    said = planned(*GOLF, "--trials", trials, "--keep", "all", "--device", "h100")
    assert confirmed in line(said, "confirm") and line(said, "confirmation").partition(": ")[2].startswith(runs)
    assert f"{kept}, " in line(said, "weights")


def test_a_plan_says_that_weights_beyond_a_limit_are_not_kept(planned) -> None:
    arguments = (*GOLF, "--keep", "all", "--device", "h100")
    said = planned(*arguments, "--constraint", "val_bpb<=1.2")
    assert "of all trials that complete, but none of those beyond a limit, at most" in line(said, "weights")
    assert "beyond a limit" not in line(planned(*arguments), "weights")
