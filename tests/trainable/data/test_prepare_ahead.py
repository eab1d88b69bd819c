"""``python -m trainable.data prepare``: what it makes, where it says it lies, and the command that reads it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests import hub_server
from tests.hub_server import serving
from trainable.data import best_fit, climbmix
from trainable.data.__main__ import in_own_options, main
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
    *_, note, command = out.splitlines()
    sets = "data.vocab_size=300 data.seq_len=16 data.batch_tokens=640 data.grad_accum_steps=1"
    available = len(dataset.validation) // 17 * 16
    sets += f" evaluation.tokens={available} evaluation.seq_len=16 budget.param_data_ratio=null budget.tokens=640"
    given = "".join(f" --set {one}" for one in sets.split())
    assert command == f"use it: python -m tuner.run --space nanochat --scale full --data nanochat{given}"
    assert f"has {available:,} target tokens, and a run of nanochat at scale full scores 41,943,040" in note
    assert "data: nanochat is made of about 9 files, 900 MB" in out


def test_a_folder_of_text_is_prepared_as_shards_that_the_command_names(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "my texts"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"the cat {number} sat on the mat, naïve and {number * 7919} hats\n" * 30)
    assert main(["prepare", str(folder), "--vocab-size", "270"]) == 0
    last = shlex.split(capsys.readouterr().out.splitlines()[-1].removeprefix("use it: "))
    assert last[:3] == ["python", "-m", "tuner.run"]
    found = prepare(DataConfig(source=last[last.index("--data") + 1]))
    assert found.vocab_size == 270 and found.train.total_tokens > 0


def test_text_that_is_less_than_a_run_scores_is_scored_as_far_as_it_goes_and_that_is_said(
    tmp_path: Path, capsys
) -> None:
    (tmp_path / "a.txt").write_text("".join(f"the cat {number} sat on the mat\n" for number in range(900)))
    assert main(["prepare", str(tmp_path / "a.txt"), "--vocab-size", "270"]) == 0
    *_, note, command = capsys.readouterr().out.splitlines()
    told = re.fullmatch(
        r"the validation split has ([\d,]+) target tokens, and a run of parameter_golf at scale proxy scores 16,384: "
        r"the command scores ([\d,]+)",
        note,
    )
    assert told is not None
    there, scored = (int(number.replace(",", "")) for number in told.groups())
    assert there - 128 < scored <= there and scored % 128 == 0
    assert command.endswith(f" --set evaluation.tokens={scored}")


@pytest.mark.parametrize(
    ("files", "options", "said"),
    [
        (
            {"a.txt": "the cat sat\n" * 20},
            "--vocab-size 260",
            "a run is scored on windows of 128 target tokens but ",
        ),
        ({"a.txt": "the cat sat on a mat\n" * 90}, "--vocab-size 5000", "or --vocab-size N with an N of at most"),
        ({"a.txt": "the cat sat on a mat\n" * 900}, "--vocab-size 5000", "more text of other words, or --vocab-size 2"),
        ({"a.txt": "ab\n" * 900}, "--vocab-size 99", "--vocab-size is 99 but must be 257"),
        (
            {"a.txt": "ab\n" * 900},
            "--tokenizer gpt3",
            "--tokenizer is 'gpt3', which is neither a file (",
        ),
        ({}, "", "holds no text (.txt, .md, .jsonl, .parquet) and no token shards"),
    ],
)
def test_too_little_text_and_wrong_settings_are_refused_in_the_options_of_this_program(
    files: dict[str, str], options: str, said: str, tmp_path: Path, cache: Path, capsys
) -> None:
    (tmp_path / "texts").mkdir()
    for name, text in files.items():
        (tmp_path / "texts" / name).write_text(text)
    assert main(["prepare", str(tmp_path / "texts"), *options.split()]) == 2
    printed = capsys.readouterr()
    assert said in printed.err and printed.err.count("\n") == 1 and "use it" not in printed.out
    assert "--set" not in printed.err and "--data" not in printed.err and "data." not in printed.err.partition(": ")[2]
    assert not cache.exists()


def test_advice_for_a_search_is_said_in_the_options_of_this_program_or_left_out() -> None:
    assert in_own_options("more text, or --set data.vocab_size=283") == "more text, or --vocab-size 283"
    assert in_own_options("DataConfig.tokenizer is 'x' but") == "--tokenizer is 'x' but"
    two = "give text (of 9), or --set evaluation.seq_len=16 --set evaluation.tokens=16 or less"
    assert in_own_options(two) == "give text (of 9)"
    assert (
        in_own_options("no text in x: pass --data FOLDER with text files")
        == "no text in x: give a FOLDER with text files"
    )


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
        (["prepare", "parameter_golf"], "campaign, and no name of data: parameter_golf reads fineweb10B_sp1024\n"),
        (["prepare", "golf"], "'golf' is a campaign, and no name of data: parameter_golf reads fineweb10B_sp1024\n"),
        (["prepare", "ngpt"], "'ngpt' is a campaign, and no name of data: ngpt reads fineweb10B_gpt2\n"),
        (["prepare", "nanochat"], "could not download"),
        (["prepare", "nanochat", "--tokens", "0"], "'0' is not a whole number in 1..1,000,000,000,000"),
        (
            ["prepare", "nanochat", "--tokenizer", "gpt2"],
            "--tokenizer is 'gpt2', but nanochat has a vocabulary of its own: leave --tokenizer at its default\n",
        ),
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
        (["prepare", "fineweb10B_gpt2", "--tokens", "7"], "prepare fineweb10B_gpt2 --tokens 128`"),
        (
            ["prepare", "nanochat", "--tokens", "640", "--seq-len", "16"],
            "`python -m trainable.data prepare nanochat --seq-len 16 --tokens 640`",
        ),
        (["prepair", "nanochat"], "'prepair' is no value of it: did you mean 'prepare'?"),
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
