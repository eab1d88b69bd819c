"""Findings of a recorded campaign, as data that its replay is compared with.

A campaign says so in the ``findings.py`` of its folder, where it has one. :func:`replay_record` puts it and the
recorded runs into the JSON that a replay keeps in ``campaign.json``: ``results`` compares the two sides and knows no
space.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import Any

from trainable.component_paths import with_values

from search_spaces import recorded
from search_spaces.recorded import RecordedRun
from search_spaces.space import Space


@dataclass(frozen=True)
class Effect:
    """A claim about two recorded runs: the treatment lowers (or raises) the metric against the control."""

    name: str
    treatment: str  # the id of a recorded run, as is the control
    control: str
    lowers: bool


@dataclass(frozen=True)
class Waypoint:
    """A run on the campaign's way from its baseline to its best, and what it added to the step before."""

    id: str
    label: str


@dataclass(frozen=True)
class Findings:
    """Findings of a campaign. Its progression begins at the baseline."""

    progression: tuple[Waypoint, ...] = ()
    effects: tuple[Effect, ...] = ()
    not_scores: tuple[str, ...] = ()  # ids whose recorded number is no score of the run that was meant
    # By scale: a metric above this is a run that never learned more than how frequent each token is. Such a run says
    # nothing about its knobs, so it is counted and not averaged. Empty where no run was stuck like that.
    plateau: Mapping[str, float] = field(default_factory=dict)

    @property
    def compared(self) -> frozenset[str]:
        """Ids of the runs that the progression and the effects compare."""
        pairs = ({effect.treatment, effect.control} for effect in self.effects)
        return frozenset({step.id for step in self.progression}.union(*pairs))


def findings(space_name: str) -> Findings:
    """The findings of a space; empty where its folder has no ``findings.py``."""
    module = f"search_spaces.{space_name}.findings"
    if find_spec(module) is None:
        return Findings()
    found: Findings = importlib.import_module(module).FINDINGS
    return found


def replay_record(space: Space, reading: str, scale: str, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The recorded side of a replay of ``space`` as JSON data.

    - ``runs``: the rows in the order of the file. ``value`` is the recorded objective, null where the run was not
      scored; ``base`` is the run to judge it by, which is the :func:`reference` instead of the root.
    - ``replicates``: groups of ids that did the same computation in the campaign (as run, full size), so that their
      spread is its noise.
    - ``same``: groups of ids that are one training in this replay: in its reading, at its scale, with ``overrides``.
    - ``progression`` and ``effects``, and ``plateau``: null, or the limits of the recorded and of the measured side.
    """
    found, runs = findings(space.name), recorded.load(space)
    first = reference(runs).id
    limits = {"recorded": found.plateau["full"], "measured": found.plateau[scale]} if found.plateau else None
    return {
        "metric": space.objective,
        "reading": reading,
        "runs": [
            {
                "id": run.id,
                "name": run.name,
                "phase": run.phase,
                "base": first if run.base == recorded.ROOT and run.id != first else run.base,
                "status": run.status,
                "note": run.note,
                "steps": run.steps,
                "value": None if run.id in found.not_scores else run.score(space.objective),
            }
            for run in runs
        ],
        "replicates": groups(space, "as_run", "full"),
        "same": groups(space, reading, scale, overrides),
        "progression": [asdict(step) for step in found.progression],
        "effects": [asdict(effect) for effect in found.effects],
        "plateau": limits,
    }


def reference(runs: Sequence[RecordedRun]) -> RecordedRun:
    """The run that a campaign measured itself against: the first that changes nothing of the space's base."""
    unchanged = (run for run in runs if run.base == recorded.ROOT and not run.overrides_as_logged)
    return next(unchanged, runs[0])


def groups(space: Space, reading: str, scale: str, overrides: Mapping[str, Any] | None = None) -> list[list[str]]:
    """Ids of recorded runs that are the same computation, in lists of two or more.

    A run that is none with ``overrides`` is in no group: a replay that has it among its rows does not begin.
    """
    found: dict[str, list[str]] = {}
    for run in recorded.load(space):
        if run.base is not None:
            try:
                config = with_values(recorded.resolve(space, run.id, reading, scale), overrides or {})
            except ValueError:
                continue
            found.setdefault(config.key(config.data.source), []).append(run.id)
    return [ids for ids in found.values() if len(ids) > 1]
