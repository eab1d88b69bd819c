"""The page at 390 pixels: nothing is cut, and no two names read alike. Skipped where there is no Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.write import write_page

LABELS = (Path(__file__).parents[3] / "results" / "page" / "scripts" / "shared" / "labels.js").read_text("utf-8")
SHORTENED = """([labels, width]) => {
  %s
  const ctx = document.createElement("canvas").getContext("2d");
  ctx.font = "12px sans-serif";
  return shortened(ctx, labels, width).map((text) => [text, ctx.measureText(text).width]);
}"""
RIGHT = "(place) => Math.max(...[...document.querySelectorAll(place)].map((one) => one.getBoundingClientRect().right))"
FAMILIES = [
    "optimizer.muon_momentum", "optimizer.muon_momentum_warmup_steps", "optimizer.muon_momentum_warmup_frac",
    "optimizer.muon_wd", "losses.ZLoss.weight", "losses.TiedEmbeddings.weight", "losses.TiedHeads.weight", "schedule",
    "hooks.A.x", "hooks.B.x",
]  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a made-up search with a confirmation."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 40)
    return Path(str(write_page(load(folder), folder)))


def test_filter_verdicts_and_the_knobs_are_whole_on_a_phone(page: Path, show: Callable[..., Any]) -> None:
    tab = show(page, width=390).tab
    for place in ("#bar .chip", "#bar input", "#count", "#confirmation td:last-child", "#parallel .chart"):
        assert tab.evaluate(RIGHT, place) <= 390, place
    wide = tab.locator("#parallel .wide")
    assert wide.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "all axes, the result's too"
    assert "Knobs shown: 5 of 16" in tab.locator("#parallel summary").inner_text()


@pytest.mark.parametrize("width", [30, 60, 96, 120, 230])
def test_no_two_names_are_shortened_to_the_same(page: Path, show: Callable[..., Any], width: int) -> None:
    tab = show(page).tab
    found = tab.evaluate(SHORTENED % LABELS, [FAMILIES, width])
    texts = [text for text, _ in found]
    assert len(set(texts)) == len(FAMILIES)
    assert all(wide <= width for text, wide in found if width >= 60)
    if width == 230:
        assert texts == FAMILIES or texts[1].endswith("muon_momentum_warmup_steps")


def test_the_same_name_twice_stays_the_same(page: Path, show: Callable[..., Any]) -> None:
    found = show(page).tab.evaluate(SHORTENED % LABELS, [["host", "host", "other"], 200])
    assert [text for text, _ in found] == ["host", "host", "other"]
