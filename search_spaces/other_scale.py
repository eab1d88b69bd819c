"""Settings of one scale of a space as another scale has them: what is asked stays, what makes the size does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from terminal.nearest import nearest
from trainable.component_paths import difference
from trainable.config import TrainConfig

from search_spaces.space import Space

_DATA = "data.source"  # which texts: part of the question
_PARTS = "data.grad_accum_steps"  # of a batch, by the memory: each scale has its own, whatever a plan has chosen here


def settings_at(
    space: Space, here: str, there: str, settings: Mapping[str, Any], factors: Mapping[str, float]
) -> tuple[dict[str, Any], list[str]]:
    """Settings of a search at the scale ``here`` as a campaign at the scale ``there`` has them, and paths left out.

    A path in which the bases of the two scales agree is part of the question, and its value stays, as do the data that
    a user has chosen; a knob with one of the ``factors`` of width is moved by it. A path in which they differ makes the
    size: there the larger scale has its own value, or the one that the space's table of sizes names.
    """
    sizes, own = difference(space.scale(here).base, space.scale(there).base), dict[str, Any]()
    left: list[str] = []
    for path, value in settings.items():
        if path in factors and isinstance(value, int | float):
            own[path] = value * factors[path]
        elif path == _DATA or not (path == _PARTS or _differs(path, sizes)):
            own[path] = value
        elif (found := _by_table(space, here, there, path, value)) is not None:
            own[path] = found
        else:
            left.append(path)
    return own, left


def _differs(path: str, sizes: Iterable[str]) -> bool:
    """Tell whether a path, or one above or below it, is among those in which two bases differ."""
    return any(path == other or other.startswith(f"{path}.") or path.startswith(f"{other}.") for other in sizes)


def _by_table(space: Space, here: str, there: str, path: str, value: Any) -> Any:
    """The recorded size that a table has as ``value`` at the scale ``here``; None where it has none, or several."""
    if there != "full":
        return None
    found = [full for full, small in space.scale(here).sizes.get(path, {}).items() if small == value]
    return found[0] if len(found) == 1 else None


def factors_between(space: Space, here: TrainConfig, there: TrainConfig) -> dict[str, float]:
    """Factors of the searched values between two bases, by the space's rules of width; a ValueError for a bad rule."""
    for path in space.width_rules.exponents:
        if path not in (known := [knob.path for knob in space.knobs]):
            raise ValueError(f"space {space.name} has a rule of width for {path!r}: {nearest(path, known, 'knobs')}")
    return space.width_rules.factors(here, there) if space.width_rules.exponents else {}
