"""What the user sees while a search runs: one live block on a terminal, one line per ended trial elsewhere."""

from __future__ import annotations

import json
import time
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from results.store.statuses import SEARCH
from terminal.console import Console, Line
from terminal.counted import counted
from terminal.short import short
from tuner.campaign.trials import Entry
from tuner.search_loop import Search

STATUS_STYLES = {"completed": "green", "stopped": "yellow", "running": "cyan", "interrupted": "magenta"}
REFRESH_PER_SECOND = 2


class Display:
    """A context manager around a search. On a terminal it redraws itself; elsewhere ``ended`` prints a line a trial."""

    def __init__(self, search: Search, console: Console) -> None:
        self.search, self.console = search, console
        self.started = time.monotonic()
        self.best: Entry | None = search.ledger.best()
        search.events.append(self.ended)
        search.told.append(self.note)
        for text in search.notes:  # from before there was a display
            self.note(text)
        self.live = (
            Live(get_renderable=self.render, console=console, refresh_per_second=REFRESH_PER_SECOND, transient=True)
            if console.is_terminal and not console.quiet
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
        """One line for an ended trial; on a terminal only for those that somebody waits for: a best, or a failure."""
        best = self.search.ledger.best()
        is_best, self.best = best is not None and best is entry and best is not self.best, best
        if self.live and not is_best and entry.status in ("completed", "stopped"):
            return
        self.console.print(ended_line(entry, is_best, time.monotonic() - self.started))

    def note(self, text: str) -> None:
        """One line for what the campaign got over."""
        self.console.print(f"[{clock(time.monotonic() - self.started)}] {text}")

    def render(self) -> Group:
        """The live block: progress, counts, time left, best so far, what is running."""
        search = self.search
        done = sum(e.is_trial and e.status != "running" for e in list(search.ledger.entries.values()))
        total = max(search.settings.trials, 1)
        head = Table.grid(padding=(0, 2))
        head.add_row(
            ProgressBar(total=total, completed=done, width=24),
            f"{done}/{counted(total, 'trial')}{after_the_search(search)}",
            self.times(),
        )
        lines: list[RenderableType] = [head, counts_text(search), best_text(search)]
        for entry in list(search.live.values()):
            lines.append(running_text(entry))
        if search.stopping:
            lines.append(Line(f"ending: {search.stopping}; running trials write their checkpoints", style="magenta"))
        return Group(*lines)

    def times(self) -> str:
        left = seconds_left(self.search)
        return clock(time.monotonic() - self.started) + (f", about {clock(left)} left" if left is not None else "")


def after_the_search(search: Search) -> str:
    """How many runs that confirm what was found have ended; nothing before the first."""
    runs = [e for e in list(search.ledger.entries.values()) if e.stage != SEARCH]
    return f", {counted(sum(e.status != 'running' for e in runs), 'run')} after the search" if runs else ""


def seconds_left(search: Search) -> float | None:
    """Mean seconds of the ended trials, times those still to end, over the slots; None before the first end."""
    spent = [
        seconds
        for e in list(search.ledger.entries.values())
        if e.row["ended_at"] and (seconds := e.row["wall_seconds"])
    ]
    if not spent:
        return None
    running = [time_in(e) for e in list(search.live.values())]
    to_start = max(0, search.settings.trials - search.num_started) + len(search.waiting) + search.to_confirm
    mean = sum(spent) / len(spent)
    return max(0.0, (to_start + len(running)) * mean - sum(running)) / search.settings.slots


def time_in(entry: Entry) -> float:
    """Seconds of training that a running trial has reported."""
    return float(entry.row["train_seconds"] or 0.0)


def ended_line(entry: Entry, is_best: bool, elapsed: float) -> str:
    """What a log says of an ended trial."""
    row = entry.row
    name = f"[{clock(elapsed)}] {named(entry)}"
    if row["reused_from"]:
        name += f" (reused from {row['reused_from']})"
    if entry.status == "completed":
        return f"{name} completed: {row['objective']} {row['value']:.4f}" + (", best so far" if is_best else "")
    if entry.status == "stopped":
        return f"{name} stopped at {row['reason']}"
    reason = row["reason"]
    return f"{name} {entry.status}" + (f": {reason}" if reason and reason != entry.status else "")


def named(entry: Entry) -> str:
    """``trial 7 (base)``, or after the search ``confirm: trial 7 on seed 1338``."""
    if entry.stage != SEARCH:
        return f"{entry.stage}: {entry.label}"
    return f"trial {entry.number}" + (" (base)" if entry.row["is_base"] else "")


def counts_text(search: Search) -> Line:
    parts = Line()
    for status, number in search.ledger.counts().items():
        if number:
            parts.append(f"{number} {status}  ", style=STATUS_STYLES.get(status, "red"))
    return parts


def best_text(search: Search) -> Line:
    """The best trial so far, its distance to the base, and what it changed."""
    best, base = search.ledger.best(), search.ledger.base_value()
    if best is None:
        return Line("no trial has completed yet", style="dim")
    value = best.value
    text = Line(f"best {search.space.objective} {value:.4f}", style="bold green")
    if best.row["is_base"]:
        return text.append(" (the base)", style="dim")
    if base is not None:
        text.append(f" ({value - base:+.4f} vs base)")
    changes = json.loads(best.row["overrides"])
    text.append("  " + "  ".join(f"{path}={short(v)}" for path, v in changes.items()), style="dim")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def running_text(entry: Entry) -> Line:
    row = entry.row
    text = Line(f"  {named(entry)}", style="cyan")
    if row["last_value"] is None:
        return text.append(f"  up to {row['budget_unit']} {short(row['budget'])}", style="dim")
    reached = f"{row['budget_unit']} {short(row['spent'])}/{short(row['budget'])}"
    return text.append(f"  {reached}  {row['objective']} {row['last_value']:.4f}", style="dim")


def clock(seconds: float) -> str:
    """1:05 or 2:03:04; from 100 hours on ``4 d 5 h``."""
    if seconds >= 100 * 3600:
        days, hours = divmod(round(seconds / 3600), 24)
        return f"{days:,} d {hours} h"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
