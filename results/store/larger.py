"""Campaigns that carry the best of a search over to a larger scale: folders beside the search's, named after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from storage import files
from storage.location import Location

from results.store.campaign_folder import Store
from results.store.campaigns import CAMPAIGN
from results.store.names import campaign_folder


def name_at(search: str, scale: str, number: int = 1) -> str:
    """The name of a search's campaign at a scale: ``night-at-full``, and ``night-at-full-2`` for other candidates."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", scale)
    return f"{search}-at-{plain}{'' if number == 1 else f'-{number}'}"


def campaigns_at(search: Location, scale: str) -> list[Store]:
    """The campaigns that carried the best of the search in that folder over to a scale, oldest first.

    A ValueError where one of them cannot be read.
    """
    return [store for store in _beside(search, scale) if _is_of(store, search, scale)]


def free_name(search: Location, scale: str) -> str:
    """The first name of a campaign at a scale that no folder has; a ValueError for one too long to be a name."""
    for number in count(1):
        name = name_at(search.name, scale, number)
        if not files.is_file(campaign_folder(search.parent, name) / CAMPAIGN):
            return name
    raise AssertionError("numbers do not end")


def _beside(search: Location, scale: str) -> Iterator[Store]:
    for number in count(1):
        folder = search.parent / name_at(search.name, scale, number)
        if not files.is_file(folder / CAMPAIGN):
            return
        yield Store.open(folder)


def _is_of(store: Store, search: Location, scale: str) -> bool:
    carried = store.campaign.get("carried") or {}
    return bool(carried.get("campaign") == search.name and store.campaign.get("scale") == scale)
