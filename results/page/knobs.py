"""The knobs of a campaign: range, condition, the base's value and that of every trial."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
from terminal.short import as_written

from results.page.plain import json_cell, shown_text
from results.page.table import base_values
from results.questions.knobs import domain_text

MOST = 40  # fields of a campaign without knobs

_RANGE = re.compile(r"(\S+) \.\. (\S+?)( \(log\))?")


def knobs(campaign: Mapping[str, Any], trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Each knob with the values of ``trials``, in their order; null where a trial has none.

    Of a campaign without knobs, as a replay, those fields that several trials change: a trial that does not change one
    has the base's value.
    """
    if campaign["knobs"]:
        return [_knob(path, campaign, trials[path]) for path in campaign["knobs"] if path in trials]
    changes = [json.loads(written) if isinstance(written, str) else {} for written in trials["overrides"]]
    often = Counter(path for found in changes for path, value in found.items() if not isinstance(value, list | dict))
    base = base_values(trials, campaign)
    chosen = [path for path, times in often.most_common(MOST) if times > 1]
    return [
        _knob(path, campaign, pd.Series([found.get(path, base.get(path)) for found in changes], dtype=object))
        for path in chosen
    ]


def _knob(path: str, campaign: Mapping[str, Any], column: pd.Series) -> dict[str, Any]:
    told = campaign.get("ranges", {}).get(path) or {}
    domain = domain_text(told)
    found = {
        "path": shown_text(path),
        "domain": shown_text(domain),
        "why": shown_text(told.get("why") or ""),
        "when": _when(told),
    }
    values = [json_cell(value) for value in column]
    ends = ends_of(domain)
    known = [value for value in values if value is not None]
    if ends is not None or (known and all(_is_number(value) for value in known) and not domain):
        low, high, log = ends or (None, None, False)
        return {**found, "kind": "number", "low": low, "high": high, "log": log, "values": values}
    labels = [shown_text(label) for label in domain.split(" | ")] if " | " in domain else []
    named = ["null" if value is None else _label(value) for value in values]
    known_by = {_same(label) for label in labels}
    labels += [label for label in dict.fromkeys(named) if _same(label) not in known_by and label != "null"]
    at = {_same(label): place for place, label in enumerate(labels)}
    return {**found, "kind": "category", "labels": labels, "values": [at.get(_same(name)) for name in named]}


def ends_of(domain: str) -> list[Any] | None:
    """Lowest and highest of a range of numbers as ``ranges`` writes it, and whether it is logarithmic; else None."""
    bounds = _RANGE.fullmatch(domain)
    ends = [_number(bounds[1]), _number(bounds[2])] if bounds else [None]
    return None if bounds is None or None in ends else [*ends, bool(bounds[3])]


def _when(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    conditions = told.get("when")
    if not isinstance(conditions, Mapping):
        return []
    return [
        {
            "path": shown_text(path),
            "labels": [_label(value) for value in (values if isinstance(values, list) else [values])],
        }
        for path, values in conditions.items()
    ]


def _label(value: Any) -> str:
    """A category as ``ranges`` writes it."""
    return shown_text(as_written(value))


def _same(label: str) -> str:
    """The text that labels of one value share: 0 of a row and 0.0 of a domain are one number."""
    number = _number(label)
    return label if number is None else repr(number)


def _number(written: str) -> float | None:
    try:
        found = float(written)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
