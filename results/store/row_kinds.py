"""The data sets of a campaign, each a folder of Parquet files: their names, and how much they may hold."""

from __future__ import annotations

from typing import Literal

from results.store import limits

RowKind = Literal["trials", "reports", "curves"]
ROW_KINDS: tuple[RowKind, ...] = ("trials", "reports", "curves")
COMPACTED: tuple[RowKind, ...] = ("trials", "reports")  # what a compacted campaign keeps: it does without its curves

MOST_ROWS = {"trials": limits.TRIALS, "reports": limits.REPORTS, "curves": limits.CURVE_ROWS}
MOST_ROWS_OF_A_TRIAL = {"trials": 1, "reports": limits.REPORTS_OF_A_TRIAL, "curves": limits.CURVE_ROWS_OF_A_TRIAL}
MOST_BYTES = {"trials": limits.DECODED_BYTES, "reports": limits.DECODED_BYTES, "curves": limits.CURVE_BYTES}
MOST_WRITTEN_BYTES: dict[RowKind, int] = {"trials": limits.WRITTEN_BYTES, "reports": limits.WRITTEN_BYTES}


def most_rows(kind: RowKind, of_one_trial: bool) -> int:
    """Return the most rows of a file: of one trial, or of all trials of a compacted campaign."""
    return MOST_ROWS_OF_A_TRIAL[kind] if of_one_trial else MOST_ROWS[kind]
