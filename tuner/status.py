"""``python -m tuner.status FOLDER``: how a campaign stands, from its files alone; it may run anywhere that sees them.

Exit codes: 0 it stands as printed, 2 there is no campaign; 1 and 141 where that cannot be printed.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m tuner.status")

import argparse
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pyarrow as pa

from results.crashes import crash_lines
from results.named_campaigns import A_CAMPAIGN, add_campaign, named_campaign
from results.of_stages import of_stages
from results.promotions import promotions_of, went_on
from results.store import parquet
from results.store.campaign_folder import Store
from results.store.find import RUNS, latest
from results.store.larger import campaigns_at
from results.store.row_parts import given
from results.store.row_types import ReportRow, TrialRow
from results.store.statuses import ENDED, SEARCH
from results.tally import tallies
from results.unmet_limits import nearest_to_limits
from storage.location import Location
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.console import Console
from terminal.counted import best_of, counted
from terminal.duration import duration
from terminal.short import decimals
from tuner.campaign.again import again
from tuner.campaign.lock import NoLocksError, is_held
from tuner.campaign.object_store_lock import is_fresh

PROGRAM = "python -m tuner.status"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = OneLineParser(
        prog=PROGRAM,
        description=__doc__.splitlines()[0].partition(": ")[2] if __doc__ else None,
        epilog=EXIT_CODES_OF_LOOKING,
    )
    add_campaign(parser, about=f"{A_CAMPAIGN} (default: the one begun last)", nargs="?")
    options = parser.parse_args(arguments)
    try:
        lines = status(_asked_for(options), datetime.now(UTC))
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    console = Console()
    for line in lines:
        console.print(line)
    return 0


def _asked_for(options: argparse.Namespace) -> Location:
    """The campaign that is named, else the one that was begun last."""
    if options.campaign is not None:
        return named_campaign(options.campaign, options)
    return latest(RUNS if options.results is None else options.results, "show")


def status(folder: Location, now: datetime) -> list[str]:
    """Describe the campaign's state, in lines. A ValueError where there is none."""
    store = Store.open(folder)
    found, reports = store.tables()
    rows = sorted(cast(list[TrialRow], parquet.rows(found)), key=lambda row: int(row["number"]))
    trials = [row for row in rows if row["stage"] in (None, SEARCH)]
    at = parquet.rows(reports.select(["at"]))
    last = max((row["at"] for row in at if row["at"] is not None), default=None)
    own = store.campaign.get("own_train")
    asks = f"space {store.campaign.get('space')}, scale {store.campaign.get('scale')}"
    lines = [f"campaign: {folder.name}, {asks if own is None else 'train function ' + own['name']}"]
    lines += scale_lines(store)
    if store.campaign.get("compacted"):
        idle = "none; the campaign is compacted"
    else:
        further = again(folder, own_train=own is not None)
        idle = f"none; if anything is left, go on with: {further}{own_code(store)}"
    lives = driver_lives(folder, now)
    lines.append(f"driver: {'runs' if lives else idle}")
    ends = tallies((row["stage"], row["status"], row["config"]) for row in rows)
    lines.append(f"trials: {ends.pop(SEARCH).of(store.campaign.get('trials'))}")
    asked = of_stages(rows)
    lines += [f"{stage}: {found.in_words}{asked.get(stage, '')}" for stage, found in ends.items()]
    lines += left_lines(store, rows, reports, now) if lives else []
    lines.append(f"last report: {'none yet' if last is None else since(last, now) + ' ago'}")
    two = len(store.campaign.get("objectives") or ()) > 1
    lines += [best_line(trials, "lowest value" if two else "best")] if any(_has_value(row) for row in trials) else []
    if (unmet := nearest_to_limits(store.campaign, trials)) is not None:
        lines.append(f"{unmet.fact}.")
    lines += promoted_lines(trials)
    lines += crash_lines(rows)
    lines += [running_line(row, now) for row in rows if row["status"] == "running"]
    return lines


