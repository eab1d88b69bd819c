"""The page of a campaign as a file: it refers to nothing, and no text of a campaign becomes a part of its HTML."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from results import Store, load
from results.page import PAGE
from results.page.data import page_data
from results.page.write import embedded, html_of, write_page
from results.report import main

Row = dict[str, Any]
HOSTILE = "</script><img src=x onerror=alert(1)><!--\u2028\u2029\u202e&amp;'\"`${x}\\"


def _data(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


class _Tags(HTMLParser):
    """Names of the elements, and the attributes that may load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.places: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.places += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "action", "style")]


def _tags(html: str) -> _Tags:
    found = _Tags()
    found.feed(html)
    return found


def test_the_page_lies_in_the_campaign_and_refers_to_nothing_else(campaign: Path) -> None:
    where = write_page(load(campaign), campaign)
    assert where == campaign / PAGE
    html = (campaign / PAGE).read_text("utf-8")
    found = _tags(html)
    assert found.places == ["#verdict"]  # the link that skips to it
    assert not {"link", "img", "iframe", "object"} & set(found.tags)
    assert "@import" not in html and "url(" not in html
    assert [p.name for p in campaign.iterdir() if p.name.startswith(".")] == []


def test_its_policy_lets_only_its_own_script_and_style_run(campaign: Path) -> None:
    html = html_of(page_data(load(campaign), campaign))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy and policy[1].startswith("default-src 'none'") and "unsafe" not in policy[1]
    for tag, name in (("<style>", "style"), ("<script>", "script")):
        text = html.partition(tag)[2].partition(f"</{name}>")[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy[1]


@pytest.mark.parametrize("text", ["</script>", "<!--", "\u2028", "\u2029", "&", "]]>", "\x00", "\ud800"])
def test_no_text_ends_the_block_of_the_data(text: str) -> None:
    written = embedded({"a": text})
    assert not re.search("[<>&\u2028\u2029]", written)
    assert json.loads(written) == {"a": text}


def test_hostile_texts_stay_texts(tmp_path: Path, make_trial: Callable[..., Row]) -> None:
    store = Store.create(tmp_path / "hostile", {"space": HOSTILE, "question": HOSTILE}, {"model.name": "string"})
    plain = {name: None for name in make_trial(0, "completed") if "." in name or name == "schedule"}
    for number, status in enumerate(("completed", "crashed", "stopped")):
        row = {name: cell for name, cell in make_trial(number, status, 2.0).items() if name not in plain}
        row |= {"overrides": json.dumps({"model.name": HOSTILE, HOSTILE: 1}), "reason": HOSTILE, "note": HOSTILE}
        store.write_trial(row | {"model.name": HOSTILE, "device": HOSTILE, "worker": f"{HOSTILE}:1", "rung": 60.0})  # type: ignore[typeddict-item]
    html = html_of(page_data(load(store.folder), store.folder))
    tags = _tags(html).tags
    assert "img" not in tags and tags.count("script") == 2
    data = _data(html)
    assert data["space"].startswith("</script><img"), "it is there, as text"
    assert "\u202e" not in json.dumps(data, ensure_ascii=False), "a text that turns the line round is escaped"


def test_the_report_writes_it_and_says_where(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(campaign)]) == 0
    assert f"Page: {campaign / PAGE}" in capsys.readouterr().out
    before = (campaign / PAGE).stat().st_ino
    assert main([str(campaign), "--no-page"]) == 0
    assert (campaign / PAGE).stat().st_ino == before and "Page:" not in capsys.readouterr().out


def test_a_page_that_cannot_be_written_is_one_line_after_the_report(campaign: Path, capsys: Any) -> None:
    (campaign / PAGE).mkdir()
    assert main([str(campaign)]) == 1
    said = capsys.readouterr()
    assert "trial" in said.out and said.err.count("\n") == 1
    assert "a folder lies where a campaign has a file" in said.err
