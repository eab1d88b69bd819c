"""The things that a user may ask for, as data: the command line makes one, and so does each function of ``tuner``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from results.store.find import RUNS
from storage.location import Location
from tuner.spec import CampaignSpec
from tuner.trackers.catalogue import LogTo


@dataclass(frozen=True)
class Planning:
    """Settings of a plan (``--dry-run``): the devices, where they are described and need not be here."""

    device: str | None = None  # a card by its name
    tokens_per_second: float | None = None  # of one device, as measured
    price: float | None = None  # of a device for an hour
    slots: int | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether the plan is for other devices than this machine's."""
        return self.device is not None or self.tokens_per_second is not None

    @property
    def num_slots(self) -> int | None:
        """Trials at a time; None leaves it to this machine."""
        return self.slots or (1 if self.is_elsewhere else None)


@dataclass(frozen=True)
class Start:
    """One start of a campaign: where it is kept, on which cluster, for how long. The next one may be another."""

    results: Location = RUNS
    name: str | None = None
    hours: float | None = None
    address: str | None = None  # of the Ray cluster to join; None starts one here
    audit: bool = True
    notify: str | None = None  # a line of shell to run at its end, or "bell"
    log: tuple[LogTo, ...] = ()  # trackers that it is also written to; campaign.json does not keep them
    planning: Planning | None = None

    @property
    def slots(self) -> int | None:
        """Slots of a plan that need not be here."""
        return None if self.planning is None else self.planning.num_slots


@dataclass(frozen=True)
class Begin:
    """A new campaign."""

    spec: CampaignSpec
    start: Start = Start()


@dataclass(frozen=True)
class Resume:
    """Resume of a campaign: ``changes`` are fields of its spec, ``data`` is where the same data are now."""

    campaign: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    data: str | None = None
    space: str | None = None  # that it must be of
    start: Start = Start()
    trust_sources: bool = False  # let the code that the campaign's folder keeps run


@dataclass(frozen=True)
class Listing:
    """Every space and the campaigns in ``results``, or the knobs of one space."""

    space: str | None = None
    results: Location = RUNS
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Showing:
    """Recorded runs, before anything is spent on them."""

    space: str
    rows: str
    reading: str | None = None
    scale: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    imports: tuple[str, ...] = ()


Command = Begin | Resume | Listing | Showing
