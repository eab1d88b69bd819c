"""A search that is also written to trackers: each of its events becomes a word to every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from results.store.row_types import NEVER_A_TRIAL, TrialRow
from results.store.statuses import ENDED
from storage.location import Location
from terminal import program
from terminal.complaint import complain
from terminal.console import Console
from terminal.exit_codes import DONE
from tuner.trackers.catalogue import TRACKERS, LogTo
from tuner.trackers.outbox import UNANSWERED_SECONDS, Outbox

if TYPE_CHECKING:
    from tuner.campaign.entry import Entry
    from tuner.search_loop import Search

HURRIED_SECONDS = 5.0  # for an answer, where the campaign is ended by a failure or a second signal


class Telling:
    """The telling of one search: each of its events as a word to every tracker."""

    def __init__(self, search: Search, outboxes: Sequence[Outbox]) -> None:
        self.search, self.outboxes = search, outboxes
        self.code = DONE  # with which the campaign ends
        self.steps: dict[str, int] = {}  # of trials that have begun in this start: up to where their files are whole
        self.over: set[str] = set()  # trials whose end was told
        if not outboxes:
            return
        search.begun.append(self.begun)
        search.reported.append(self.reported)
        search.events.append(self.ended)
        for entry in search.ledger.entries.values():
            if entry.status in ENDED and not search.ledger.is_failed_base(entry):  # that one is tried again
                self.ended(entry)

    def begun(self, entry: Entry) -> None:
        self.over.discard(entry.key)  # a trial that was stopped goes on
        self._tell(entry, self.steps.setdefault(entry.key, 0))

    def reported(self, entry: Entry, step: int) -> None:
        self.steps[entry.key] = step
        self._tell(entry, step)

    def ended(self, entry: Entry) -> None:
        """Tell the end of a trial or of an attempt, after which another one may write its files."""
        is_over = entry.status in ENDED
        self._tell(entry, None if is_over else self.steps.get(entry.key, 0))
        if is_over:
            self.over.add(entry.key)

    def tick(self) -> None:
        for outbox in self.outboxes:
            outbox.poll()

    def the_rest(self) -> None:
        """Tell of every trial how it is left by this start; nobody writes one now."""
        for entry in list(self.search.ledger.entries.values()):
            if entry.key not in self.over and entry.config is not None and entry.row["attempt"]:
                self._tell(entry, None, last=True)

    def _tell(self, entry: Entry, until: int | None, last: bool = False) -> None:
        row = entry.row
        if row["config"] == NEVER_A_TRIAL:
            return
        arm = self.search.ledger.entries.get(str(row["arm"]))
        for outbox in self.outboxes:
            outbox.tell(row, until, None if arm is None else arm.number, last)


@contextmanager
def logging_to(console: Console, asked: Sequence[LogTo], search: Search) -> Iterator[Telling]:
    """Write the search to trackers within the block, which gives them the exit code, and calls ``tick`` often.

    Whatever becomes of a tracker, the block ends as it would have. Where an error or a second signal ends it, there is
    less time for them.
    """
    from tuner.campaign.notify import exit_code_of

    outboxes = [Outbox(each, search.folder, sayer(console, each)) for each in asked]
    telling, seconds = Telling(search, outboxes), UNANSWERED_SECONDS
    try:
        yield telling
    except BaseException as error:
        telling.code, seconds = exit_code_of(error), HURRIED_SECONDS
        raise
    finally:
        telling.the_rest()
        try:
            for outbox in outboxes:
                outbox.finish(telling.code, seconds)
        finally:
            for outbox in outboxes:
                outbox.leave()


def sayer(console: Console, asked: LogTo) -> Callable[[str], None]:
    """Make what says a line about a tracker: in the display of a terminal, elsewhere on stderr."""

    def say(text: str) -> None:
        if console.is_live:
            console.print(f"log: {asked.name}: {text}")
        else:
            complain(program.name(), f"--log {asked.name}: {text}")

    return say


def describe_log(console: Console, asked: Sequence[LogTo], folder: Location) -> None:
    """Say where a campaign in ``folder`` is also written to; a ValueError where a tracker cannot write there."""
    for each in asked:
        TRACKERS[each.name](each.place, folder.name, folder, "")
    if asked:
        console.print(f"log: {', '.join(each.about for each in asked)}")


def rows_to_send(rows: Sequence[TrialRow]) -> Iterator[tuple[TrialRow, int | None]]:
    """Yield the rows of trials that have ended, each with the number of the trial that it repeats."""
    numbers = {row["key"]: row["number"] for row in rows}
    for row in sorted(rows, key=lambda row: row["number"]):
        if row["status"] in ENDED and row["config"] != NEVER_A_TRIAL:
            yield row, numbers.get(str(row["arm"]))
