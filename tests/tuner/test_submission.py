"""The folder for parameter golf, held to what the competition's README asks for.

"All submissions should be made as a pull request that only adds a new folder [...] and includes the following files":
a README.md, a submission.json with name, GitHub ID and val_bpb, a train log that the script writes, and a train_gpt.py
that "must successfully compile and run within the records folder"; "code bytes plus compressed model bytes" are at most
16,000,000, decimal.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import search_spaces
from results import load
from tests.trained_campaign import trained_campaign
from tests.tuner.conftest import Tune
from trainable import alone
from trainable.component_json import encode
from trainable.evaluation import artifact as artifacts
from tuner import export
from tuner.artifacts import submission
from tuner.artifacts.submission_script import training_script

SMALLER = ["--bits", "6", "--compressor", "lzma"]  # others than the config's
AUTHOR = ["--author", "Ada Lovelace", "--github-id", "ada-l", "--title", "Notes", "--blurb", "An engine | a table."]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("golf")
        return trained_campaign(
            folder, patch, Tune, "--trials", "2", "--confirm", "1x2", "--stopper", "none", "--set", "artifact=Artifact"
        )


@pytest.fixture
def handed_in(campaign, tmp_path, monkeypatch, capsys) -> Path:
    """The submission of the base, which was trained on two fresh seeds too."""
    go_to(campaign, monkeypatch)
    assert export.main(["small", "--trial", "0", "--to", str(tmp_path / "to"), *AUTHOR, *SMALLER]) == 0
    said = capsys.readouterr().out
    assert "NOT MET (other text, its first 512 tokens)" in said and ": met (" in said and "not shown here" in said
    return tmp_path / "to" / "submission"


def go_to(campaign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(campaign.parents[2])
    monkeypatch.setenv("TUNER_CACHE", str(campaign.parents[2] / "cache"))
    monkeypatch.setenv("COLUMNS", "1000")


def test_the_folder_has_what_the_competition_asks_for(handed_in, campaign) -> None:
    names = {path.name for path in handed_in.iterdir()}
    assert names >= {"README.md", "submission.json", "train_gpt.py", "requirements.txt"}
    assert "Found in the campaign `small`. Against the base: " in (handed_in / "README.md").read_text()
    seeds = {int(found[1]) for name in names if (found := re.fullmatch(r"train_seed(\d+)\.log", name))}
    rows = load(campaign).rows
    assert seeds == set(rows[rows["is_base"] == True]["seed"]) and len(seeds) == 3  # noqa: E712
    facts = json.loads((handed_in / "submission.json").read_text())
    assert (facts["author"], facts["github_id"], facts["name"]) == ("Ada Lovelace", "ada-l", "Notes")
    assert facts["blurb"] == "An engine | a table." and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", facts["date"])
    data = (handed_in.parent / "artifact.bin").read_bytes()
    code = (handed_in / "train_gpt.py").stat().st_size
    assert facts["bytes_model"] == len(data) and facts["bytes_code"] == code
    assert facts["bytes_total"] == len(data) + code <= 16_000_000
    exported = json.loads((handed_in.parent / "export.json").read_text())["artifact"]
    assert (facts["val_bpb"], facts["val_loss"]) == (exported["val_bpb"], exported["val_loss"])


def test_the_readme_has_the_numbers_with_their_interval_and_the_rules(handed_in, campaign) -> None:
    text = (handed_in / "README.md").read_text()
    facts = json.loads((handed_in / "submission.json").read_text())
    assert text.startswith("# Notes\n\nAn engine | a table.\n") and repr(facts["val_bpb"]) in text
    rows = load(campaign).confirmations
    fresh = rows[rows["is_base"] == True]["val_bpb"]  # noqa: E712
    assert (
        "- pre_quant_val_bpb on 2 fresh seeds (before the round trip, which was measured for 0 of them): mean" in text
    )
    half = 12.7062047 * fresh.std() / 2**0.5  # Student's t of one degree of freedom
    assert f"mean {fresh.mean():.4f}, 95 % interval {fresh.mean() - half:.4f} .. {fresh.mean() + half:.4f}" in text
    assert "under 10 minutes on 8xH100: not shown here" in text and "whole FineWeb validation split: NOT MET" in text
    assert str(campaign.parents[2]) not in text


def test_each_name_has_one_score_of_a_seed_and_the_mean_is_of_the_round_trip(campaign, tmp_path, monkeypatch) -> None:
    go_to(campaign, monkeypatch)
    assert export.main(["small", "--trial", "0", "--to", str(tmp_path / "to"), *AUTHOR]) == 0
    facts = json.loads((tmp_path / "to" / "submission" / "submission.json").read_text())
    rows = load(campaign).rows.query("is_base == True")
    assert facts["val_bpb_by_seed"] == {str(row["seed"]): row["val_bpb_quantised"] for row in rows.to_dict("records")}
    assert facts["val_bpb_by_seed"][str(facts["seed"])] == facts["val_bpb"]
    before = facts["pre_quant_val_bpb_by_seed"]
    assert before == {str(row["seed"]): row["val_bpb"] for row in rows.to_dict("records")}
    assert before[str(facts["seed"])] == facts["pre_quant_val_bpb"] != facts["val_bpb"]
    text, mean = (tmp_path / "to" / "submission" / "README.md").read_text(), rows["val_bpb_quantised"][1:].mean()
    assert f"- val_bpb on 2 fresh seeds (after the round trip): mean {mean:.4f}, " in text
    cells = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    column = cells[0].index("val\\_bpb")
    assert [float(line[column]) for line in cells[2:]] == pytest.approx(list(rows["val_bpb_quantised"]), abs=1e-3)


def test_a_seed_without_a_round_trip_has_no_score_under_its_name(handed_in) -> None:
    """The artifact has other settings than the search's, and the weights of the fresh seeds are not kept."""
    facts = json.loads((handed_in / "submission.json").read_text())
    assert facts["val_bpb_by_seed"] == {str(facts["seed"]): facts["val_bpb"]}
    assert len(facts["pre_quant_val_bpb_by_seed"]) == 3


