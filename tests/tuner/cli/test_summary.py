"""The end of a search leaves its page of results and the winner's command in its folder."""

from __future__ import annotations

import io

from results import load
from results.design import Design
from results.page import PAGE
from results.winner_command import kept_command
from terminal.console import Console
from tests.tuner.test_confirm import better
from tuner.cli.summary import conclude, keep_command


def test_a_search_ends_with_its_page_and_keeps_the_winners_command(bench, play) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=better).run()
    console = Console(file=io.StringIO(), width=200)
    assert conclude(console, search) == 0
    assert f"Page: {search.folder / PAGE}" in console.file.getvalue()
    assert "is better than the base" in (search.folder / PAGE).read_text("utf-8")
    line = "python -m tuner.run --space made_up --trials 1"
    keep_command(console, search, search.confirmation, line)
    kept = kept_command(load(search.folder))
    assert kept is not None and kept.line == line and not kept.minimal
