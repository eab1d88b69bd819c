"""The Python of docs/python.md and docs/tutorial.md runs as it stands there, with the executor that plays Ray.

A search is made small, its data a few texts, and nothing is audited; what stands for a name or place gets a real one.
A block marked ``py`` trains at a size that only a GPU can: it is compiled, and its functions and arguments must exist.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
from typing import Any

import pytest

import tuner
from tests.markdown_files import ROOT, Block, blocks, name
from tests.small_campaign import SMALL, play_in_place_of_ray, work_in
from tuner import api
from tuner.cli import modes
from tuner.python import arguments

PAGES = [ROOT / "docs" / "python.md", ROOT / "docs" / "tutorial.md"]
BLOCKS = {f"{name(page)}:{b.line}": b for page in PAGES for b in blocks(page) if b.language == "python"}
LARGE = {f"{name(page)}:{b.line}": b for page in PAGES for b in blocks(page) if b.language == "py"}
CAMPAIGNS = ("first", "teeth", "night", "day")  # that blocks load; a reader has made them


@pytest.fixture(autouse=True)
def small_searches(tmp_path, monkeypatch, play) -> list[str]:
    """Let searches be small and played; returns the names of those that ended."""
    work_in(tmp_path, monkeypatch)
    play_in_place_of_ray(monkeypatch, play)
    search, load, ended = tuner.search, tuner.load, list[str]()

    def small(space: Any, **asked: Any) -> tuner.Campaign:
        asked["overrides"] = SMALL | asked.get("overrides", {})
        found = search(space, **asked, data="text", audit=False, display=False)
        ended.append(found.name)
        return found

    def placed(campaign: str, **given: Any) -> tuner.Campaign:
        return load(ended[-1] if campaign.endswith("...") else campaign, **given)

    monkeypatch.setattr(tuner, "search", small)
    monkeypatch.setattr(tuner, "load", placed)
    return ended


@pytest.mark.parametrize("where", BLOCKS)
def test_a_block_of_python_runs(where: str) -> None:
    block: Block = BLOCKS[where]
    here = {"tuner": tuner}  # as the block before it has it
    for campaign in CAMPAIGNS:
        if f'"{campaign}"' in block.text:
            tuner.search("parameter_golf", scale="proxy", trials=5, confirm="2x2", name=campaign)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(block.text, where, "exec"), here)
    assert len(here["campaign"].trials) > 0


@pytest.mark.parametrize("where", LARGE)
def test_a_block_that_wants_a_gpu_asks_for_what_there_is(where: str) -> None:
    tree = ast.parse(LARGE[where].text, where)
    named = {
        node.func.attr: node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert named
    for function, call in named.items():
        there = {*inspect.signature(getattr(tuner.Campaign, function, None) or getattr(api, function)).parameters}
        there |= {*arguments.parameters(modes.RESUME)} if function == "resume" else set()
        assert {keyword.arg for keyword in call.keywords} <= there, function


def test_the_pages_have_python() -> None:
    assert {where.partition(":")[0] for where in BLOCKS} == {name(page) for page in PAGES} and len(BLOCKS) >= 4


def test_a_block_that_is_wrong_is_found() -> None:
    with pytest.raises(TypeError, match="trails"):
        exec('import tuner\ntuner.search("parameter_golf", trails=3)', {})
