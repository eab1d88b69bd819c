"""Places of the earlier campaigns that a new one starts from or reuses, for the names that a user gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from results.named_campaigns import found_by_name
from results.store.campaigns import check_campaign
from results.store.places import RECORDED
from storage.location import Location, absolute, location
from terminal.nearest import closest
from terminal.once import refuse_twice
from tuner.spec import CampaignSpec


def with_places(spec: CampaignSpec, runs: Location) -> CampaignSpec:
    """The spec with the places of earlier campaigns for their names; a ValueError for one unknown."""
    warm = tuple(name if name == RECORDED else _earlier(name, runs) for name in spec.warm_start)
    return replace(spec, warm_start=warm, reuse=tuple(str(found_by_name(name, runs)) for name in spec.reuse))


def check_campaigns_there(spec: CampaignSpec) -> None:
    """Raise a ValueError for an earlier campaign at whose place none is, and for one that is given twice.

    Nothing of them is read.
    """
    for option, names in (("--warm-start", spec.warm_start), ("--reuse", spec.reuse)):
        for name in names:
            if name == RECORDED:
                continue
            try:
                check_campaign(location(name))
            except ValueError as error:
                raise ValueError(f"{option}: {error}") from None
        check_each_once(option, names)


def check_each_once(option: str, names: Sequence[str]) -> None:
    """Raise a ValueError for a source that is given twice: by the places of the names, so also as name and path."""
    refuse_twice(names, [name if name == RECORDED else absolute(location(name)) for name in names], option)


def _earlier(text: str, runs: Location) -> str:
    try:
        return str(found_by_name(text, runs))
    except ValueError as error:
        close = f"; or did you mean {RECORDED!r}?" if closest(text, [RECORDED]) else ""
        raise ValueError(f"--warm-start: {error}{close}") from None
