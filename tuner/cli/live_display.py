"""Display of a running search: a live block on a terminal; elsewhere a line a trial, and some in long silences."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType

from rich.console import Group
from rich.live import Live

from results.promotions import went_on
from results.store.row_parts import given
from results.store.statuses import SEARCH
from results.tally import UNTRAINED
from search_spaces.objectives import cost_of
from terminal.console import Console
from terminal.short import decimals, short
from tuner.campaign.entry import Entry
from tuner.cli.live_block import LOG_LINES, block, clock, trial_name
from tuner.cli.plain_progress import begins_line, progress_line, silence
from tuner.cli.time_left_of_search import TimeLeft
from tuner.plan.span_text import said_of_left
from tuner.search_loop import Search

REFRESH_PER_SECOND = 2


class Display:
    """A context manager around a search. On a terminal it redraws itself.

    Elsewhere ``ended`` prints a line a trial, and ``tick``, which is to be called often, one where none has come long.
    """

    def __init__(self, search: Search, console: Console) -> None:
        self.search, self.console = search, console
        self.started = self.said_at = time.monotonic()
        self.has_begun = False
        self.left = TimeLeft(search)
        self.best: Entry | None = search.ledger.best()
        self.log: deque[str] = deque(maxlen=LOG_LINES)  # what has ended, of which the block shows the last lines
        search.begun.append(self.begins)
        search.events.append(self.ended)
        search.ledger.refused.append(self.refused)
        search.told.append(self.note)
        for text in search.notes:  # from before there was a display
            self.note(text)
        self.live = (
            Live(get_renderable=self.render, console=console, refresh_per_second=REFRESH_PER_SECOND, transient=True)
            if console.is_live
            else None
        )

    def __enter__(self) -> Display:
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()

    def ended(self, entry: Entry) -> None:
        """One line for an ended trial; on a terminal it stays for a best or a failure, others pass by in the block."""
        best = self.search.ledger.best()
        is_best, self.best = best is not None and best is entry and best is not self.best, best
        line = ended_line(entry, is_best, time.monotonic() - self.started, self.search.space.second_objective)
        if self.live and not is_best and entry.status in ("completed", "stopped"):
            self.log.append(line)
        else:
            self._say(line)

    def refused(self, entry: Entry) -> None:
        """One line for a proposal that will not be trained; on a terminal it passes by in the block."""
        line = refused_line(entry, time.monotonic() - self.started)
        if self.live:
            self.log.append(line)
        else:
            self._say(line)

    def begins(self, entry: Entry) -> None:
        """One line for the first trial that begins, where no block shows it."""
        if not self.live and not self.has_begun:
            self._say(begins_line(self.search, entry, time.monotonic() - self.started))
        self.has_begun = True

    def tick(self) -> None:
        """Print a line on what runs and the time left, where no block shows it and none has been printed for long."""
        now = time.monotonic()
        if not self.live and self.has_begun and now - self.said_at >= silence(now - self.started):
            self._say(progress_line(self.search, now - self.started, self.left.now()))

    def _say(self, line: str) -> None:
        self.said_at = time.monotonic()
        self.console.print(line)

    def note(self, text: str) -> None:
        """One line for what the campaign got over."""
        self._say(f"[{clock(time.monotonic() - self.started)}] {text}")

    def render(self) -> Group:
        """The live block: progress, time left, best so far, what is running, what ended last."""
        return Group(*block(self.search, self.times(), tuple(self.log), self.console.width, self.console.height - 1))

    def times(self) -> str:
        left = self.left.now()
        return clock(time.monotonic() - self.started) + (f", {said_of_left(left)} left" if left is not None else "")


def refused_line(entry: Entry, elapsed: float) -> str:
    """Make the log's line for a proposal, or a run after the search, that is infeasible before training."""
    name = trial_name(entry) if entry.stage != SEARCH else f"proposal {entry.number}"
    return f"[{clock(elapsed)}] {name} {UNTRAINED}: {entry.row['reason']}"


def ended_line(entry: Entry, is_best: bool, elapsed: float, second: str | None = None) -> str:
    """Make the log's line for an ended trial, with its ``second`` objective where there is one."""
    row = entry.row
    name = f"[{clock(elapsed)}] {trial_name(entry)}"
    if row["reused_from"]:
        name += f" (reused from {row['reused_from']})"
    if entry.status == "completed":
        value = decimals(given(row["value"]))
        how = f" ({again})" if (again := went_on(row)) else ""
        best = "best so far" if second is None else f"lowest {row['objective']} so far"
        said = [f"{row['objective']} {value}"]
        if second is not None and (cost := cost_of(second, row)) is not None:
            said.append(f"{second} {short(cost)}")
        return f"{name} completed{how}: {', '.join([*said, best] if is_best else said)}"
    if entry.status == "stopped":
        return f"{name} stopped at {row['reason']}"
    reason = row["reason"]
    return f"{name} {entry.status}" + (f": {reason}" if reason and reason != entry.status else "")
