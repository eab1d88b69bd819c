"""The rows of the trials as columns of a page, each with its unit and meaning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from results.inert_changes import inert_changes
from results.page.plain import json_cell, shown_lines, shown_text
from results.store.row_types import TRIAL_COLUMNS

_APART = ("config", "overrides", "campaign", "space", "scale")  # too large, told elsewhere, or the same for all


def columns(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Every column that is not null throughout. One whose value is the same in all rows stands there once."""
    found = []
    for column in TRIAL_COLUMNS:
        if column.name in _APART or column.name not in trials or trials[column.name].isna().all():
            continue
        as_cell = shown_lines if column.name in ("reason", "note") else json_cell
        values = [None if pd.isna(value) else as_cell(value) for value in trials[column.name]]
        told = {"name": column.name, "unit": column.unit, "meaning": column.meaning}
        same = len(values) > 1 and all(json.dumps(value) == json.dumps(values[0]) for value in values)
        found.append({**told, "value": values[0]} if same else {**told, "values": values})
    return found


def changed_fields(trials: pd.DataFrame, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """Collect what each trial changes from the base: pairs of a path, by its place in ``paths``, and the value.

    ``inert`` has of each trial the places of those that have no effect there.
    """
    paths: dict[str, int] = {}
    of = []
    for written in trials["overrides"]:
        found = json.loads(written) if isinstance(written, str) else {}
        of.append([[paths.setdefault(path, len(paths)), json_cell(value)] for path, value in found.items()])
    base = {path: json_cell(value) for path, value in base_values(trials, campaign).items()}
    cells = trials["inert"] if "inert" in trials else [None] * len(trials)
    inert = [[paths[path] for path in inert_changes(cell) if path in paths] for cell in cells]
    named = [shown_text(path) for path in paths]
    return {"paths": named, "base": [base.get(path) for path in paths], "of": of, "inert": inert}


def base_values(trials: pd.DataFrame, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """The base's value of each knob, of a base trial's row; and of each plain field of the base config."""
    found = dict(_leaves(campaign.get("base") or {}))
    bases = trials[trials["is_base"].fillna(False).astype(bool)]
    for path in campaign["knobs"]:
        known = bases[path].dropna().tolist() if path in bases else []
        if known:
            found[path] = known[0]
    return found


def _leaves(node: Any, path: str = "") -> list[tuple[str, Any]]:
    """Plain fields of a config as JSON by dotted path; a component's own path has its type, as ``--set`` takes it."""
    if isinstance(node, Mapping):
        own = [(path, node["type"])] if path and isinstance(node.get("type"), str) else []
        return own + [
            leaf for name, inner in node.items() if name != "type" for leaf in _leaves(inner, _below(path, name))
        ]
    if isinstance(node, list):
        typed = [inner for inner in node if isinstance(inner, Mapping) and isinstance(inner.get("type"), str)]
        return [leaf for inner in typed for leaf in _leaves(inner, _below(path, inner["type"]))[1:]]
    return [(path, node)]


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else str(name)
