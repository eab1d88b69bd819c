"""``--list``: the spaces, the knobs of one, and the campaigns that are there."""

from __future__ import annotations

from collections import Counter

import search_spaces
from results.store.campaign_folder import Store, campaigns
from results.store.statuses import SEARCH, STATUSES
from search_spaces.space import Space
from storage.location import Location
from terminal.console import Console
from terminal.counted import counted
from terminal.short import as_written


def show(console: Console, space: Space | None, runs: Location) -> None:
    """List every space, or one space's scales and knobs."""
    if space is not None:
        show_space(console, space)
        return
    for known in search_spaces.names():
        space = search_spaces.load(known)
        console.print(
            f"{known}: {space.question} ({counted(len(space.knobs), 'knob')}; scales {', '.join(space.scales)})"
        )
    found = campaigns(runs)
    if found:
        console.print()
        console.print(f"campaigns in {runs}:")
    for folder in found:
        console.print(f"  {folder.name}: {_counts(folder)}")


def _counts(folder: Location) -> str:
    """Count a campaign's trials by status, or say why it is unreadable: a damaged one must not hide the others."""
    try:
        table = Store.open(folder).table("trials")
    except ValueError as error:
        return str(error).split("; ")[0]
    stages = table.column("stage").to_pylist() if "stage" in table.column_names else [SEARCH] * len(table)
    pairs = zip(table.column("status").to_pylist(), stages, strict=True)
    found = Counter(status for status, stage in pairs if stage in (None, SEARCH))
    later = len(table) - found.total()
    parts = [f"{found[status]} {status}" for status in STATUSES if found[status]]
    return ", ".join(parts + ([f"{counted(later, 'run')} after the search"] if later else [])) or "no trials yet"


def show_space(console: Console, space: Space) -> None:
    """Scales and knobs of a space."""
    console.print(f"{space.name}: {space.question} (objective {space.objective}, minimised)")
    for name, scale in space.scales.items():
        console.print(f"scale {name}: {scale.about}; {counted(scale.trials, 'trial')} unless told otherwise")
    width = max(len(knob.path) for knob in space.knobs)
    for knob in space.knobs:  # unbroken lines, so that they can be searched and copied
        only_if = " and ".join(
            f"{path} is {' or '.join(map(as_written, labels))}" for path, labels in (knob.when or {}).items()
        )
        console.print(
            f"  {knob.path:{width}}  {knob.domain}"
            + (f", likely {knob.likely}" if knob.likely is not None else "")
            + (f", if {only_if}" if only_if else "")
            + f"  # {knob.why}"
        )
