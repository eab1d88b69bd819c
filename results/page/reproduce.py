"""Instructions for making a campaign's results again: commands, versions, commit, data and seeds."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd
from storage.location import Location
from terminal.escape import visible

from results.page.plain import json_cell, shown_text
from results.questions.judged_by import judged_by, objectives_asked
from results.store.find import RUNS
from results.store.resume_command import from_anywhere

REPORT = "python -m results.report"
_MEASURED = {"devices": "device", "precision": "precision", "precision of Muon": "muon_precision"}  # label -> column


def facts(campaign: Mapping[str, Any], trials: pd.DataFrame) -> list[list[Any]]:
    """Pairs of a label and what it says, those that are known."""
    environment = campaign.get("environment") or {}
    named = {
        "space": campaign.get("space"),
        "scale": campaign.get("scale"),
        "begun": campaign.get("created_at"),
        "commit of the code": campaign.get("code_version"),
        "data": campaign.get("data_description"),
        "fingerprint of the data": campaign.get("data"),
        "seed of the search": campaign.get("seed"),
        "seeds of trials": ", ".join(str(seed) for seed in sorted(trials["seed"].dropna().unique())[:20]),
        "first fresh seed": campaign.get("fresh_seed"),
        "sampler": campaign.get("sampler"),
        "stopper": campaign.get("stopper"),
        "stopped trials may go on": _yes_or_no(campaign.get("promote")),
        "fidelity": campaign.get("fidelity"),
        "confirmation": campaign.get("confirm"),
        "settings (--set)": campaign.get("overrides") or None,
        **{label: _all_of(trials, column) for label, column in _MEASURED.items()},
        **{f"version of {name}": value for name, value in environment.items()},
    }
    return [[shown_text(label), json_cell(value)] for label, value in named.items() if value not in (None, "")]


def _all_of(trials: pd.DataFrame, column: str) -> str | None:
    return ", ".join(sorted(set(trials[column].dropna()))) if column in trials else None


def commands(campaign: Mapping[str, Any], folder: Location) -> list[list[str]]:
    """Pairs of what a command does and the command, those that one line can say."""
    place = from_anywhere(folder)
    named = place.name if place.parent == RUNS else str(place)
    found: dict[str, str | None] = {
        "Asks the same question again:": asked(campaign),
        "Writes this page anew:": f"{REPORT} {shlex.quote(named)}",
    }
    return [[label, line] for label, line in found.items() if line is not None and line == visible(line)]


def asked(campaign: Mapping[str, Any]) -> str | None:
    """The command that asks the campaign's question again; None where one line does not say it all.

    That is so with code of one's own, and with results of other campaigns to start from.
    """
    elsewhere = ("own_train", "imports", "reuse", "warm_start")
    if any(campaign.get(name) for name in elsewhere) or not campaign.get("space"):
        return None
    parts = ["--space", campaign["space"], "--scale", campaign.get("scale") or "proxy"]
    parts += _option("precision", campaign.get("precision"))
    if (replay := campaign.get("replay")) is not None:
        parts += [part for selection in replay["selections"] for part in ("--replay", selection)]
        parts += ["--reading", replay["reading"], "--seeds", replay["seeds"]]
    else:
        parts += ["--trials", campaign.get("trials", 1), *judged_by(campaign)]
        parts += [
            part for name in ("sampler", "stopper", "fidelity", "seed") for part in _option(name, campaign.get(name))
        ]
        if campaign.get("stopper") == "predictive" and campaign.get("promote") is False:
            parts.append("--no-promote")
        parts += [part for text in campaign.get("likely") or () for part in ("--likely", text)]
        parts += _option("confirm", campaign.get("confirm")) or (
            ["--no-confirm"] if len(objectives_asked(campaign)) == 1 else []
        )
    settings = campaign.get("overrides") or {}
    parts += [part for path, value in settings.items() for part in ("--set", f"{path}={_written(value)}")]
    return " ".join(["python -m tuner.run", *(shlex.quote(str(part)) for part in parts)])


def _option(name: str, value: Any) -> list[Any]:
    return [] if value in (None, "") else [f"--{name}", value]


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
