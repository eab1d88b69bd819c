"""A campaign in Python: its rows as data frames, what was found, and a way to go on. Made by tuner/api.py."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from results.curves import wide_curves
from results.inert_changes import inert_changes, without_effect
from results.questions.methods import Questions
from results.questions.winner import winner
from results.statistics.leaderboard import begun
from results.store.campaign_folder import Store
from results.store.frames import OTHER_NAMES, Results, results_of
from storage.location import Location
from terminal.counted import counted
from terminal.nearest import no_attribute
from terminal.short import decimals, short, signed
from tuner.python.widgets import without_widgets
from tuner.spec import CampaignSpec

if TYPE_CHECKING:
    from search_spaces.space import Space
    from trainable.config import TrainConfig


@dataclass(frozen=True, repr=False)
class Best:
    """The winner that a confirmation has established, or before that the completed trial with the lowest value."""

    trial: int
    objective: str
    value: float
    versus_base: float | None  # single runs of the search
    difference: float | None  # from the base too, the mean of pairs on fresh seeds; None where it was not tried there
    confirmed: bool
    fresh_value: float | None  # its mean on fresh seeds, and the base's on the same, where it is confirmed
    fresh_base: float | None
    changes: Mapping[str, Any]  # dotted path -> value, from the base; what ``overrides`` takes
    row: pd.Series

    @property
    def config(self) -> TrainConfig | dict[str, Any]:
        """The whole config, to train or to search on from; of your own train function, the mapping that it gets."""
        from search_spaces.own_train import OWN
        from trainable.component_json import decode

        kept = json.loads(self.row["config"])
        if kept.get("type") == OWN:
            return {**kept["values"], "seed": kept["seed"], "steps": kept["steps"]}
        found: TrainConfig = decode(kept)
        return found

    def __repr__(self) -> str:
        against = "" if self.versus_base is None else f", {signed(self.versus_base)} vs base"
        if self.difference is not None:
            mean = "" if self.fresh_value is None else f"{decimals(self.fresh_value)}, "
            against = f" on one seed; on fresh seeds {mean}{signed(self.difference)} vs base"
        number, idle = len(json.loads(self.row["overrides"])), without_effect(inert_changes(self.row.get("inert")))
        changed = f", {counted(number, 'change')}{idle}" if number else ", the base"  # as the leaderboard counts them
        return f"<Best: trial {self.trial}, {self.objective} {decimals(self.value)}{against}" + (
            f"{changed}{', confirmed' if self.confirmed else ''}>"
        )


class Campaign(Questions):
    """One campaign's folder. Everything is read when it is asked for, so that a running one can be watched."""

    def __init__(self, folder: Location, space: Space | None = None) -> None:
        """``space`` is needed to go on, where it is none that its name alone finds."""
        whole = Path(os.path.abspath(folder)) if isinstance(folder, Path) else folder
        self.folder: Location = whole  # also after the current folder has changed
        self._space = space

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def spec(self) -> CampaignSpec:
        """All that it was begun with, as far as it has not been changed since."""
        return CampaignSpec.of_json(Store.open(self.folder).campaign)

    def read(self) -> Results:
        """All that its files say at this moment: ``trials``, ``confirmations`` and ``reports`` that fit together."""
        return results_of(Store.open(self.folder))

    @property
    def trials(self) -> pd.DataFrame:
        """The trials of the search or replay, a row each, sorted by number (columns: results/store/row_types.py)."""
        return self.read().trials

    @property
    def confirmations(self) -> pd.DataFrame:
        """The runs after the search, on fresh seeds: those that confirm, and those that take the winner apart."""
        return self.read().confirmations

    @property
    def reports(self) -> pd.DataFrame:
        """A row for each report of a trial: its measures at milestones and at the end."""
        return self.read().reports

    @property
    def curves(self) -> pd.DataFrame:
        """The training curves: a row for each kept step of each trial, with its ``number``, ``step``, ``tokens``,
        ``loss``, ``gradient_norm`` and a ``learning_rate.GROUP`` for each parameter group.
        """
        return wide_curves(self.read().curves)

    def best(self) -> Best | None:
        """The best that is known; None while nothing has completed. A ValueError for a campaign of two objectives."""
        found = self.read()
        won = winner(found)
        if won.empty:
            return None
        (known,) = won.to_dict("records")
        (row,) = (row for _, row in found.trials[found.trials["key"] == known["key"]].iterrows())
        versus_base, difference, fresh_value, fresh_base = (
            None if pd.isna(known[name]) else float(known[name])
            for name in ("versus_base", "difference", "fresh_value", "fresh_base")
        )
        return Best(
            trial=int(row["number"]),
            objective=str(row["objective"]),
            value=float(row["value"]),
            versus_base=versus_base,
            difference=difference,
            confirmed=bool(known["confirmed"]),
            fresh_value=fresh_value,
            fresh_base=fresh_base,
            changes=overrides_for(found.campaign["base"], row),
            row=row,
        )

    def resume(self, **asked: Any) -> Campaign:
        """Go on with it, as it was begun but for what is ``asked``; see :func:`tuner.search`."""
        with without_widgets():
            from tuner.python.driving import resume_campaign  # what only reads loads nothing that trains

        resume_campaign(self.folder, self._space, asked)
        return self

    def __repr__(self) -> str:
        try:
            return f"<Campaign {self._place()!r}: {self._about()}>"
        except (ValueError, OSError):  # a folder that has gone, or is damaged: whatever reads it says so
            return f"<Campaign {self._place()!r}, which cannot be read>"

    def __getattr__(self, name: str) -> Any:
        """Refuse a name that is none here, with the nearest one that is."""
        raise no_attribute(self, name, OTHER_NAMES)

    def _place(self) -> str:
        """Return its folder's path, from the current folder where it is below that."""
        with suppress(ValueError, OSError):  # it is elsewhere, or the current folder has been removed
            return str(self.folder.relative_to(Path.cwd()) if isinstance(self.folder, Path) else self.folder)
        return str(self.folder)

    def _about(self) -> str:
        spec, trials = self.spec, begun(self.trials)
        ended = f"{int((trials['status'] != 'running').sum()):,} of {counted(spec.trials or 0, 'trial')}"
        best = None if "," in (spec.objective or "") else self.best()
        found = "" if best is None else f", best {best.objective} {short(best.value)} (trial {best.trial})"
        return f"{spec.space}, {ended}{found}"


def overrides_for(base: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``overrides`` that make a row's config of the base, as ``campaign.json`` keeps that.

    The row itself has labels of choices, each of which may stand for a component with fields of its own: they are what
    is left where the config is of a train function of the user's own, or needs code that is not given here.
    """
    from trainable.component_json import decode
    from trainable.config import TrainConfig
    from trainable.settings import settings_for

    labels: dict[str, Any] = json.loads(row["overrides"])
    try:
        there, here = decode(base), decode(json.loads(row["config"]))
    except ValueError:
        return labels
    assert isinstance(there, TrainConfig) and isinstance(here, TrainConfig)
    settings = settings_for(there, replace(here, seed=there.seed))
    return labels if settings is None else settings
