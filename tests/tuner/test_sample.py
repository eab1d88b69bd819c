"""Text written with kept weights, through the real command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.trained_campaign import trained_campaign
from tests.tuner.conftest import Tune
from trainable.data.text_codec import ByteLevelCodec
from tuner import sample


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        return trained_campaign(tmp_path_factory.mktemp("samples"), patch, Tune, "--trials", "1", "--no-confirm")


@pytest.fixture(autouse=True)
def there(campaign, monkeypatch) -> None:
    monkeypatch.chdir(campaign.parents[2])
    monkeypatch.setenv("TUNER_CACHE", str(campaign.parents[2] / "cache"))


def test_text_goes_on_from_the_prompt_and_depends_on_the_seed(capsys) -> None:
    said = []
    for seed in ("1", "1", "2"):
        assert sample.main(["small", "--prompt", "12 34", "--tokens", "40", "--seed", seed]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2] and all(text.startswith("12 34") and len(text) > 40 for text in said)
    assert set(said[0]) & set("0123456789"), "it has seen numbers only"
    assert sample.main(["small", "--tokens", "5", "--temperature", "0", "--top-k", "300"]) == 0


def test_the_trial_that_is_taken_is_named_beside_the_text(capsys) -> None:
    assert sample.main(["small", "--tokens", "5"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("python -m tuner.sample: no --trial was given: trial 0 is the base: ")
    assert said.err.count("\n") == 1 and "--trial" not in said.out
    assert sample.main(["small", "--trial", "0", "--tokens", "5"]) == 0
    assert capsys.readouterr().err == ""


def test_a_prompt_with_characters_that_have_no_tokens_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setattr(ByteLevelCodec, "unknown", lambda codec, text: [each for each in text if not each.isascii()])
    assert sample.main(["small", "--prompt", "1 学 2 é"]) == 2
    said = capsys.readouterr()
    assert "--prompt has '学', 'é', which the vocabulary of the data has no tokens for" in said.err and said.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--top-k", "301"], "--top-k 301 is more than the 300 tokens of the vocabulary"),
        (["--top-k", "0"], "'0' is not a whole number of at least 1"),
        (["--temperature", "-1"], "'-1' is not a temperature, a number in 0..100"),
        (["--temperature", "warm"], "'warm' is not a temperature"),
        (["--tokens", "0"], "'0' is not a whole number in 1..100,000"),
        (["--seed", "x"], "'x' is not a whole number in 0..2^63-1"),
        (["--trial", "7"], "campaign 'small' has no trial 7"),
        (["--prompt", "a\udcff"], "--prompt holds half a surrogate pair at position 1, which is no text"),
        (["--promt", "x"], "did you mean '--prompt'?"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line(arguments, said, capsys) -> None:
    before = sorted(os.listdir())
    try:
        code = sample.main(["small", *arguments])
    except SystemExit as ended:
        code = ended.code
    found = capsys.readouterr()
    assert code == 2 and found.out == "" and found.err.count("\n") == 1 and said in found.err
    assert sorted(os.listdir()) == before
