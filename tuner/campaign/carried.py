"""The best configs of a search as a campaign at a larger scale begins with them: values moved there, and what they had.

Such a campaign is a folder of its own beside the search's, which it names: its rows are of another size, so that no
leaderboard, sampler or warm start can take them for the search's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces.domains import Value


@dataclass(frozen=True)
class CarriedTrial:
    """One config of a search: its values at the larger scale, and what was known of it at the search's."""

    number: int  # in the search
    values: Mapping[str, Value]
    value: float  # objective in the search, of one run
    fresh_value: float | None = None  # mean on the search's fresh seeds; None where it was not tried there
    confirmed: bool = False  # to be better than the base, at the search's scale


@dataclass(frozen=True)
class Carried:
    """All that a campaign at a larger scale takes over from a search."""

    campaign: str  # the search's name, in the same folder of campaigns
    scale: str  # the search's
    trials: tuple[CarriedTrial, ...]  # the search's winner first, then by the objective
    base: CarriedTrial | None = None  # the search's own base, where it completed
    factors: Mapping[str, float] = field(default_factory=dict)  # knob -> factor of its searched values
    left: tuple[str, ...] = ()  # paths that the search had set, and that are the larger scale's own here

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Carried:
        """The one that ``campaign.json`` keeps; campaign_json.py has checked that it is one."""
        base = kept.get("base")
        return cls(
            kept["campaign"],
            kept["scale"],
            tuple(CarriedTrial(**trial) for trial in kept["trials"]),
            None if base is None else CarriedTrial(**base),
            kept.get("factors") or {},
            tuple(kept.get("left") or ()),
        )
