"""One precision for all trials of a campaign: settled by its devices, kept, part of what a trial is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import results
from search_spaces import load
from search_spaces.domains import Choice
from search_spaces.space import Knob
from tests.small_campaign import SET_SMALL, play_in_place_of_ray, work_in
from trainable.runtime import BF16, FP32, Runtime
from trainable.worker import trial_worker
from trainable.worker.request import Request
from trainable.worker.trial_worker import TrialWorker
from tuner.campaign import precision
from tuner.cluster import bf16, capacity, gpus, nodes
from tuner.cluster.nodes import Answer
from tuner.cluster.placement import Node
from tuner.command import Start
from tuner.proposals import warm_start
from tuner.proposals.reuse import Library
from tuner.question import ask
from tuner.run import main
from tuner.spec import CampaignSpec

ALL, NONE, MIXED = {"a": True, "b": True}, {"a": False}, {"a": True, "b": False, "c": False}
GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--data", "text", "--no-audit", *SET_SMALL]
GOLF += ["--no-confirm", "--results", "runs"]


@pytest.mark.parametrize(
    ("found", "come", "wanted", "said"),
    [
        ({}, False, FP32, ""),
        ({}, True, BF16, "GPUs to come"),
        (ALL, False, BF16, "all GPUs here multiply"),
        (NONE, False, FP32, "a would emulate bf16"),
        (MIXED, False, FP32, "b and 1 more node would emulate bf16"),
    ],
    ids=["cpu", "to come", "new", "old", "mixed"],
)
@pytest.mark.parametrize("asked", [None, "auto"])
def test_what_was_not_asked_is_what_all_gpus_multiply_themselves(asked, found, come, wanted, said):
    settled = precision.settle(asked, None, found, come)
    assert settled.precision == wanted and said in settled.line and bool(settled.line) == bool(said)


def test_what_was_asked_holds_wherever_it_can_be_had_alike():
    for found in ({}, ALL, NONE, MIXED):
        assert precision.settle("fp32", BF16, found).precision == FP32
    assert "emulated" not in precision.settle("bf16", None, ALL).line
    for found in ({}, NONE):
        assert "emulated here: slower" in precision.settle("bf16", None, found).line
    assert precision.settle(None, BF16, {}).precision == BF16, "the space's own"
    for given in (("bf16", None), (None, BF16)):
        with pytest.raises(ValueError, match="bf16, but b and 1 more node would emulate bf16 and others multiply it"):
            precision.settle(*given, MIXED)


def test_a_precision_that_is_searched_is_settled_only_where_it_is_asked():
    space = load("parameter_golf")
    space = replace(space, knobs=(*space.knobs, Knob("precision", Choice(None, "bf16"), "for once")))
    here = capacity.Cluster(1, {"cpu": 1.0}, has_gpu=False)
    for asked, wanted, knobs in ((None, None, 1), ("fp32", FP32, 0)):
        question = ask(space, CampaignSpec(space="parameter_golf", scale="proxy", precision=asked))
        assert bf16.precision_of(question, here, Start()).precision == wanted
        assert sum(knob.path == "precision" for knob in question.space.knobs) == knobs


def test_nodes_say_of_their_own_gpus_what_they_multiply(monkeypatch):
    asked = []

    def on_each(having, call, question, seconds):
        asked.append([node.host for node in having])
        return [Answer("new", bf16=True), Answer("old", bf16=False)]

    found = [Node("1", "head", 0, 4.0), Node("2", "new", 8, 8.0), Node("3", "old", 1, 8.0)]
    monkeypatch.setattr(nodes, "_on_each", on_each)
    assert nodes.multiply_bf16(found) == {"new": True, "old": False} and asked == [["new", "old"]]
    monkeypatch.setattr(nodes, "_on_each", lambda *_: [Answer("new", "node new does not answer")])
    with pytest.raises(ValueError, match=r"^node new does not answer$"):
        nodes.multiply_bf16(found)


def test_a_machine_asks_its_gpus_in_a_process_of_its_own(monkeypatch):
    assert gpus.multiply_bf16() is None or gpus.may_be_here()
    monkeypatch.setattr(gpus, "may_be_here", lambda: True)
    hidden = "import os; print('CUDA_VISIBLE_DEVICES' not in os.environ)"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # as Ray has it for work without a GPU
    assert gpus.multiply_bf16(hidden) is True and gpus.multiply_bf16("print(False)") is False
    with pytest.raises(OSError, match=r"^RuntimeError: no driver$"):
        gpus.multiply_bf16("raise RuntimeError('no driver')")


@pytest.fixture
def workplace(tmp_path, monkeypatch, play):
    work_in(tmp_path, monkeypatch)
    play_in_place_of_ray(monkeypatch, play)
    return tmp_path


def kept(name: str) -> dict:
    return json.loads((Path("runs") / name / "campaign.json").read_text())


def configs(name: str) -> set[str | None]:
    from results import Store

    return {json.loads(row["config"])["precision"] for row in Store.open(Path("runs") / name).trials()}


def test_a_campaign_keeps_its_precision_in_every_config_and_goes_on_in_it(workplace, capsys):
    assert main([*GOLF, "--precision", "bf16", "--name", "half", "--trials", "2"]) == 0
    assert "precision: bf16, as asked, which is emulated here" in capsys.readouterr().out
    assert kept("half")["precision"] == "bf16" and configs("half") == {"bf16"}
    assert main(["--resume", "half", "--results", "runs", "--trials", "3"]) == 0
    assert "precision: bf16, as the campaign began" in capsys.readouterr().out
    assert kept("half")["precision"] == "bf16" and configs("half") == {"bf16"}
    with pytest.raises(SystemExit):
        main(["--resume", "half", "--results", "runs", "--precision", "fp32"])
    assert "--precision goes with a search or --replay, not with --resume" in capsys.readouterr().err


def test_a_campaign_on_cpus_is_in_fp32_and_goes_on_so_where_there_is_a_gpu(workplace, monkeypatch, capsys):
    assert main([*GOLF, "--name", "whole", "--trials", "2"]) == 0
    assert "precision" not in capsys.readouterr().out and kept("whole")["precision"] == "fp32"
    monkeypatch.setattr(capacity.gpus, "count", lambda: 1)
    monkeypatch.setattr(gpus, "multiply_bf16", lambda: True)
    assert main(["--resume", "whole", "--results", "runs", "--trials", "3"]) == 0
    assert "precision: fp32, as the campaign began" in capsys.readouterr().out and configs("whole") == {None}
    assert main([*GOLF, "--name", "new", "--trials", "1"]) == 0
    assert kept("new")["precision"] == "bf16" and configs("new") == {"bf16"}


def test_a_campaign_does_not_go_on_where_nodes_compute_its_precision_differently(workplace, monkeypatch, capsys):
    assert main([*GOLF, "--precision", "bf16", "--name", "half", "--trials", "2"]) == 0
    before = kept("half")
    monkeypatch.setattr("tuner.cluster.bf16.multiplied", lambda here, address: MIXED)
    assert main(["--resume", "half", "--results", "runs", "--trials", "3"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "'half' computes in bf16, but b and 1 more node would emulate bf16" in said
    assert kept("half") == before


def test_a_campaign_of_the_version_before_goes_on_in_the_precision_of_its_rows(workplace, monkeypatch, capsys):
    assert main([*GOLF, "--name", "old", "--trials", "2"]) == 0
    file, now = Path("runs/old/campaign.json"), kept("old")
    was = {name: value for name, value in now.items() if name != "precision"}
    was["base"] = {name: value for name, value in was["base"].items() if name != "precision"}
    file.write_text(json.dumps(was))
    assert main(["--resume", "old", "--results", "runs", "--trials", "3"]) == 0 and kept("old")["precision"] == "fp32"
    file.write_text(json.dumps(was))
    name, read = "readable_trials", results.Store.readable_trials
    monkeypatch.setattr(results.Store, name, lambda self: [{**row, "precision": "bf16"} for row in read(self)])
    assert main(["--resume", "old", "--results", "runs", "--trials", "4"]) == 2
    assert "was trained in bf16 by a version that" in capsys.readouterr().err


def test_a_precision_is_no_setting_and_a_wrong_one_is_refused(workplace, capsys):
    assert main([*GOLF, "--set", "precision=bf16"]) == 2
    assert "give --precision bf16" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*GOLF, "--precision", "bf61"])
    assert "did you mean 'bf16'?" in capsys.readouterr().err


def test_a_result_of_another_precision_is_not_reused(make_bench, play):
    old = make_bench("old")
    play(old.search(trials=2, stopper="none")).run()
    base = old.base
    library = Library([old.folder])
    assert library.get(base.key("made-up-data")) is not None
    assert library.get(replace(base, precision="bf16").key("made-up-data")) is None


def test_a_row_in_bf16_whose_config_does_not_say_so_is_left_out_of_reuse(make_bench, play, toy_curve):
    old = make_bench("old")
    play(old.search(trials=1, stopper="none")).run()
    store = old.store()
    (row,) = store.trials()
    store.write_trial({**row, "precision": "bf16"})  # as a version before wrote it
    library = Library([old.folder])
    assert len(library) == 0 and "trained in bf16" in " ".join(library.left_out.values())


def test_results_of_another_precision_are_evidence_but_none_that_could_be_measured_here(make_bench, play):
    old = make_bench("old")
    play(old.search(trials=3, stopper="none")).run()
    for wanted, same in ((None, True), ("bf16", False)):
        base = replace(old.base, precision=wanted)
        found = warm_start.of_folder(old.folder, old.space, base, "made-up-data")
        assert found.points and {point.same for point in found.points} == {same}


@pytest.mark.parametrize("wanted", [FP32, BF16])
def test_a_worker_computes_in_the_precision_of_the_config(tiny, dataset, tmp_path, monkeypatch, wanted):
    from trainable.component_json import canonical_json

    monkeypatch.setattr(trial_worker, "prepare", lambda config, train_tokens_needed=None: dataset)
    monkeypatch.setattr(Runtime, "detect", classmethod(lambda cls, compile, of, **_: cls("cpu", of, compile)))
    config = replace(tiny, precision=None if wanted == FP32 else wanted)
    request = Request("0" * 16, canonical_json(config), dataset.fingerprint, str(tmp_path))
    worker = object.__new__(TrialWorker)
    worker.setup({"request": request.to_json()})
    worker.cleanup()
    assert worker.fidelity.run.runtime.precision == wanted
