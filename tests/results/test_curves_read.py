"""Test of the one pass over a campaign's curves: which it reads, what it holds, and what a page draws of it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import Store, load
from results.curves_read import curves_read
from results.page import lines, part
from results.page.data import page_data
from results.page.part import shown_part
from results.report import main
from results.store.curves import CurveArrays

SHOWN = 8  # of the trials


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign of which a page shows some trials, and draws the curves of those."""
    monkeypatch.setattr(part, "MOST_TRIALS", SHOWN)
    monkeypatch.setattr(part, "BEST", 2)
    return make(tmp_path / "large", 24, 5)


def test_no_more_curves_are_read_than_the_page_draws(
    large: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alive: dict[int, weakref.ref[Any]] = {}
    most, read, drawn = [0], [0], [0]
    whole, of = Store.each_curve, CurveArrays.of.__func__  # type: ignore[attr-defined]

    def counted(store: Store, numbers: Any, keys: Any = None) -> Iterator[tuple[str, Any]]:
        for key, rows in whole(store, numbers, keys):
            alive[read[0]] = weakref.ref(rows)
            read[0] += 1
            most[0] = max(most[0], sum(one() is not None for one in alive.values()))
            yield key, rows

    def counted_arrays(cls: type[CurveArrays], rows: Any) -> CurveArrays:
        drawn[0] += 1
        curve: CurveArrays = of(cls, rows)
        return curve

    monkeypatch.setattr(Store, "each_curve", counted)
    monkeypatch.setattr(CurveArrays, "of", classmethod(counted_arrays))
    shown = len(shown_part(load(large)).results.rows)
    assert main([str(large)]) == 0
    assert most[0] <= 2, "the one that is read, and the one before it"
    assert 0 < read[0] == drawn[0] == shown, "each is read once, and no other is"
    there = len(load(large).store.curve_keys() or ())
    said = f"{shown} of {there} training curves are read, those of the trials that the page shows"
    assert shown < there and f"note: {said}\n" in capsys.readouterr().out
    assert page_data(load(large), large)["curve_notes"] == [f"{said}."]


def test_a_curve_that_is_not_read_is_still_seen_to_be_of_no_trial(large: Path) -> None:
    key = next(iter(set(load(large).rows["key"]) - set(shown_part(load(large)).results.rows["key"])))
    file = large / "curves" / f"{key}.parquet"
    file.rename(file.with_name("f00dfeedf00dfeed.parquet"))
    with pytest.raises(ValueError, match=r"f00dfeedf00dfeed.parquet has curves of a trial that has no row"):
        curves_read(load(large))


def test_the_page_draws_the_curves_of_its_part_as_if_all_had_been_held(large: Path) -> None:
    results = load(large)
    trials = shown_part(results).results
    own = {key: CurveArrays.of(rows) for key, rows in results.each_curve() if key in set(trials.rows["key"])}
    assert 0 < len(own) == len(curves_read(results).drawn) < curves_read(results).of
    held = lines.courses(trials.rows, trials.reports, own, "val_loss")
    assert page_data(results, large)["curves"] == held and len(held["measures"]) > 1
