"""What a command is told where something that it reads cannot be downloaded: advice that the same command takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import search_spaces
from terminal.console import Console
from trainable.data import core_bundle
from tuner.cli import options
from tuner.command import Begin
from tuner.plan.downloads import check_downloads
from tuner.question import Question, ask, check_answerable


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(core_bundle, "ADDRESS", "http://127.0.0.1:9/eval_bundle.zip")


def question_of(given: str) -> Question:
    asked = options.parse(["--space", "nanochat", "--trials", "1", *shlex.split(given)])
    assert isinstance(asked, Begin)
    return ask(search_spaces.load("nanochat"), asked.spec)


def refused(given: str, begun: bool = False) -> str:
    with pytest.raises(ValueError, match="could not download") as error:
        check_downloads(Console(), question_of(given), download_now=True, begun=begun)
    assert "\n" not in str(error.value)
    return str(error.value)


CORE = "--set evaluation.core=Core"


@pytest.mark.parametrize(
    ("given", "left_out"),
    [
        (CORE, "--set evaluation.core"),
        ("--set evaluation.core.max_per_task=9", "--set evaluation.core.max_per_task"),
        (f"{CORE} --objective core_error", "--objective core_error and --set evaluation.core"),
        (f"{CORE} --constraint 'core>=0.1'", "--constraint 'core>=0.1' and --set evaluation.core"),
    ],
)
def test_what_asks_for_core_is_left_out_as_a_whole_and_the_rest_of_the_command_is_taken(given, left_out) -> None:
    assert refused(given).endswith(f"; or leave out {left_out}")
    rest = given
    for part in left_out.split(" and "):
        assert part in rest
        rest = re.sub(rf"{re.escape(part)}(=\S+)?", "", rest)
    question = question_of(rest)
    check_answerable(question.space, question.base)
    assert question.base.evaluation.core is None
    check_downloads(Console(), question, download_now=True)


def test_other_data_are_advised_that_the_command_takes() -> None:
    said = refused("--scale full")
    assert said.endswith("; or give --data FOLDER with shards or texts, or --data stdlib (--scale proxy reads that)")
    check_downloads(Console(), question_of("--scale proxy"), download_now=True)
    assert refused("--data mainrun").endswith("or --data stdlib")
    check_downloads(Console(), question_of("--data stdlib"), download_now=True)


def test_a_vocabulary_that_cannot_be_had_may_be_learnt_instead(tmp_path: Path, monkeypatch) -> None:
    import tiktoken

    def unreachable(name: str) -> None:
        raise OSError("HTTPSConnectionPool(...)") from ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(tiktoken, "get_encoding", unreachable)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("the cat sat on the mat\n" * 99)
    data = f"--data {tmp_path / 'texts'}"
    said = refused(f"{data} --set data.tokenizer=gpt2")
    assert "(Connection refused): where" in said
    assert said.endswith("; or leave out data.tokenizer=gpt2: then a vocabulary is learnt on the text")
    check_downloads(Console(), question_of(data), download_now=True)


def test_a_campaign_that_has_begun_is_told_to_ask_for_nothing_else() -> None:
    for given in (CORE, "--scale full"):
        assert " or " not in refused(given, begun=True)
