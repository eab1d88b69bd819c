"""The table of docs/samplers.md is that of the campaigns that are kept beside the recorded runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.surrogate import campaigns, compare, method_rows

PAGE = Path("docs/samplers.md")
KEPT = compare.read(Path("results/recorded/samplers.jsonl"))


@pytest.mark.parametrize("table", [method_rows.table, method_rows.of_halves])
def test_the_tables_are_those_of_the_kept_campaigns(table) -> None:
    wanted, lines = list(table(KEPT)), PAGE.read_text().splitlines()
    at = lines.index(wanted[0])
    assert lines[at : at + len(wanted)] == wanted
    assert not lines[at + len(wanted)].startswith("|"), "and no further row"


def test_every_kept_campaign_is_of_a_method_that_there_is_and_is_there_once() -> None:
    assert {line["method"] for line in KEPT} <= set(campaigns.methods(peers="python"))
    assert {line["method"] for line in KEPT if tuple(line["marks"]) == compare.RUNS} <= set(method_rows.NAMES)
    places = [(line["model"], line["method"], line["slots"], line["seed"], *line["marks"]) for line in KEPT]
    assert len(places) == len(set(places)) > 0