def test_the_script_alone_trains_the_same_run_and_writes_the_same_artifact(handed_in, campaign, tmp_path) -> None:
    """In an empty folder, without this checkout on its path: the code is in the script."""
    place = tmp_path / "records"
    place.mkdir()
    script = place / "train_gpt.py"
    script.write_bytes((handed_in / "train_gpt.py").read_bytes())
    assert str(campaign.parents[2]).encode() not in script.read_bytes(), "it names nobody's folders"
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"DATA_PATH": str(campaign.parents[2] / "text"), "TUNER_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-I", script.name]
    run = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    facts = json.loads((handed_in / "submission.json").read_text())
    assert f"val_bpb:{facts['pre_quant_val_bpb']!r}" in run.stdout
    assert f"final_int6_lzma_roundtrip_exact val_loss:{facts['val_loss']!r} val_bpb:{facts['val_bpb']!r}" in run.stdout
    assert f"total submission size: {facts['bytes_total']} bytes" in run.stdout
    kept = (handed_in / f"train_seed{facts['seed']}.log").read_text().splitlines()
    assert result_lines(run.stdout.splitlines()) == result_lines(kept), "what the search kept is what the script says"
    made = (place / "final_model.bin").read_bytes()
    assert made == (handed_in.parent / "artifact.bin").read_bytes() and artifacts.load(made)
    assert sum(line.startswith("step:") and "train_loss:" in line for line in run.stdout.splitlines()) == 12


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("DATA_PATH", "/no/such/folder", "must be a folder of shards or text: nothing is there"),
        ("DATA_PATH", "", "must be a folder of shards or text"),
        ("DATA_PATH", "empty", "must be a folder of shards or text: "),
        ("SEED", "abc", "'abc' but must be a whole number in 0..2^63-1"),
        ("SEED", "-1", "must be a whole number in 0..2^63-1"),
        ("SEED", "1.5", "must be a whole number in 0..2^63-1"),
        ("SEED", "9" * 5000, "must be a whole number in 0..2^63-1"),
        ("ARTIFACT", "no/such/file", "must be a file in a folder that is there"),
    ],
)
def test_the_script_says_in_a_line_which_variable_is_wrong(tmp_path, monkeypatch, capsys, name, value, rule) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("Once upon a time. " * 50)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_PATH", "text.txt")
    monkeypatch.setenv(name, value)
    text = json.dumps(encode(search_spaces.load("parameter_golf").scale("proxy").base))
    assert alone.run_script(text, 0, print) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and f": {name} is " in said.err and rule in said.err and not said.out
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "text.txt"}


