"""The audit sees a setting of what is read: by the text and its tokens, which no shortened run has."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import search_spaces
from terminal.console import Console
from tests.small_campaign import SMALL, work_in
from trainable.config import TrainConfig
from trainable.data.preparation import prepare
from tuner.audit import overrides as audit
from tuner.audit.of_question import audited
from tuner.audit.overrides import INERT, LIVE, Finding
from tuner.audit.read_data import as_data_tell, data_findings, read_alike
from tuner.question import Question, ask
from tuner.spec import CampaignSpec

SEEN = "changes the computation"


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    work_in(tmp_path, monkeypatch)
    return tmp_path


def question(scale: str = "proxy", **overrides: object) -> Question:
    settings = {**SMALL, **overrides} if scale == "proxy" else overrides
    spec = CampaignSpec(space="parameter_golf", scale=scale, overrides=settings)
    return ask(search_spaces.load("parameter_golf"), spec)


def reading(source: str, **others: object) -> TrainConfig:
    named = {f"data.{name}": value for name, value in others.items()}
    return question(**{"data.source": source, **named}).base


def said(asked: Question, monkeypatch: pytest.MonkeyPatch, **given: object) -> str:
    """What the audit of settings alone prints."""
    monkeypatch.setattr(audit, "audit_space", lambda space, base: [])
    console = Console(file=(stream := io.StringIO()), width=1000)
    audited(console, asked, None, **given)
    return stream.getvalue()


def test_other_text_is_seen_to_change_the_computation(monkeypatch) -> None:
    monkeypatch.setattr(audit, "audit_fixed", lambda *asked: [
        Finding("data.source", LIVE, "text", "stdlib", why="data.source: not in a shrunken run", seen=False)
    ])  # fmt: skip
    spec = CampaignSpec(space="parameter_golf", scale="proxy", overrides={"data.source": "text"})
    asked = ask(search_spaces.load("parameter_golf"), spec)
    assert f"audit: the only setting {SEEN} (" in said(asked, monkeypatch)


def test_a_text_under_another_name_is_the_same_data(workplace, monkeypatch) -> None:
    copy = workplace / "copy"
    copy.mkdir()
    for file in (workplace / "text").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert read_alike(reading("text"), reading("copy")) is True
    (copy / sorted(copy.iterdir())[0].name).write_text("another text " * 50)
    assert read_alike(reading("text"), reading("copy")) is False
    assert read_alike(reading("text"), reading("text", vocab_size=290)) is False, "other tokens of the same text"


def test_what_nothing_here_tells_is_not_said_to_be_the_same_or_another(workplace, monkeypatch) -> None:
    folder = prepare(reading("text").data).train.paths[0].parent
    assert read_alike(reading(str(folder)), reading("text")) is True, "both are prepared, and have one fingerprint"
    assert read_alike(reading(str(folder)), reading("text", vocab_size=290)) is None, "which is not prepared"
    assert read_alike(reading(str(folder)), reading(str(folder))) is True
    assert read_alike(reading("mainrun"), reading(str(folder))) is None, "the folder may hold its files"
    assert read_alike(reading("mainrun"), reading("nanochat")) is False
    assert read_alike(reading("mainrun"), reading("text")) is False


def test_data_are_compared_with_those_of_the_scale_that_is_searched() -> None:
    """At full size golf reads FineWeb; the shortened runs start from the proxy, which reads the standard library."""
    asked = question("full", **{"data.source": "stdlib"})
    found = data_findings(asked.original, "full", asked.overrides, asked.base, None)
    assert found["data.source"].status == LIVE and found["data.source"].undone == "fineweb10B_sp1024"
    assert data_findings(asked.original, "proxy", {}, asked.base, None) == {}, "nothing of it is set"


def test_the_same_tokens_are_said_to_change_nothing_with_what_they_are_the_same_as() -> None:
    same = Finding("data.source", INERT, "copy", "text", why="the same tokens as with text")
    other = Finding("optimizer.matrix_lr", LIVE, 0.1, 0.04, 0.3)
    unseen = Finding("data.source", LIVE, "copy", "stdlib", seen=False)
    assert as_data_tell([unseen, other], {"data.source": same}) == [same, other]
    assert as_data_tell([other], {"data.source": same}) == [other, same], "a size that the proxy does not have"


def test_data_that_are_gone_are_left_to_what_reads_them() -> None:
    asked = question(**{"data.source": "text"})
    gone = {**asked.overrides, "data.pretokenizer": "gone"}
    assert "data.tokenizer" not in data_findings(asked.original, "proxy", gone, asked.base, None)
