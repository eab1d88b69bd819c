"""Options that bring a user's own code and space into a command line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from search_spaces import catalogue
from search_spaces.own_space import spaces_in
from search_spaces.space import Space
from storage.location import Location
from trainable.own import source as own_source
from trainable.own.source import Source


def own_options(folder: Location, sources: Sequence[Source], space: Space) -> str | None:
    """``--space`` and ``--import`` for a command that trains what a campaign has found; None where none can say it.

    The files are those that the campaign's folder keeps.
    """
    if sources and (not isinstance(folder, Path) or any("." in s.name or len(s.files) > 1 for s in sources)):
        return None
    own = next((s for s in sources if space.name in [found.name for found in spaces_in(s).values()]), None)
    if own is None and space.name not in catalogue.names():
        return None
    where = {source.name: shlex.quote(str(folder / own_source.FOLDER / source.file)) for source in sources}
    named = space.name if own is None else where[own.name]
    return " ".join([f"--space {named}", *(f"--import {where[s.name]}" for s in sources if s is not own)])
