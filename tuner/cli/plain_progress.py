"""Lines of a search where nobody watches: that its first trial begins, and in a silence what runs and how long still.

A log of days stays short: the longer the search has run, the longer a silence may be.
"""

from __future__ import annotations

from terminal.counted import counted
from terminal.duration import duration
from terminal.short import decimals, short
from tuner.campaign.entry import Entry
from tuner.cli.live_block import after_the_search, best_word, clock, first_report, running_for, trial_name
from tuner.plan.span_text import said_of_left
from tuner.plan.time_left import Span
from tuner.search_loop import Search

SHORTEST_SILENCE, LONGEST_SILENCE = 120.0, 900.0  # seconds of a silence
SILENT_PART = 20  # of the search's time that a silence may be a part of
NAMED = 3  # trials that run


def silence(elapsed: float) -> float:
    """Return the seconds after which a line is due, of a search that has run so long."""
    return min(LONGEST_SILENCE, max(SHORTEST_SILENCE, elapsed / SILENT_PART))


def begins_line(search: Search, entry: Entry, elapsed: float) -> str:
    """Say that the first trial begins, when it will be heard of, and when the next line comes at the latest."""
    row = entry.row
    first, unit = first_report(search, entry), row["budget_unit"]
    whole = "" if row["budget"] is None else f": {unit} {short(row['budget'])}, first report at {short(first)}"
    most = f"at most {search.here.slots} at once" if search.here.slots > 1 else "one at a time"
    every = f"a line when one ends, or else after {duration(SHORTEST_SILENCE)} to {duration(LONGEST_SILENCE)}"
    return f"[{clock(elapsed)}] {trial_name(entry)} begins{whole}; {most}; {every}"


def progress_line(search: Search, elapsed: float, left: Span | None) -> str:
    """Say what has ended, what runs and how far it is, the best value so far, and the time left where it is known."""
    statuses = search.ledger.entries.counts(trials_only=True)
    ended = sum(number for status, number in statuses.items() if status != "running")
    running, best = list(search.live.values()), search.ledger.best()
    named = ", ".join(_place(search, entry) for entry in running[:NAMED])
    more = f" and {len(running) - NAMED} more" if len(running) > NAMED else ""
    parts = [
        f"{ended} of {counted(search.trials, 'trial')} ended{after_the_search(search)}",
        f"running: {named}{more}" if running else "none runs",
        f"{best_word(search.space)} {decimals(best.value)}" if best is not None and best.value is not None else "",
        f"{said_of_left(left)} left" if left is not None else "time left not known before a trial has reported",
    ]
    return f"[{clock(elapsed)}] {'; '.join(part for part in parts if part)}"


def _place(search: Search, entry: Entry) -> str:
    """Name a trial that runs, and say for how long and to where."""
    row, since = entry.row, running_for(search, entry)
    if row["spent"] and row["budget"]:
        return f"{trial_name(entry)} at {short(row['spent'])}/{short(row['budget'])} {row['budget_unit']} ({since})"
    return f"{trial_name(entry)} ({since})"
