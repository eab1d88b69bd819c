"""``python -m trainable.data prepare``: what it makes, where it says it lies, and the command that reads it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests import hub_server
from tests.hub_server import serving
from trainable.data import best_fit, climbmix
from trainable.data.__main__ import main
from trainable.data.dataset import DataConfig
from trainable.data.preparation import prepare, prepared


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("COLUMNS", "1000")
    return tmp_path / "cache"


def test_a_named_set_is_prepared_for_a_machine_without_a_network(cache: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(best_fit, "WAITING", 20)
    monkeypatch.setattr(climbmix, "LAST", 8)
    with serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub_server.climbmix(hub, documents=60, words=20, last=8)
        assert main(["prepare", "nanochat", "--vocab-size", "300", "--seq-len", "16", "--tokens", "640"]) == 0
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    out = capsys.readouterr().out
    dataset = prepared(DataConfig(source="nanochat", vocab_size=300, seq_len=16, batch_tokens=16), 640)
    assert dataset is not None
    there = dataset.train.total_tokens + len(dataset.validation)
    assert f"it lies in {dataset.train.paths[0].parent}: {there:,} tokens" in out
    assert f"without a network: copy {cache} to the same place there" in out
    command = "python -m tuner.run --space nanochat --data nanochat --set data.vocab_size=300 --set data.seq_len=16"
    assert out.splitlines()[-1] == f"use it: {command}"


def test_a_folder_of_text_is_prepared_as_shards_that_the_command_names(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "my texts"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"the cat {number} sat on the mat, naïve and {number * 7919} hats\n" * 30)
    assert main(["prepare", str(folder), "--vocab-size", "270"]) == 0
    last = shlex.split(capsys.readouterr().out.splitlines()[-1].removeprefix("use it: "))
    assert last[:3] == ["python", "-m", "tuner.run"] and last[-2] == "--data"
    found = prepare(DataConfig(source=last[-1]))
    assert found.vocab_size == 270 and found.train.total_tokens > 0


@pytest.mark.parametrize(
    ("option", "value", "takes"),
    [
        ("--tokens", "1000", "--vocab-size and --pretokenizer and --tokenizer"),
        ("--seq-len", "64", "--vocab-size and --pretokenizer and --tokenizer"),
        ("--vocab-size", "300", "--tokenizer"),
    ],
)
def test_an_option_that_changes_nothing_in_text_is_refused(tmp_path, cache, monkeypatch, capsys, option, value, takes):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a line of text\n" * 99)
    vocabulary = ["--tokenizer", "gpt2"] if option == "--vocab-size" else []
    assert main(["prepare", "texts", *vocabulary, option, value]) == 2
    said = capsys.readouterr().err
    assert f"{option} has no effect on texts" in said and f": it takes {takes}\n" in said
    assert not cache.exists()


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["prepare", "nanochet"], "neither a file or folder nor a dataset: did you mean 'nanochat'"),
        (["prepare", "nanochat"], "could not download"),
        (["prepare", "nanochat", "--tokens", "0"], "'0' is not a whole number in 1..1,000,000,000,000"),
        (["prepare", "nanochat", "--tokenizer", "gpt2"], "tokenizer is 'gpt2' but must be null for nanochat"),
        (["prepare", "nanochat", "--seq-len", "0"], "'0' is not a whole number of at least 1"),
        (
            ["prepare", "fineweb10B_gpt2", "--seq-len", "9"],
            "--seq-len has no effect on fineweb10B_gpt2: it takes --tok",
        ),
        (
            ["prepare", "mainrun", "--tokens", "9"],
            "--tokens has no effect on mainrun: it takes --vocab-size and ",
        ),
        (
            ["prepare", "speedrun", "--vocab-size", "300"],
            "--vocab-size has no effect on speedrun: it takes no",
        ),
        (["prepare", "fineweb10B_gpt2", "--tokens", "7"], "prepare fineweb10B_gpt2 --tokens 7`"),
        (
            ["prepare", "nanochat", "--tokens", "640", "--seq-len", "16"],
            "`python -m trainable.data prepare nanochat --seq-len 16 --tokens 680`",
        ),
        (["prepair", "nanochat"], "invalid choice: 'prepair'"),
        (["prepare"], "the following arguments are required"),
    ],
)
def test_what_cannot_be_prepared_is_one_line_and_exit_code_2(cache, monkeypatch, capsys, arguments, wrong):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(str(end.code))
    captured = capsys.readouterr()
    assert code == 2 and wrong in captured.err and captured.err.count("\n") == 1
    assert not [*cache.rglob("*")]
