"""Exports of kept weights: the folder, its scores when it is read again, and one line for what cannot be exported."""

from __future__ import annotations

import errno
import json
import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file

from results import Store, load
from tests.small_campaign import SET_SMALL, play_in_place_of_ray
from tests.trained_campaign import GOLF, trained_campaign, training
from tests.tuner.conftest import Tune
from trainable.component_json import decode
from trainable.evaluation import artifact as artifacts
from tuner import export, run
from tuner.artifacts import export_folder

ASKED = ("--trials", "4", "--no-confirm", "--stopper", "none", "--set", "artifact=Artifact")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Path:
    """Two trials besides the base; the best and the base have weights."""
    folder = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        return trained_campaign(folder, patch, Tune, *ASKED)


@pytest.fixture(autouse=True)
def there(campaign, monkeypatch) -> None:
    monkeypatch.chdir(campaign.parents[2])
    monkeypatch.setenv("TUNER_CACHE", str(campaign.parents[2] / "cache"))
    monkeypatch.setenv("COLUMNS", "1000")


def winner(campaign: Path) -> dict:
    (found,) = load(campaign).winner().to_dict("records")
    return found


def refused(*arguments: str, capsys) -> str:
    before = {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")}
    try:
        code = export.main([*arguments])
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert code == 2 and said.count("\n") == 1 and said.startswith("python -m tuner.export: "), said
    assert {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")} == before
    return said


def test_an_export_is_whole_and_scores_the_same_to_the_last_digit(campaign, tmp_path, capsys) -> None:
    won, to = winner(campaign), tmp_path / "to"
    assert export.main(["small", "--to", str(to)]) == 0
    said = capsys.readouterr().out
    facts = json.loads((to / "export.json").read_text())
    assert facts["trial"] == won["trial"] and facts["key"] == won["key"]
    assert facts["scored_again"] == facts["scored_in_the_search"] and facts["scored_again"]["val_bpb"] == won["value"]
    again = f"{won['value']!r} when read again, {won['value']!r} in the search: the same"
    assert f"asked for: val_bpb (objective): {again}" in said
    row = load(campaign).trials.set_index("number").loc[won["trial"]]
    assert said.count(f"{won['value']!r} in the search") == 1, "it is said once"
    (whole,) = re.findall(r"together artifact_bytes ([\d,]+) of ", said)
    assert whole == f"{row['artifact_bytes']:,}" and said.count(" artifact)") == 0, "one word has one size"
    assert (to / "weights.safetensors").read_bytes() == (campaign / row["weights"]).read_bytes()
    assert decode(json.loads((to / "config.json").read_text())).key(row["data"]) == won["key"]
    assert facts["data"]["fingerprint"] == row["data"]
    small = facts["artifact"]
    assert (small["val_bpb"], small["artifact_bytes"]) == (row["val_bpb_quantised"], row["artifact_bytes"])
    assert {path.name for path in to.iterdir()} == {
        "weights.safetensors", "config.json", "command.txt", "artifact.bin", "train.log", "curve.csv",
        "tokenizer.json", "export.json", "README.md",
    }  # fmt: skip


def test_the_artifact_is_counted_in_bytes_and_scored_as_it_is_read_back(campaign, tmp_path, capsys) -> None:
    assert export.main(["small", "--to", str(tmp_path / "to"), "--bits", "6", "--compressor", "lzma"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("artifact: "))
    assert line.startswith("artifact: 6 bits for none of "), "its tensors are small"
    assert "(no tensor has over 65,536 elements, so all stay fp16 or fp32), lzma: " in line
    data = (tmp_path / "to" / "artifact.bin").read_bytes()
    found = json.loads((tmp_path / "to" / "export.json").read_text())["artifact"]
    assert (found["bits"], found["compressor"], found["bytes_model"]) == (6, "lzma", len(data))
    assert found["artifact_bytes"] == len(data) + found["bytes_source"] and found["bytes_source"] > 50_000
    said = (tmp_path / "to" / "README.md").read_text()
    for name, what in found["counted"].items():
        assert f"- `{name}`, {found[name]:,} bytes: {what}" in said, "each size says what it counts"
    assert "as they are written" in found["counted"]["bytes_source"]
    assert "A submission's bytes_total is another number" in found["counted"]["artifact_bytes"]
    assert "bytes_total" not in found and "bytes_code" not in found, "those are of a submission, and other numbers"
    files = said.partition("What the search asked for:")[0].splitlines()
    assert {line.split("`")[1] for line in files if "`: " in line} == {
        path.name for path in (tmp_path / "to").iterdir()
    } - {"README.md"}
    weights = load_file(tmp_path / "to" / "weights.safetensors")
    assert artifacts.load(data).keys() == weights.keys()
    exact = json.loads((tmp_path / "to" / "export.json").read_text())["scored_again"]["val_bpb"]
    assert found["val_bpb"] != exact and abs(found["val_bpb"] - exact) < 0.5


def test_a_full_disk_leaves_no_folder(campaign, tmp_path, capsys, monkeypatch) -> None:
    def full(folder: Path, name: str, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export_folder.inside, "write", full)
    assert export.main(["small", "--to", str(tmp_path / "to")]) == 1
    assert "No space left on device" in capsys.readouterr().err and not (tmp_path / "to").exists()


def test_the_score_is_of_the_files_as_they_are_read_again(campaign, tmp_path, capsys, monkeypatch) -> None:
    """A file that was changed on its way to the disk is not vouched for."""
    write = export_folder.inside.write

    def worse(folder: Path, name: str, content: bytes) -> None:
        write(folder, name, content)
        if name == "weights.safetensors":
            path = Path(folder) / name
            path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))

    monkeypatch.setattr(export_folder.inside, "write", worse)
    assert export.main(["small", "--to", str(tmp_path / "to")]) == 2
    assert "is damaged: its checksum is not that of its content" in capsys.readouterr().err


def test_the_log_has_every_step_the_final_score_and_that_of_the_artifact(campaign, tmp_path, capsys) -> None:
    assert export.main(["small", "--trial", "0", "--to", str(tmp_path / "to")]) == 0
    capsys.readouterr()
    lines = (tmp_path / "to" / "train.log").read_text().splitlines()
    row = load(campaign).trials.set_index("number").loc[0].to_dict()
    assert [line.split()[0] for line in lines if "train_loss:" in line] == [f"step:{n}/12" for n in range(1, 13)]
    assert all(line.count(":") == 3 for line in lines if "train_loss:" in line), "a loss and a norm a step"
    scores = ("val_loss", "val_bpb", "val_nats_per_character")
    assert lines[-4] == f"step:12/12 {' '.join(f'{name}:{row[name]!r}' for name in scores)}"
    assert lines[-3].startswith("status:completed train_time:")
    quantised = f"val_loss:{row['val_loss_quantised']!r} val_bpb:{row['val_bpb_quantised']!r}"
    assert lines[-1] == f"final_int8_zlib_roundtrip_exact {quantised}"


def test_the_curve_is_a_table_with_the_monitors_in_it(campaign, tmp_path, capsys) -> None:
    assert export.main(["small", "--trial", "0", "--to", str(tmp_path / "to")]) == 0
    capsys.readouterr()
    table = pd.read_csv(tmp_path / "to" / "curve.csv")
    kept = load(campaign).curves.query("number == 0")
    assert set(table) == {"step", *kept["name"]} and any(name.startswith("weight_norm") for name in table)
    assert list(table["step"]) == list(range(1, 13))
    for name, rows in kept.groupby("name"):
        assert table.set_index("step")[name].dropna().to_dict() == dict(zip(rows["step"], rows["value"], strict=True))


def test_the_command_trains_the_same_trial(campaign, tmp_path, capsys, monkeypatch) -> None:
    assert export.main(["small", "--to", str(tmp_path / "to")]) == 0
    capsys.readouterr()
    command = shlex.split((tmp_path / "to" / "command.txt").read_text())
    assert command[:3] == ["python", "-m", "tuner.run"]
    play_in_place_of_ray(monkeypatch, training(Tune))
    assert run.main([*command[3:], "--no-audit", "--name", "again", "--results", str(tmp_path / "runs")]) == 0
    capsys.readouterr()
    (row,) = load(tmp_path / "runs" / "again").trials.to_dict("records")
    assert row["key"] == winner(campaign)["key"] and row["value"] == winner(campaign)["value"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trial", "99"], "campaign 'small' has no trial 99: its trials are 0 to 3"),
        (["--trial", "-1"], "is not a whole number in"),
        (["--bits", "3"], "'3' is not a whole number in 4..8"),
        (["--compressor", "zstt"], "did you mean 'zstd'?"),
        (["--tral", "1"], "did you mean '--trial'?"),
        (["--data", "elsewhere"], "elsewhere"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_changes_nothing(campaign, arguments, said, capsys) -> None:
    assert said in refused("small", *arguments, capsys=capsys)


def test_an_unknown_campaign_is_told_the_nearest(campaign, capsys) -> None:
    assert "did you mean 'small'?" in refused("smal", capsys=capsys)


def test_a_trial_without_weights_is_told_which_ones_have_some(campaign, capsys) -> None:
    rows = load(campaign).trials
    without = next(row["number"] for row in rows.to_dict("records") if not isinstance(row["weights"], str))
    said = refused("small", "--trial", str(without), capsys=capsys)
    kept = sorted({0, int(winner(campaign)["trial"])})
    assert (
        f"trial {without} of campaign 'small' has no weights: they were not kept (--keep); there are those of" in said
    )
    assert f"trial {', '.join(map(str, kept))}\n" in said


def test_a_reused_winner_is_exported_from_the_campaign_that_has_its_weights(campaign, monkeypatch, capsys) -> None:
    play_in_place_of_ray(monkeypatch, training(Tune))
    asked = [*GOLF, *SET_SMALL, "--concurrent", "1", *ASKED]
    assert run.main([*asked, "--name", "again", "--reuse", "small"]) == 0
    assert run.main([*asked, "--name", "third", "--reuse", "again"]) == 0
    capsys.readouterr()
    won = int(winner(campaign)["trial"])
    command = f"python -m tuner.export small --trial {won}"
    said = refused("again", capsys=capsys)
    assert f"it was reused from campaign 'small', which has them: {command}; " in said
    assert said.endswith("no trial has any: none that completes has been trained here\n") and "--keep" not in said
    said = refused("third", capsys=capsys)
    assert f"campaign 'again' and there it was reused from campaign 'small', which has them: {command}; " in said
    (campaign.parent / "small").rename(campaign.parent / "moved")
    try:
        said = refused("again", capsys=capsys)
    finally:
        (campaign.parent / "moved").rename(campaign)
    assert "from campaign 'small', which may have them but is not beside this one; " in said


def test_a_folder_that_is_not_empty_a_file_and_a_campaigns_are_refused(campaign, tmp_path, capsys) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine").touch()
    assert "is not empty: it holds 'mine'" in refused("small", "--to", str(tmp_path / "to"), capsys=capsys)
    assert "no folder" in refused("small", "--to", str(tmp_path / "to" / "mine"), capsys=capsys)
    assert "whose files are its own" in refused("small", "--to", str(campaign / "to"), capsys=capsys)


def test_a_row_that_names_a_file_elsewhere_is_not_followed(campaign, capsys) -> None:
    copy = campaign.with_name("copy")
    shutil.copytree(campaign, copy)
    store = Store.open(copy)
    row = next(row for row in store.trials() if row["number"] == 0)
    store.write_trial({**row, "weights": "../../etc/passwd", "campaign": "copy"})
    said = refused(str(copy), "--trial", "0", capsys=capsys)
    assert "'../../etc/passwd', where none of its own can lie" in said


def test_weights_that_are_gone_are_named(campaign, tmp_path, capsys) -> None:
    copy = campaign.with_name("bare")
    shutil.copytree(campaign, copy)
    shutil.rmtree(copy / "weights")
    assert "where no file is now" in refused(str(copy), "--trial", "0", "--to", str(tmp_path / "to"), capsys=capsys)
