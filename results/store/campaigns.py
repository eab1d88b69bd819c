"""Places of campaigns: which folders of a folder are one, and a complaint where none is."""

from __future__ import annotations

from storage import files
from storage.location import Location
from terminal.nearest import nearest

CAMPAIGN = "campaign.json"  # what makes a folder a campaign


def campaigns(runs: Location) -> list[Location]:
    """The folders of the campaigns in ``runs``, sorted by name."""
    return [runs / name for name in files.names(runs) if files.is_file(runs / name / CAMPAIGN)]


def check_campaign(folder: Location) -> None:
    """Raise a ValueError, with the nearest name beside it, for a place where no campaign is; nothing is read."""
    if not files.is_file(folder / CAMPAIGN):
        siblings = [found.name for found in campaigns(folder.parent)]
        hint = nearest(folder.name, siblings, "campaigns beside it")
        raise ValueError(f"{folder} is no campaign: it holds no {CAMPAIGN}; {hint}")
