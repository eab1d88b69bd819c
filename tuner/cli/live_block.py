"""The live block of a search, as lines that fit a terminal: progress, time left, the best, what runs, what ended.

Each function shows the search's book as it is; nothing is kept here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from results.promotions import promotions_of
from results.statistics.confirmation import Round
from results.statistics.judgement import Verdict
from results.store.row_parts import on_the_way
from results.store.statuses import SEARCH
from results.tally import Tally
from search_spaces.space import Space
from terminal.console import Line
from terminal.counted import counted
from terminal.program import INTERRUPTION
from terminal.short import decimals, short, signed
from tuner.campaign.endings import AGAIN
from tuner.campaign.entry import Entry
from tuner.cli.sparkline import interval, span_of, sparkline
from tuner.search_loop import Search

STATUS_STYLES = {"completed": "green", "stopped": "yellow", "running": "cyan", "interrupted": "magenta"}
LOG_LINES = 6  # of what has ended, where there is room
FEWEST_LOG_LINES = 2  # for which running trials make room
INTERVAL_WIDTH = 20
LESSER = (6, 1, 5)  # columns that a narrow terminal does without, in this order
_NONE = tuple(Line() for _ in range(4))  # of what a trial has not reported
NUMBERS = (1, 3, 4, 6)  # columns of what runs that are numbers


def block(search: Search, times: str, log: Sequence[str], width: int, height: int) -> list[RenderableType]:
    """All of it, in at most ``height`` lines of ``width``; of what runs and what ended as much as there is room for."""
    lines: list[RenderableType] = [head(search), time_line(search, times), counts_text(search), best_text(search)]
    lines += confirmation_lines(search)
    if search.stopping:
        again = f"; {AGAIN}" if search.stopping == INTERRUPTION else ""
        lines.append(Line(f"ending: {search.stopping}; running trials write their checkpoints{again}", style="magenta"))
    room = height - len(lines)
    running = list(search.live.values())
    shown = max(1, room - 2 - min(FEWEST_LOG_LINES, len(log)))  # a heading, and how many more there are
    if running:
        lines.append(running_table(search, running[:shown], width))
        room -= 1 + len(running[:shown])
    if len(running) > shown:
        lines.append(Line(f"  and {len(running) - shown} more running", style="dim"))
        room -= 1
    for text in list(log)[-min(LOG_LINES, room) :] if room > 0 else ():
        lines.append(cut_off(Line(text, style="dim")))
    return lines


def head(search: Search) -> Table:
    """Draw the progress bar with the number of trials that have ended."""
    statuses = search.ledger.entries.counts(trials_only=True)
    done = sum(number for status, number in statuses.items() if status != "running")
    total = max(search.trials, 1)
    grid = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=total, completed=done, width=24)
    grid.add_row(bar, f"{done}/{counted(total, 'trial')}{after_the_search(search)}")
    return grid


def after_the_search(search: Search) -> str:
    """Count the runs after the search (confirmation, ablation) that have ended; nothing before the first."""
    runs = search.ledger.entries.counts(of_search=False)
    ended = sum(number for status, number in runs.items() if status != "running")
    return f", {counted(ended, 'run')} after the search" if runs else ""


def time_line(search: Search, times: str) -> Line:
    """The clock, the time left, and the speed of all that runs."""
    speeds = [speed for e in list(search.live.values()) if (speed := e.row["tokens_per_second"]) and e.milestones]
    text = Line(times)
    if speeds:
        text.append(f"  {sum(speeds):,.0f} tokens/s in {counted(len(speeds), 'slot')}", style="dim")
    return cut_off(text)


def counts_text(search: Search) -> Line:
    """The search's trials by status, and proposals never trained; what runs after it is counted by the head."""
    parts = Line()
    entries = search.ledger.entries
    for status, number in entries.counts(trials_only=True).items():
        parts.append(f"{number:,} {status}  ", style=STATUS_STYLES.get(status, "red"))
    untrained = sum(entries.counts(of_search=True).values()) - entries.num_trials
    return cut_off(parts.append(Tally({}, untrained).proposals_in_words, style="red"))


