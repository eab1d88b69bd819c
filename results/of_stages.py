"""The number of runs that a confirmation may take, behind the count of those that there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from terminal.counted import number_range

from results.design import Design
from results.store.statuses import CONFIRM, STAGE_NAMES, UNFINISHED


def of_stages(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return ``, of 12 to 70`` by the name of the stage: of a confirmation under way, whose rows say its design.

    Of several confirmations it is the sum. An ablation's number depends on what it finds, and is not known.
    """
    designs = {row["round"]: row["design"] for row in rows if row["stage"] == CONFIRM and row["design"]}
    known = [Design.of_row(text) for text in designs.values()]
    fewest, most = sum(one.fewest_runs for one in known), sum(one.most_runs for one in known)
    members = [row for row in rows if row["stage"] == CONFIRM]
    if len(members) >= fewest and not any(row["status"] in UNFINISHED for row in members):
        return {}
    return {STAGE_NAMES[CONFIRM]: f", of {number_range(fewest, most)}"}
