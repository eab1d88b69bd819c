"""Weights of a trial that was not trained in its campaign but taken over from another one: where they are."""

from __future__ import annotations

import shlex

from results.kept_weights import name_in_commands
from results.plain_rows import plain_rows
from results.store import frames
from results.store.campaign_folder import Store
from results.store.campaigns import CAMPAIGN
from results.store.names import is_name
from results.store.resume_command import EXPORT_PROGRAM
from results.store.row_types import TrialRow
from storage import files
from storage.location import Location


def where_reused(folder: Location, row: TrialRow) -> str:
    """Say from which campaign a trial of the one in ``folder`` was reused, and how to export it from there.

    Campaigns are looked for beside this one; one that has reused it itself says from which.
    """
    said, name, seen = [], str(row["reused_from"]), {folder.name}
    while True:
        said.append(f"it was reused from campaign {name!r}")
        if not is_name(name) or name in seen:
            return f"{' and there '.join(said)}, which may have them"
        seen.add(name)
        beside = folder.parent / name
        if not files.is_file(beside / CAMPAIGN):
            return f"{' and there '.join(said)}, which may have them but is not beside this one"
        same = [one for one in plain_rows(frames.results_of(Store.open(beside)).rows) if one["key"] == row["key"]]
        kept = next((one for one in same if one.get("weights")), None)
        if kept is not None:
            command = f"{EXPORT_PROGRAM} {shlex.quote(name_in_commands(beside))} --trial {kept['number']}"
            return f"{' and there '.join(said)}, which has them: {command}"
        again = next((str(one["reused_from"]) for one in same if one.get("reused_from")), None)
        if again is None:
            return f"{' and there '.join(said)}, which does not have them either"
        name = again
