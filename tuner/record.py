"""What a campaign writes down of itself when it begins: the resolved question, and what it is asked with."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from storage.location import Location, absolute, location
from trainable.component import encode
from trainable.data import Dataset
from tuner import provenance, warm_start
from tuner.confirm import first_fresh_seed
from tuner.question import Question, recorded_side

FOUND = (  # as the question was asked: of another time, machine or version it may be other
    "question", "ranges", "fresh_seed", "inert", "prior", "recorded", "data_description", "code_version", "environment",
    "created_at",
)  # fmt: skip
LONGEST_VALUE = 60  # characters of a message


def asked_of(question: Question, given: argparse.Namespace) -> dict[str, Any]:
    """The resolved question as JSON data: what makes two campaigns ask the same, beside the data themselves."""
    return {
        "space": question.space.name,
        "scale": question.scale,
        "objective": question.space.objective,
        "objectives": list(question.space.objectives),
        "constraints": [str(limit) for limit in question.space.constraints],
        "likely": given.likely,
        "overrides": question.overrides,
        "base": encode(question.base),
        "trials": question.trials,
        "seed": question.seed if given.seed is not None else None,
        "stopper": given.stopper,
        "fidelity": given.fidelity,
        "reports": given.reports,
        "confirm": str(given.confirm) if given.confirm else None,
        "ablate": bool(given.ablate),
        "warm_start": [name if name == warm_start.RECORDED else absolute(location(name)) for name in given.warm_start]
        if given.warm_start
        else given.warm_start,
        "reuse": [absolute(folder) for folder in given.reuse or ()],
        "replay": None if question.replay is None else asdict(question.replay),
        "compile": given.compile,
    }


def record_of(question: Question, dataset: Dataset, given: argparse.Namespace) -> dict[str, Any]:
    """What ``campaign.json`` keeps: the question, and what was found as it was asked."""
    return {
        **asked_of(question, given),
        "question": question.space.question,
        "ranges": {k.path: {"domain": str(k.domain), "why": k.why, "when": k.when} for k in question.space.knobs},
        "fresh_seed": first_fresh_seed(question.seed, earlier_campaigns(given)),
        "inert": question.inert,
        "prior": None if question.prior is None else question.prior.to_json(),
        "recorded": recorded_side(question),
        "data": dataset.fingerprint,
        "data_description": dataset.description,
        "code_version": provenance.code_version(),
        "environment": provenance.environment(),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def earlier_campaigns(given: argparse.Namespace) -> list[Location]:
    """The folders that a search starts from or reuses."""
    started = [location(name) for name in given.warm_start or () if name != warm_start.RECORDED]
    return [*started, *(given.reuse or ())]


def difference(was: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Where two campaigns ask different things, in words; None where they ask the same."""
    for name, value in json.loads(json.dumps(record)).items():
        if name not in FOUND and was.get(name) != value:
            return f"{name} is {_short(was.get(name))} there and {_short(value)} here"
    return None


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."
