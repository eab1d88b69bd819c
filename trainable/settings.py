"""Settings (by dotted path) that make one config of another: the inverse of ``component_paths.with_values``."""

from __future__ import annotations

from typing import Any

from trainable.component_paths import difference, leaves, with_values
from trainable.config import TrainConfig


def settings_for(base: TrainConfig, wanted: TrainConfig) -> dict[str, Any] | None:
    """Path -> value of what makes ``wanted`` of ``base``; None where settings alone do not.

    Components are set before their fields, of which only those that differ from the defaults are named.
    """
    settings: dict[str, Any] = {}
    there = leaves(wanted)
    for _ in there:  # far more often than components are nested
        differ = [path for path in difference(with_values(base, settings), wanted) if path in there]
        differ = [path for path in differ if not _names_members(wanted, path) and path not in settings]
        if not differ:
            break
        settings |= {p: there[p] for p in differ if not any(p.startswith(f"{other}.") for other in differ)}
    return settings if with_values(base, settings).key("") == wanted.key("") else None


def _names_members(config: TrainConfig, path: str) -> bool:
    """Tell whether a path's value is the list of a tuple's components, which are set one by one."""
    found = leaves(config)
    return isinstance(found.get(path), tuple) and any(other.startswith(f"{path}.") for other in found)
