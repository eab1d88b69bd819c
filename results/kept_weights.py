"""Line of the report about the weights that a campaign keeps: of which trials, and where they lie."""

from __future__ import annotations

from storage.location import Location

from results.store.frames import Results

SHOWN = 4  # trials that are named; more are counted


def weights_line(results: Results, folder: Location) -> str | None:
    """Say whose weights are kept; None where none are."""
    rows = results.rows
    kept = rows[rows["weights"].notna()] if "weights" in rows else rows[:0]
    if kept.empty:
        return None
    pairs = zip(kept["number"], kept["is_base"], strict=True)
    names = [f"trial {number}{' (the base)' if is_base is True else ''}" for number, is_base in pairs]
    whose = f"{len(names):,} trials" if len(names) > SHOWN else ", ".join(names)
    return f"Weights of {whose}: {folder / 'weights'}"