def scale_lines(store: Store) -> list[str]:
    """Name the campaign at another scale: the search that this one has its configs of, or what came of this search."""
    if (carried := store.campaign.get("carried")) is not None:
        taken = best_of(len(carried["trials"]), "trial")
        return [f"carried over: {taken} of campaign {carried['campaign']}, scale {carried['scale']}"]
    wanted = store.campaign.get("confirm_scale")
    if wanted is None:
        return []
    known = [
        f"campaign {found.folder.name}, {counted(sum(row['status'] in ENDED for row in found.trials()), 'run')} ended"
        for found in campaigns_at(store.folder, wanted)
    ]
    return [f"at scale {wanted}: {'; '.join(known) or 'not begun yet: it comes after the search'}"]


def left_lines(store: Store, rows: Sequence[TrialRow], reports: pa.Table, now: datetime) -> list[str]:
    """Estimate the time left from what the rows have shown; nothing before any trial has reported."""
    if "trials" not in store.campaign or not rows:
        return []
    from tuner.plan.seen_from_files import left_from_files
    from tuner.plan.span_text import said_of_left

    at_rungs = reports.filter(reports["milestone"].is_valid())
    left = left_from_files(store.campaign, rows, cast(list[ReportRow], parquet.rows(at_rungs)), now)
    return [] if left is None else [f"time left: {said_of_left(left)}"]


def own_code(store: Store) -> str:
    """The options that bring the code of its own that a campaign was begun with."""
    names = [text.partition("@")[0] for text in store.campaign.get("imports", ())]
    return "".join(f" --import {name if '.' in name else f'{name}.py'}" for name in names)


def best_line(trials: Sequence[TrialRow], lead: str = "best") -> str:
    """The completed trial with the lowest value, after what it is called."""
    best = min((row for row in trials if _has_value(row)), key=lambda row: given(row["value"]))
    value = decimals(given(best["value"]))
    return f"{lead}: trial {best['number']}{' (base)' * bool(best['is_base'])}, {best['objective']} {value}"


def promoted_lines(trials: Sequence[TrialRow]) -> list[str]:
    """Count the trials that were stopped and went on again, and those that still may."""
    again = sum(bool(promotions_of(row)) for row in trials)
    may = sum(row["status"] == "stopped" and row["checkpoint"] is not None for row in trials)
    if not again and not may:
        return []
    return [f"stopped trials: {again} went on again, {may} still may"]


def running_line(row: TrialRow, now: datetime) -> str:
    """A trial that its row calls running: how far, where, since when."""
    spent = (
        f"{row['spent']:g} of {row['budget']:g} {row['budget_unit']}" if row["spent"] is not None else "no report yet"
    )
    device = f" ({row['device']})" if row["device"] else ""
    where = f", on {row['worker'].rpartition(':')[0]}{device}" if row["worker"] else ""
    how_long = f", attempt {row['attempt']} for {since(given(row['started_at']), now)}"
    again = f", {said}" if (said := went_on(row)) else ""
    what = "trial" if row["stage"] in (None, SEARCH) else f"{row['stage']} run"
    return f"running: {what} {row['number']}, {spent}{how_long}{again}{where}"


def since(then: datetime, now: datetime) -> str:
    """Format the time since ``then``; the clocks of two machines may differ, and one may be set back."""
    seconds = (now - then).total_seconds()
    return duration(seconds) if seconds >= 0 else f"less than nothing (a clock is {duration(-seconds)} behind)"


def driver_lives(folder: Location, now: datetime) -> bool:
    """Tell whether a process holds the campaign: its lock, or its lease where there are no locks."""
    if isinstance(folder, Path):
        with suppress(NoLocksError):
            return is_held(folder)
    return is_fresh(folder, now.timestamp())


def _has_value(row: TrialRow) -> bool:
    return row["status"] == "completed" and row["value"] is not None


if __name__ == "__main__":
    program.end(main())