def test_the_script_ends_with_that_line_and_its_exit_code(tmp_path) -> None:
    script, config = tmp_path / "train_gpt.py", search_spaces.load("parameter_golf").scale("proxy").base
    script.write_text(training_script(json.dumps(encode(config))))
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"} | {"SEED": "abc"}
    command = [sys.executable, "-I", script.name]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    said = "train_gpt.py: SEED is 'abc' but must be a whole number in 0..2^63-1\n"
    assert (run.returncode, run.stdout, run.stderr) == (2, "", said)


def test_the_script_reads_a_folder_that_is_called_as_a_data_set_as_a_folder() -> None:
    """Its log then has the fingerprint that the search's has, and nothing is downloaded in its place."""
    for source, kept in (("/data/fineweb10B_sp1024", "./fineweb10B_sp1024"), ("fineweb10B_sp1024",) * 2):
        config = search_spaces.load("parameter_golf").scale("full").base
        config = replace(config, data=replace(config.data, source=source))
        assert submission.without_place(config).data.source == kept


def result_lines(lines: list[str]) -> list[str]:
    """The data's fingerprint, each step, and the scores: all of a log but its times and what it says of the search."""
    beginnings = ("data:", "seed:", "step:", "model ", "final_")
    found = [line for line in lines if line.startswith(beginnings)]
    return [line.partition(" ")[0] if line.startswith("data:") else line for line in found if not at_a_rung(line)]


def at_a_rung(line: str) -> bool:
    """Tell the scores that a search looks at on the way, which a training alone does not."""
    return line.startswith("step:") and "val_loss:" in line and not line.startswith("step:12/12 ")


def test_a_log_of_another_seed_has_the_round_trip_that_its_search_measured(campaign, tmp_path, monkeypatch) -> None:
    go_to(campaign, monkeypatch)
    assert export.main(["small", "--trial", "0", "--to", str(tmp_path / "to"), *AUTHOR]) == 0
    for row in load(campaign).confirmations.query("is_base == True").to_dict("records"):
        last = (tmp_path / "to" / "submission" / f"train_seed{row['seed']}.log").read_text().splitlines()[-1]
        quantised = f"val_loss:{row['val_loss_quantised']!r} val_bpb:{row['val_bpb_quantised']!r}"
        assert last == f"final_int8_zlib_roundtrip_exact {quantised}"


def test_a_log_of_another_seed_without_weights_says_that_another_artifact_was_not_measured(handed_in, campaign) -> None:
    for seed in load(campaign).confirmations.query("is_base == True")["seed"]:
        last = (handed_in / f"train_seed{seed}.log").read_text().splitlines()[-1]
        assert last.startswith("final_int6_lzma_roundtrip: not measured, as the weights of this run were not kept")
        assert last.endswith(f": SEED={seed} python train_gpt.py measures it")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--author", "Ada"], "give both --author and --github-id"),
        (["--github-id", "ada"], "give both --author and --github-id"),
        (["--title", "x"], "give both --author and --github-id"),
        (["--author", "Ada", "--github-id", "a_b"], "'a_b' is no name on GitHub"),
        (["--auther", "Ada"], "did you mean '--author'?"),
    ],
    ids=" ".join,
)
def test_a_submission_without_its_author_is_refused(campaign, tmp_path, monkeypatch, arguments, said, capsys) -> None:
    go_to(campaign, monkeypatch)
    try:
        code = export.main(["small", "--trial", "0", "--to", str(tmp_path / "to"), *arguments])
    except SystemExit as ended:
        code = ended.code
    found = capsys.readouterr().err
    assert code == 2 and found.count("\n") == 1 and said in found and not (tmp_path / "to").exists()
