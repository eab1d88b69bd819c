"""Trials of a campaign by key, with what is asked of all of them at every decision, kept as they change.

A campaign of ten thousand trials decides tens of thousands of times: were all trials looked through each time, the last
ones would cost many times the first.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from results.store.statuses import ENDED, SEARCH, Status
from tuner.campaign.entry import Entry


class Standing(NamedTuple):
    """All of a trial that is counted."""

    is_trial: bool
    stage: str
    status: Status
    value: float | None  # final one of a trial of the search that completed
    is_base: bool
    weights: str | None


def standing_of(entry: Entry) -> Standing:
    """Return how a trial stands now."""
    row, completed = entry.row, entry.is_trial and entry.status == "completed"
    value = row["value"] if completed else None
    value = None if value is None or math.isnan(value) else value
    return Standing(entry.is_trial, entry.stage, entry.status, value, bool(row["is_base"]), row["weights"])


class Book(dict[str, Entry]):
    """Trials by key, in the order in which they were first started; set and deleted one by one.

    Whoever changes a trial's row calls :meth:`changed`. ``version`` is another one after each change that counts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.version = 0
        self.after_search: dict[str, Entry] = {}  # runs that are no trials of the search
        self.with_weights: dict[str, Entry] = {}  # those whose rows name weights
        self.bases: dict[str, Entry] = {}  # trials of the search that are the base
        self._counts: Counter[tuple[bool, bool, Status]] = Counter()  # is a trial, of the search, status
        self._ranking: list[tuple[float, str]] = []  # values and keys of completed trials of the search, ascending
        self._known: dict[str, Standing] = {}

    def __setitem__(self, key: str, entry: Entry) -> None:
        super().__setitem__(key, entry)
        self.changed(key)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.version += 1
        self._forget(key, self._known.pop(key))
        for places in (self.after_search, self.with_weights, self.bases):
            places.pop(key, None)

    def changed(self, key: str) -> None:
        """Take in a trial's row as it is now."""
        entry = self[key]
        now, before = standing_of(entry), self._known.get(key)
        if now == before:
            return
        if before is not None:
            self._forget(key, before)
        self.version += 1
        self._known[key] = now
        self._counts[now.is_trial, now.stage == SEARCH, now.status] += 1
        if now.value is not None:
            insort(self._ranking, (now.value, key))
        for places, belongs in (
            (self.after_search, now.stage != SEARCH),
            (self.with_weights, bool(now.weights)),
            (self.bases, now.is_base and now.stage == SEARCH),
        ):
            if belongs:
                places[key] = entry
            else:
                places.pop(key, None)

    def _forget(self, key: str, before: Standing) -> None:
        self._counts[before.is_trial, before.stage == SEARCH, before.status] -= 1
        if before.value is not None:
            del self._ranking[bisect_left(self._ranking, (before.value, key))]

    def counts(self, of_search: bool | None = None, trials_only: bool = False) -> dict[Status, int]:
        """Number of entries by status: of all, of those of the search or after it; or of those that count as trials."""
        found: dict[Status, int] = {}
        for (is_trial, searched, status), number in list(self._counts.items()):
            if number and (of_search is None or searched == of_search) and (is_trial or not trials_only):
                found[status] = found.get(status, 0) + number
        return found

    @property
    def num_trials(self) -> int:
        """The trials of the search, but for values that make no valid config."""
        return sum(self.counts(trials_only=True).values())

    @property
    def num_ended(self) -> int:
        return sum(number for status, number in self.counts().items() if status in ENDED)

    def ranked(self) -> Iterator[Entry]:
        """Yield the completed trials of the search, the best first; of equal ones the one with the lower key."""
        return (self[key] for _, key in list(self._ranking))

    def best(self) -> Entry | None:
        """The completed trial of the search with the lowest value, of equal ones the first."""
        ranking = list(self._ranking)  # a copy: the display asks in a thread of its own
        equal = ranking[: bisect_left(ranking, (ranking[0][0], "\uffff"))] if ranking else []
        return min((self[key] for _, key in equal), key=lambda entry: entry.number, default=None)