def best_text(search: Search) -> Line:
    """The best trial so far, its distance to the base, its curve, and what it changed; before it, who is ahead."""
    best, base = search.ledger.best(), search.ledger.base_value()
    if best is None:
        return Line(ahead(search), style="dim")
    text = Line(f"{best_word(search.space)} {decimals(best.value)}", style="bold green")
    if curve := sparkline(curve_of(best, curves_are(search)), *curve_span(search)):
        text.append(f" {curve}", style="green")
    if best.row["is_base"]:
        return text.append(" (the base)", style="dim")
    if base is not None:
        text.append(f" ({signed(best.value - base)} vs base)")
    changes = json.loads(best.row["overrides"])
    text.append("  " + "  ".join(f"{path}={short(v)}" for path, v in changes.items()), style="dim")
    return cut_off(text)


def best_word(space: Space) -> str:
    """``best val_bpb``; of two objectives ``lowest val_bpb``, as no trial is the best of both by that."""
    return f"{'best' if space.second_objective is None else 'lowest'} {space.objective}"


def ahead(search: Search) -> str:
    """Find, while no trial has completed, the one with the lowest value at the last place that any has come to."""
    entries = [(dict(e.milestones), e) for e in list(search.ledger.entries.values()) if e.stage == SEARCH]
    furthest = max((m for milestones, _ in entries for m in milestones), default=None)
    if furthest is None:
        return "no trial has completed yet"
    there = [(milestones[furthest], e) for milestones, e in entries if furthest in milestones]
    value, first = min(there, key=lambda pair: pair[0])
    at = f"{first.row['budget_unit']} {short(furthest)}"
    return f"no trial has completed yet; ahead at {at}: trial {first.number}, {decimals(value)}"


# --- what runs --------------------------------------------------------------------------------------------------------


