"""The rows of other tools in docs/samplers.md are the campaigns that are kept beside the recorded ones."""

from __future__ import annotations

import re
from math import comb
from pathlib import Path

import numpy as np
import pytest

from benchmarks.surrogate import campaigns, compare

PAGE = Path("docs/samplers.md")
KEPT = compare.read(Path("results/recorded/samplers.jsonl"))
OURS, OF_OURS = "**ours, `gp`**", 30  # campaigns, of which the page has the quartiles
NAMES = {
    "Ray's OptunaSearch + ASHA, defaults": "Ray OptunaSearch + ASHA",
    "SMAC3": "SMAC3",
    "Syne Tune's BORE": "Syne Tune BORE",
    "Optuna's GPSampler": "Optuna GP",
}


def rows() -> dict[tuple[int, str], list[str]]:
    """(slots, name) -> the other cells of a row of the page's first table."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines()]
    return {(int(row[0]), row[1]): row[2:] for row in cells if len(row) == 9 and row[0].isdigit()}


@pytest.mark.parametrize(("slots", "name"), [place for place in rows() if place[1] in NAMES])
def test_a_row_of_another_tool_is_the_medians_and_quartiles_of_its_kept_campaigns(slots, name) -> None:
    found, counts, ours = [], [], rows()[slots, OURS]
    assert ours[0] == str(OF_OURS)
    for model, theirs in (("trees", ours[2]), ("smooth", ours[5])):
        here = {line["seed"]: line for line in KEPT if of(line) == (model, NAMES[name], slots)}
        best = np.array([line["best"] for line in here.values()])
        low, end, high = np.quantile(best[:, 2], [0.25, 0.5, 0.75])
        first, second = np.median(best[:, :2], axis=0)
        upper = float(re.findall(r"\.\.([\d.]+)\)", theirs)[0])
        chance = exceeding(int((best[:, 2] > upper).sum()), len(best))
        found += [f"{first:.3f}, {second:.3f}", f"{end:.3f} ({low:.3f}..{high:.3f})", f"*{chance:.1g}*"]
        counts.append(str(len(here)))
    assert rows()[slots, name] == [" and ".join(dict.fromkeys(counts)), *found]


def exceeding(above: int, campaigns: int) -> float:
    """Return the chance that so many of another method or more lie above the upper quartile of ours, if both are alike.

    The quartile of 30 lies above 22 of them.
    """
    below = OF_OURS * 3 // 4
    ways = [
        comb(k + OF_OURS - below, k) * comb(campaigns - k + below - 1, campaigns - k)
        for k in range(above, campaigns + 1)
    ]
    return sum(ways) / comb(OF_OURS + campaigns, campaigns)


def test_the_chance_of_exceeding_is_that_of_all_orders() -> None:
    generator = np.random.default_rng(0)
    values = generator.random((20_000, OF_OURS + 4))
    above = (values[:, OF_OURS:] > np.sort(values[:, :OF_OURS], axis=1)[:, 21:22]).sum(axis=1)
    assert [exceeding(k, 4) for k in range(5)] == pytest.approx([(above >= k).mean() for k in range(5)], abs=0.01)


def test_every_other_tool_has_its_row_and_every_kept_campaign_a_method_that_there_is() -> None:
    assert {name for _, name in rows()} >= set(NAMES)
    assert {line["method"] for line in KEPT} <= set(campaigns.methods(peers="python"))
    places = [(*of(line), line["seed"], *line["marks"]) for line in KEPT]
    assert len(places) == len(set(places)) > 0


def of(line: compare.Line) -> tuple[str, str, int]:
    return line["model"], line["method"], line["slots"]
