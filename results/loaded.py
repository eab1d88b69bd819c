"""A campaign that is loaded to be looked at: its frames, and what can be asked of them. ``results.load`` makes it."""

from __future__ import annotations

from storage.location import Location

from results.questions.methods import Questions
from results.store import frames
from results.store.frames import Results


class Loaded(Results, Questions):
    """The frames of :class:`Results`, and the questions as methods."""


def load(campaign: str | Location) -> Loaded:
    """Read a campaign, running or finished: by its path or URL, or by its name where it is in ``results/runs``.

    A ValueError where there is none or a file cannot be read.
    """
    found = frames.load(campaign)
    return Loaded(found.campaign, found.rows, found.reports, found.name, found.store)
