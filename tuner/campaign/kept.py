"""Check of what a resume takes from ``campaign.json`` and only the search knows: its parts' names, its space's points.

Types, ranges and all that needs no search are checked where the file is read (results/store/campaign_json.py). This
comes before anything is started, so that a folder of another version or a made-up one costs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from search_spaces.space import Space
from storage.location import Location
from terminal.nearest import nearest
from terminal.type_words import as_set
from trainable.monitors import ALL_MONITORS, Monitors
from trainable.worker.fidelity import FIDELITIES
from tuner.early_stopping import STOPPERS
from tuner.question import Question
from tuner.search_methods import METHODS, TPE_UNIFORM
from tuner.spec import KEEP, KEEP_NONE


def check(file: Location, was: Mapping[str, Any], question: Question) -> None:
    """Raise a ValueError that names the file, the field and the nearest valid name."""
    try:
        _check_name("stopper", was["stopper"], STOPPERS)
        _check_name("sampler", question.spec.sampler or TPE_UNIFORM, METHODS)
        _check_name("fidelity", was["fidelity"], FIDELITIES)
        _check_name("keep", question.spec.keep or KEEP_NONE, KEEP)
        Monitors.of_text(question.spec.monitor or ALL_MONITORS)
        _check_points(was.get("prior") or (), question.space)
        _check_inert(was.get("inert"), question)
    except ValueError as error:
        raise ValueError(f"{file} cannot be resumed: {error}") from None


def _check_name(field: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ValueError(f"{field} is {name!r}: {nearest(name, known, 'names')}")


def _check_points(points: Sequence[Mapping[str, Any]], space: Space) -> None:
    """Check that each point of the prior lies in the space."""
    for point in points:
        for path, value in point["values"].items():
            if value not in space.knob(path).domain:
                raise ValueError(
                    f"the prior's {point['name']!r} has {path} {as_set(value)}: outside {space.knob(path).domain}"
                )


def _check_inert(inert: Any, question: Question) -> None:
    """Check ``inert`` (what changes nothing): a list of knobs in a search, a list for each recorded run in a replay."""
    if inert is None:
        return
    if isinstance(inert, dict) != (question.replay is not None):
        raise ValueError("inert must be a list of knobs in a search, and lists by recorded run in a replay")
    for planned in question.planned:
        if planned.recorded_id not in inert:
            raise ValueError(f"inert does not say anything of the recorded run {planned.recorded_id!r}")
