"""Weights that stay, of all that trials leave: those that ``--keep`` asks for.

A trial that completes writes its weights before anybody knows how it compares, and its row names them. What is then
overtaken loses first its place in the row and then its file, so that after a kill -9 no row names a file that is gone;
files that no row names are removed by the next start.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from results.statistics.confirmation import rounds, standing
from results.store.places import change_sources, from_home
from results.store.statuses import SEARCH
from search_spaces.objectives import cost_of
from storage import inside
from trainable.worker import kept_weights
from tuner.campaign.entry import Entry
from tuner.campaign.row_config import to_json
from tuner.campaign.trials import Ledger
from tuner.confirm import Confirmation
from tuner.spec import KEEP_ALL, KEEP_BEST, KEEP_CONFIRMED, KEEP_NONE


class Keeping:
    """Decides for one start of a campaign whose weights are written, and whose stay."""

    def __init__(self, which: str, ledger: Ledger, confirmation: Confirmation | None) -> None:
        """``which`` is one of ``KEEP`` (tuner/spec.py)."""
        self.which, self.ledger, self.confirmation = which, ledger, confirmation
        self.folder = ledger.store.folder

    def wants(self, entry: Entry) -> bool:
        """Tell whether a trial that is asked for now is to write its weights, should it complete.

        Of the runs on fresh seeds only the first of a config does, and only where its trial of the search has none.
        """
        if self.which in (KEEP_NONE, KEEP_ALL):
            return self.which == KEEP_ALL
        if entry.stage == SEARCH:
            return True
        return self.which == KEEP_CONFIRMED and _arm(entry) not in {_arm(kept) for kept in self.kept()}

    def kept(self) -> list[Entry]:
        """The trials whose rows name weights."""
        return list(self.ledger.entries.with_weights.values())

    def taken(self, entry: Entry, status: str, result: Mapping[str, Any]) -> str | None:
        """Return where the weights lie that a trial has written as it completed, with its config beside; else None."""
        written: str | None = result.get("weights")
        if written is None:
            return None
        self.ledger.store.before_write()
        if status != "completed" or entry.config is None:
            kept_weights.remove(self.folder, entry.key)
            return None
        config = to_json(entry.config)
        if isinstance(self.folder, Path):
            change_sources(None, config, from_home(self.folder))  # a path to data as rows have it
        text = json.dumps({"key": entry.key, "data": entry.row["data"], "config": config}, indent=2)
        inside.write(self.folder, kept_weights.config_path(entry.key), f"{text}\n".encode())
        return written

    def prune(self, over: bool = False) -> None:
        """Remove what is overtaken; where the campaign is ``over``, all that only might have been wanted."""
        kept = self.kept()
        wanted = self._wanted(kept, over)
        for entry in kept:
            if entry.key not in wanted:
                self.ledger.without(entry, "weights")
                kept_weights.remove(self.folder, entry.key)

    def tidy(self) -> None:
        """Remove the weights that no row names. Call it while no trial runs.

        Those of a trial whose row was damaged and set aside stay: the row may name them.
        """
        store = self.ledger.store
        store.before_write()
        named = {entry.key: str(entry.row["weights"]) for entry in self.kept()}
        kept_weights.remove_unnamed(self.folder, named, lambda key: store.has_set_aside("trials", key))

    def _wanted(self, kept: Iterable[Entry], over: bool) -> set[str]:
        """Keys of the trials whose weights are to stay."""
        if self.which == KEEP_NONE:
            return set()
        completed = [entry for entry in kept if entry.status == "completed"]
        if self.which == KEEP_ALL:
            return {entry.key for entry in completed}
        candidates = self._candidates()
        if self.which == KEEP_BEST:
            return candidates
        if not over or self.confirmation is None:
            later = {entry.key for entry in completed if entry.stage != SEARCH}
            return candidates | later | {self._established() or ""}
        config = self.confirmation.found()
        won = self._best() if config is None else self.ledger.key(config)
        return self._of_arms(completed, {*self._bases(), won})

    def _candidates(self) -> set[str]:
        """Keys of the base and of the search's best so far: all that may be confirmed, of two objectives the front."""
        if (second := self.ledger.space.second_objective) is not None:
            return self._bases() | self._front(second)
        if self.which == KEEP_CONFIRMED and self.confirmation is not None:
            return self._bases() | {entry.key for entry in self.confirmation.best}
        return self._bases() | {self._best()}

    def _best(self) -> str:
        """Key of the search's best trial that is not the base; empty where none has completed."""
        return next((entry.key for entry in self.ledger.entries.ranked() if not entry.row["is_base"]), "")

    def _bases(self) -> set[str]:
        """Keys of the base: in a replay of each seed that it was trained on."""
        bases = self.ledger.entries.bases.values()
        return {entry.key for entry in bases if entry.status == "completed" and entry.row["value"] is not None}

    def _front(self, second: str) -> set[str]:
        import pandas as pd  # only two objectives need it

        from results.statistics.pareto import front

        tried = self.ledger.completed()
        rows = [(entry.status, entry.value, cost_of(second, entry.row)) for entry in tried]
        on_front = front(pd.DataFrame(rows, columns=["status", "value", "second"]), "second")
        return {entry.key for entry, stays in zip(tried, on_front, strict=True) if stays}

    def _established(self) -> str | None:
        """The arm of the winner that stands so far; None without one."""
        stands = standing(rounds([entry.row for entry in list(self.ledger.entries.after_search.values())]))
        won = None if stands is None else stands.judgement.winner
        return None if won is None else won.arm

    def _of_arms(self, completed: Iterable[Entry], arms: set[str]) -> set[str]:
        """Keys of one trial of each arm: its trial of the search, else its first run on a fresh seed."""
        found: dict[str, Entry] = {}
        for entry in sorted(completed, key=lambda entry: (entry.stage != SEARCH, entry.number)):
            if _arm(entry) in arms:
                found.setdefault(_arm(entry), entry)
        return {entry.key for entry in found.values()}


def _arm(entry: Entry) -> str:
    """The key of the trial's config at the campaign's own seed."""
    return entry.row["arm"] or entry.key
