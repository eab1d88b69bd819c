"""Results: the schema, the store on disk, and what can be said of them. Knows neither training nor search."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from terminal.started_module import refuse_library

if TYPE_CHECKING:
    from results.loaded import load
    from results.store.campaign_folder import Store
    from results.store.frames import Results
    from results.store.names import campaign_folder

__all__ = ["Results", "Store", "campaign_folder", "load"]

_WHERE = {
    "Results": "store.frames",
    "Store": "store.campaign_folder",
    "campaign_folder": "store.names",
    "load": "loaded",
}

refuse_library()


def __getattr__(name: str) -> Any:
    """Load what is asked for: pandas takes a second, in which a program here can be interrupted with a line already."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
