"""``--list``: the spaces, the knobs of one, and the campaigns that are there."""

from __future__ import annotations

import search_spaces
from results.of_stages import of_stages
from results.store.campaign_folder import Store
from results.store.campaigns import campaigns
from results.store.statuses import SEARCH
from results.tally import tallies
from search_spaces.space import Space
from storage.location import Location
from terminal.console import Console
from terminal.counted import counted
from terminal.short import as_written

COUNTED = ("stage", "status", "config", "round", "design")  # columns


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
    """Count a campaign's runs by stage and status; of a damaged one say why, as it must not hide the others."""
    try:
        store = Store.open(folder)
        table = store.table("trials")
    except ValueError as error:
        return str(error).split("; ")[0]
    if not len(table):
        return "no trials yet"
    columns = (
        table.column(name).to_pylist() if name in table.column_names else [None] * len(table) for name in COUNTED
    )
    rows = [dict(zip(COUNTED, cells, strict=True)) for cells in zip(*columns, strict=True)]
    found, of = tallies((row["stage"], row["status"], row["config"]) for row in rows), of_stages(rows)
    searched, asked = found.pop(SEARCH), store.campaign.get("trials")
    said = searched.in_words if asked is None else searched.of(asked)
    return "; ".join([said, *(f"{stage}: {ends.in_words}{of.get(stage, '')}" for stage, ends in found.items())])


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
