"""Search spaces: one folder per campaign, each with base config, knobs and recorded runs. Imports config types only."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from terminal.started_module import refuse_library

if TYPE_CHECKING:
    from search_spaces.catalogue import load, names

__all__ = ["load", "names"]

refuse_library()


def __getattr__(name: str) -> Any:
    """Load what is asked for: torch takes seconds, in which a program here can be interrupted with a line already."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.catalogue"), name)