def running_table(search: Search, running: Sequence[Entry], width: int) -> Table:
    """A line a running trial: how far, its last value, that against the best one's there, its curve, its speed."""
    best, ends, kind = search.ledger.best(), curve_span(search), curves_are(search)
    headings = ("  running", "for", "reached", on_the_way(search.space.objective), "vs best", kind, "tokens/s")
    rows = [[Line(heading, style="dim") for heading in headings]]
    rows += [running_cells(search, entry, best, ends, kind) for entry in running]
    widths = [max(row[place].cell_len for row in rows) + 2 for place in range(len(rows[0]))]
    used = [place for place in range(len(rows[0])) if any(row[place].plain for row in rows[1:])]
    for place in LESSER:
        if place in used and sum(widths[each] for each in used) > width:
            used.remove(place)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for place in used:
        grid.add_column(justify="right" if place in NUMBERS else "left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        grid.add_row(*(row[place] for place in used))
    return grid


def running_cells(search: Search, entry: Entry, best: Entry | None, ends: tuple[float, float], kind: str) -> list[Line]:
    """Make a running trial's cells: name, time, budget spent, last value, difference to the best, curve and speed."""
    row, milestones = entry.row, dict(entry.milestones)
    again = " again" if promotions_of(row) else ""  # it was stopped, and went on
    name, unit = Line(f"  {trial_name(entry)}{again}", style="cyan"), row["budget_unit"]
    since = Line(running_for(search, entry), style="dim")
    if row["last_value"] is None or not milestones:
        return [name, since, Line(f"reports at {short(first_report(search, entry))} {unit}", style="dim"), *_NONE]
    against = "" if best is None or best is entry else against_best(milestones, best)
    speed = row["tokens_per_second"]
    return [
        name,
        since,
        Line(f"{short(row['spent'])}/{short(row['budget'])} {unit}"),
        Line(decimals(row["last_value"])),
        Line(against, style="green" if against.startswith("-") else ""),
        Line(sparkline(curve_of(entry, kind), *ends), style="cyan"),
        Line("" if speed is None else f"{speed:,.0f}", style="dim"),
    ]


def running_for(search: Search, entry: Entry) -> str:
    """The time since an attempt has begun; one that has no worker yet waits."""
    began = entry.row["started_at"]
    return "waits" if began is None else clock(max(0.0, (search.ledger.now() - began).total_seconds()))


def first_report(search: Search, entry: Entry) -> float | None:
    """The place at which a trial is first heard of: its first milestone, or its end."""
    budget = entry.row["budget"]
    milestones = search.requests.milestones_of(entry)
    return milestones[0] if milestones else budget


def against_best(milestones: dict[float, float], best: Entry) -> str:
    """The trial's value minus the best one's at the last place where both reported."""
    both = [m for m in milestones if m in best.milestones]
    return signed(milestones[max(both)] - best.milestones[max(both)]) if both else ""


def curves_are(search: Search) -> str:
    """Name what all curves that are shown are of: the training loss, where all of them are known, else the reports."""
    return "training loss" if all(entry.outline for entry in _shown(search)) else "curve"


def curve_span(search: Search) -> tuple[float, float]:
    """The values between which all curves that are shown lie, but for their first: it is far above all others."""
    kind = curves_are(search)
    curves = [curve_of(entry, kind) for entry in _shown(search)]
    return span_of(value for curve in curves for value in (curve[1:] if kind == "training loss" else curve))


def curve_of(entry: Entry, kind: str) -> list[float]:
    """A trial's curve, of the kind that all have."""
    if kind == "training loss":
        return list(entry.outline)
    end = [entry.value] if entry.status == "completed" and entry.row["value"] is not None else []
    return [*_values(dict(entry.milestones)), *end]


def _shown(search: Search) -> list[Entry]:
    best = search.ledger.best()
    running = [entry for entry in list(search.live.values()) if entry.milestones]
    return running if best is None else [*running, best]


def _values(milestones: dict[float, float]) -> list[float]:
    return [value for _, value in sorted(milestones.items()) if math.isfinite(value)]


def trial_name(entry: Entry) -> str:
    """``trial 7 (base)``, or after the search ``confirm: trial 7 on seed 1338``."""
    if entry.stage != SEARCH:
        return f"{entry.stage}: {entry.label}"
    return f"trial {entry.number}" + (" (base)" if entry.row["is_base"] else "")


def clock(seconds: float) -> str:
    """1:05 or 2:03:04; from 100 hours on ``4 d 5 h``."""
    if seconds >= 100 * 3600:
        days, hours = divmod(round(seconds / 3600), 24)
        return f"{days:,} d {hours} h"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


# --- the confirmation -------------------------------------------------------------------------------------------------


def confirmation_lines(search: Search) -> list[RenderableType]:
    """The confirmation that runs: what the next look waits for, and each candidate's interval as of the last one."""
    live = list(search.live.values())
    if search.confirmation is None or not live or any(entry.stage == SEARCH for entry in live):
        return []
    found = search.confirmation.round
    if found is None:
        return []
    entries = search.ledger.entries
    numbers = {key: entries[key].number for key in (found.base, *found.candidates) if key in entries}
    return [cut_off(Line(waits_for(found))), *interval_lines(found, numbers)]


def waits_for(found: Round) -> str:
    """``confirmation 3x3..9: 5 of 12 runs, then a look``."""
    judgement = found.judgement
    if judgement.over:
        return f"confirmation {found.design}: over"
    total = len(found.runs) + len(judgement.wanted)
    looked = f"; looked at {counted(judgement.seeds, 'seed')}" if judgement.seeds else ""
    runs = f"{len(found.runs)} of {counted(total, 'run')} until the"
    next_look = next(look for look in found.design.looks if look > judgement.seeds)
    last = "verdict" if next_look == found.design.final else "next look"
    return f"confirmation {found.design}: {runs} {last}{looked}"


def interval_lines(found: Round, numbers: dict[str, int]) -> list[RenderableType]:
    """A line a candidate that has been looked at, all on one scale with the base at zero."""
    known = [v for v in found.judgement.verdicts.values() if v.difference is not None]
    ends = [edge for v in known for edge in _edges(v)]
    scale = span_of([*ends, 0.0])
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(5):
        grid.add_column(no_wrap=True, overflow="ellipsis")
    for verdict in known:
        low, high = _edges(verdict)
        difference = verdict.difference or 0.0
        drawn = interval(low, difference, high, scale, INTERVAL_WIDTH) if scale[1] > scale[0] else ""
        said = f"{signed(low)} .. {signed(high)}" if verdict.low is not None else "no interval"
        cells = (f"  trial {numbers.get(verdict.arm, '?')}", signed(difference), said, drawn, outcome(verdict))
        grid.add_row(*(Line(cell, style="green" if verdict.better else "") for cell in cells))
    return [grid] if known else []


def outcome(verdict: Verdict) -> str:
    """Name a candidate's outcome at a look, in a word or two."""
    if verdict.better:
        return "better"
    if verdict.going_on:
        return "goes on"
    return "out" if verdict.reason else "worse" if verdict.refuted else "not established"


def _edges(verdict: Verdict) -> tuple[float, float]:
    middle = verdict.difference or 0.0
    return (middle, middle) if verdict.low is None or verdict.high is None else (verdict.low, verdict.high)


def cut_off(text: Line) -> Line:
    """The text cut off where the terminal ends."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
