"""Text written with a folder that an export has written: the same as with the campaign, without campaign and data."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.own_files import EXAMPLES, forgotten
from tests.trained_campaign import trained_campaign
from tests.tuner.conftest import Tune
from trainable.weights import read_weights, write_weights
from tuner import export, sample

OWN = str(EXAMPLES / "sawtooth.py")
ASKED = ["--prompt", "12 34", "--tokens", "30", "--seed", "3"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, str]:
    """The folder of an export, alone on its machine, and the text that the campaign wrote."""
    folder = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch, forgotten():
        own = ("--import", OWN, "--set", "schedule=Sawtooth")
        trained_campaign(folder, patch, Tune, "--trials", "1", "--no-confirm", *own)
        assert export.main(["small", "--to", str(folder / "out"), "--import", OWN]) == 0
        with pytest.MonkeyPatch.context() as catching:
            said: list[str] = []
            catching.setattr("terminal.console.Console.print", lambda self, line: said.append(line))
            assert sample.main(["small", "--import", OWN, *ASKED]) == 0
        shutil.rmtree(folder / "results")
        shutil.rmtree(folder / "text")
        shutil.rmtree(folder / "cache", ignore_errors=True)
    return folder / "out", "\n".join(said)


@pytest.fixture
def copy(exported, tmp_path: Path, monkeypatch) -> Path:
    """A copy of the export, beside which nothing is prepared."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "none"))
    shutil.copytree(exported[0], tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize("named", ["out", "./out", "the whole path"])
def test_an_export_writes_what_its_campaign_wrote(named: str, exported, copy: Path, capsys) -> None:
    with forgotten():
        assert sample.main([str(copy) if named == "the whole path" else named, "--import", OWN, *ASKED]) == 0
    assert capsys.readouterr().out == exported[1] + "\n" and exported[1].startswith("12 34")
    assert not Path("none").exists()


def facts_with(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def changed(folder: Path) -> None:
        facts = json.loads((folder / "export.json").read_text())
        change(facts)
        (folder / "export.json").write_text(json.dumps(facts))

    return changed


def config_with(**changes: object) -> Callable[[Path], object]:
    def changed(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))

    return changed


def weights_with(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    """Weights whose header is in order, with other tensors."""

    def changed(folder: Path) -> None:
        key = json.loads((folder / "export.json").read_text())["key"]
        tensors = read_weights(folder / "weights.safetensors", key)
        change(tensors)
        (folder / "weights.safetensors").unlink()
        write_weights(folder, "weights.safetensors", tensors, key, "data")

    return changed


def changed_first(tensors: dict[str, torch.Tensor], change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    name = next(name for name, t in tensors.items() if t.is_floating_point())
    tensors[name] = change(tensors[name])


def pipe(folder: Path) -> None:
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (None, ["--trial", "0"], "--trial has no effect on out, which is an export"),
        (None, ["--data", "x"], "--data has no effect on out"),
        (None, ["--results", "x"], "out is no campaign: neither x/out nor ./out holds campaign.json"),
        (None, ["--trust-sources"], "--trust-sources has no effect on out"),
        (None, ["--top-k", "301"], "--top-k 301 is more than the 300 tokens of the vocabulary"),
        (config_with(seed=5), [], "config.json is not the config of the weights beside it"),
        (config_with(model={"type": "GPTT"}), [], "unknown component type 'GPTT'"),
        (lambda folder: (folder / "config.json").write_text("[]"), [], "config.json holds no JSON object"),
        (lambda folder: (folder / "config.json").unlink(), [], "there is no out/config.json, which an export has"),
        (lambda folder: (folder / "export.json").write_text("{"), [], "export.json cannot be read as JSON"),
        (facts_with(lambda facts: facts.pop("tokenizer")), [], "export.json is no account of an export"),
        (facts_with(lambda facts: facts.update(data=5)), [], "export.json is no account of an export: data is 5 but"),
        (facts_with(lambda facts: facts.update(tokenizer=5)), [], "tokenizer is 5 but must be an object"),
        (facts_with(lambda facts: facts["tokenizer"].update(files=5)), [], "files is 5 but must be an object"),
        (pipe, [], "out/config.json is no file"),
        (lambda folder: (folder / "config.json").write_text("{}"), [], "out/config.json: a component has no type"),
        (weights_with(lambda tensors: tensors.update(more=torch.ones(2))), [], "another model, which has more too"),
        (weights_with(lambda tensors: changed_first(tensors, lambda t: t * torch.nan)), [], "holds NaN or infinity"),
        (
            weights_with(lambda tensors: changed_first(tensors, lambda t: t.int())),
            [],
            "has numbers of torch.int32, not",
        ),
        (
            weights_with(lambda tensors: changed_first(tensors, lambda t: t > 0)),
            [],
            "has numbers of torch.bool, not of",
        ),
        (facts_with(lambda facts: facts["tokenizer"].update(files={})), [], "holds no vocabulary, or several"),
        (facts_with(lambda facts: facts["tokenizer"].update(files={"../x": ""})), [], "which is no file of its own"),
        (facts_with(lambda facts: facts["tokenizer"].update(vocab_size=9)), [], "has 300 tokens, not the 9 of the"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), [], "is not the vocabulary that was exported"),
        (lambda folder: (folder / "tokenizer.json").unlink(), [], "lacks tokenizer.json, the vocabulary of the export"),
        (lambda folder: (folder / "weights.safetensors").write_bytes(b"x" * 99), [], "weights.safetensors"),
    ],
)
def test_what_is_no_whole_export_is_refused_in_one_line(change, arguments, said: str, copy: Path, capsys) -> None:
    if change is not None:
        change(copy)
    with forgotten():
        assert sample.main(["out", "--import", OWN, *arguments]) == 2
    found = capsys.readouterr()
    assert said in found.err and found.err.count("\n") == 1 and found.out == ""


def test_code_of_ones_own_runs_only_where_it_is_given_again(copy: Path, capsys) -> None:
    with forgotten():
        assert sample.main(["out"]) == 2
    assert "Sawtooth is of a file of the user's own, which is not given here (--import FILE)" in capsys.readouterr().err


def test_a_name_of_a_campaign_and_of_an_export_is_refused(copy: Path, capsys) -> None:
    Path("results/runs/out").mkdir(parents=True)
    Path("results/runs/out/campaign.json").write_text("{}")
    assert sample.main(["out"]) == 2
    assert "is a campaign in results/runs and an export here: say results/runs/out or ./out" in capsys.readouterr().err
