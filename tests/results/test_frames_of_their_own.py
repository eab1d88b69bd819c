"""Frames that are handed out without a copy of their cells: what is changed in one is changed in no other."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.made_up_campaign import described, make
from results import load
from results.store.row_changes import by_number
from results.tally import tally_of


@pytest.mark.parametrize("confirmed", [True, False])
def test_trials_are_a_frame_of_their_own(tmp_path: Path, confirmed: bool) -> None:
    results = load(make(tmp_path / "night", 6, 5))
    if not confirmed:
        searched = results.rows[results.rows["stage"] == "search"].reset_index(drop=True)
        object.__setattr__(results, "rows", searched)
    assert results.confirmations.empty is not confirmed
    trials = results.trials
    trials.loc[0, "value"], trials.loc[1, "key"] = -1.0, "another"
    trials["mine"] = 1
    for frame in (results.rows, results.trials):
        assert frame.loc[0, "value"] != -1.0 and frame.loc[1, "key"] != "another" and "mine" not in frame


def test_cells_of_a_loaded_frame_can_be_changed(tmp_path: Path) -> None:
    rows = load(make(tmp_path / "night", 6, 5)).rows
    for name in ("last_value", "number", "seed", "key", "is_base", "started_at"):
        rows.loc[0, name] = rows.loc[3, name]
        assert rows.loc[0, name] == rows.loc[3, name]


def test_rows_in_order_are_not_copied_and_others_are_sorted() -> None:
    def table(numbers: list[int]) -> pa.Table:
        return pa.table({"number": pa.array(numbers, pa.int64()), "key": pa.array([f"k{n}" for n in numbers])})

    ordered = table([0, 1, 5])
    assert by_number(ordered) is ordered
    assert by_number(table([5, 0, 1])).equals(ordered)


def test_a_campaign_in_which_nothing_has_happened_has_empty_frames(tmp_path: Path) -> None:
    described(tmp_path / "night", 6)
    results = load(tmp_path / "night")
    assert results.trials.empty and results.rows.empty and tally_of(results.trials).trials == 0
