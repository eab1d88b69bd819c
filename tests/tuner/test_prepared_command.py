"""The command that `python -m trainable.data prepare` prints reads, as printed, what was prepared and nothing else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import search_spaces
from tests import hub_server
from tests.hub_server import serving
from trainable.data import best_fit, climbmix, hacker_news, smollm_mixture
from trainable.data.__main__ import main
from trainable.data.dataset import DataConfig
from trainable.data.preparation import check_source, known_validation_targets, known_vocab_size, prepared
from trainable.data.sources import DOWNLOADED
from tuner.cli import options
from tuner.command import Begin
from tuner.plan.bench import vocab_size
from tuner.plan.cost import tokens_of
from tuner.plan.downloads import check_limits
from tuner.question import Question, ask, check_answerable


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as hub:
        hub_server.climbmix(hub, documents=60, words=20, last=8)
        hub_server.hacker_news(hub, stories=3000)
        hub_server.smollm(hub, documents=150)
        hub_server.fineweb(hub, tokens=20_000)
        yield hub.address


@pytest.fixture(autouse=True)
def small_hub(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setattr(climbmix, "LAST", 8)
    monkeypatch.setattr(best_fit, "WAITING", 20)
    monkeypatch.setattr(hacker_news, "NUM_TITLES", 3000)
    monkeypatch.setattr(smollm_mixture, "ROW", 256)


def question_of(command: str) -> Question:
    program, *arguments = shlex.split(command.removeprefix("python -m "))
    asked = options.parse(arguments)
    assert program == "tuner.run" and isinstance(asked, Begin)
    return ask(search_spaces.load(asked.spec.space), asked.spec)


GIVEN = [
    "nanochat --vocab-size 300 --tokens 5000",
    "nanochat --vocab-size 300 --tokens 3000 --seq-len 96 --scale full",
    "nanochat --scale proxy --vocab-size 300 --tokens 2000",
    "nanochat --scale proxy --vocab-size 290 --seq-len 48 --tokens 999",
    "mainrun --vocab-size 400",
    "mainrun --scale proxy --vocab-size 300 --pretokenizer url_isolated",
    "speedrun",
    "speedrun_40M --scale proxy",
    "fineweb10B_gpt2",
    "fineweb10B_gpt2 --tokens 7",
    "fineweb10B_sp1024",
    "fineweb10B_sp1024 --scale proxy --tokens 4000",
]


@pytest.mark.parametrize("given", GIVEN)
def test_the_printed_command_reads_exactly_what_was_prepared_without_a_network(given: str, monkeypatch, capsys) -> None:
    assert main(["prepare", *given.split()]) == 0
    *_, lies, _, command = [line for line in capsys.readouterr().out.splitlines() if "target tokens, and" not in line]
    folder, tokens = re.fullmatch(r"it lies in (.*): ([\d,]+) tokens", lies).groups()  # type: ignore[union-attr]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    question = question_of(command.removeprefix("use it: "))
    base = question.base
    assert check_source(base.data, tokens_of(base), download_now=True) == ""
    found = prepared(base.data, tokens_of(base))
    assert found is not None and str(found.train.paths[0].parent) == folder
    assert found.train.total_tokens + len(found.validation) == int(tokens.replace(",", ""))
    check_answerable(question.space, base, found)
    assert known_vocab_size(base.data) == found.vocab_size
    if found.train.row_tokens is not None:
        steps = -(-(tokens_of(base) or 0) // base.data.batch_tokens)
        rows = base.data.batch_tokens // base.data.seq_len
        assert found.train.total_tokens == steps * rows * found.train.row_tokens
        packed = len(found.validation) // found.train.row_tokens
        assert known_validation_targets(base.data) == packed * base.data.seq_len


@pytest.mark.parametrize("given", ["fineweb10B_gpt2", "fineweb10B_sp1024 --scale proxy", "speedrun_40M --scale proxy"])
def test_a_plan_is_of_the_vocabulary_and_the_validation_text_that_are_here(given: str, capsys) -> None:
    nominal = {"fineweb10B_gpt2": 50_257, "fineweb10B_sp1024": 1024, "speedrun_40M": 49_152}[given.split()[0]]
    published = DataConfig(source=given.split()[0])
    assert known_vocab_size(published) == nominal, "nothing is here yet"
    assert main(["prepare", *given.split()]) == 0
    base = question_of(capsys.readouterr().out.splitlines()[-1].removeprefix("use it: ")).base
    found = prepared(base.data, tokens_of(base))
    assert found is not None and found.vocab_size != nominal
    assert known_vocab_size(base.data) == vocab_size(base) == found.vocab_size
    assert known_validation_targets(base.data) == len(found.validation) - 1


@pytest.mark.parametrize("given", ["--space speedrun --data speedrun_40M", "--space ngpt --data fineweb10B_gpt2"])
def test_a_limit_that_the_published_vocabulary_breaks_says_how_the_datas_own_is_counted(given: str) -> None:
    name = given.split()[-1]
    small = "--set data.batch_tokens=2048 --set data.grad_accum_steps=1 --set budget.steps=2"
    limit = "--constraint 'parameters<=3e6'"
    question = question_of(f"python -m tuner.run {given} --scale proxy {small} {limit}")
    with pytest.raises(ValueError, match=r"^the base breaks a constraint: parameters [0-9,]+ > 3,000,000 ") as error:
        check_limits(question)
    said = (
        f", with the published vocabulary of {name}, {known_vocab_size(question.base.data):,} tokens: to have its own"
    )
    assert said in str(error.value)
    command = re.search(r"first run `python -m trainable.data (.*)`$", str(error.value))
    assert command is not None and main(shlex.split(command[1])) == 0
    check_limits(question)
    tighter = question_of(f"python -m tuner.run {given} --scale proxy {small} --constraint 'parameters<=1000'")
    with pytest.raises(ValueError, match=r"the base breaks a constraint: parameters [0-9,]+ > 1,000 \(\S+\)$"):
        check_limits(tighter)


def test_a_limit_is_judged_at_once_by_a_vocabulary_that_a_run_learns_of_just_that_size() -> None:
    question = question_of(
        "python -m tuner.run --space mainrun --scale proxy --data mainrun --constraint 'parameters<=9'"
    )
    with pytest.raises(ValueError, match=r"the base breaks a constraint: parameters [0-9,]+ > 9 \(parameters<=9\)$"):
        check_limits(question)


def test_a_prepared_vocabulary_that_is_replaced_or_damaged_is_seen(tmp_path: Path) -> None:
    data = DataConfig(source="fineweb10B_gpt2")
    file = tmp_path / "cache" / "downloads" / "fineweb10B_gpt2" / "vocab.json"
    file.parent.mkdir(parents=True)
    for extra, size in ((0, 257), (10, 267)):
        file.write_bytes(hub_server.gpt2_vocabulary(extra))
        assert known_vocab_size(data) == size
    file.write_text("{")
    assert known_vocab_size(data) == 50_257, "whoever opens the data refuses it"


def test_every_named_source_is_tried() -> None:
    assert {given.split()[0] for given in GIVEN} == {*DOWNLOADED}


def test_text_and_a_folder_of_packed_rows_are_read_as_they_were_prepared(tmp_path: Path, capsys) -> None:
    (tmp_path / "texts").mkdir()
    for number in range(12):
        (tmp_path / "texts" / f"{number}.txt").write_text(f"the cat {number} sat on {number * 7919} mats\n" * 400)
    assert main(["prepare", str(tmp_path / "texts"), "--vocab-size", "280"]) == 0
    of_text = capsys.readouterr().out.splitlines()[-1]
    assert main(["prepare", "nanochat", "--vocab-size", "300", "--tokens", "5000", "--seq-len", "96"]) == 0
    folder = re.search(r"it lies in (.*): ", capsys.readouterr().out)
    assert folder is not None and main(["prepare", folder[1]]) == 0
    of_rows = capsys.readouterr().out.splitlines()[-1]
    for line, size in ((of_text, 280), (of_rows, 300)):
        question = question_of(line.removeprefix("use it: "))
        found = prepared(question.base.data, tokens_of(question.base))
        assert found is not None and found.vocab_size == size == known_vocab_size(question.base.data)
        check_answerable(question.space, question.base, found)
