"""What a campaign writes down of itself when it begins: the resolved question, and what it is asked with."""

from __future__ import annotations

import argparse
import time
from typing import Any

from storage.location import Location, absolute, location
from trainable.component import encode
from trainable.data import Dataset
from tuner import provenance, warm_start
from tuner.confirm import first_fresh_seed
from tuner.question import Question, recorded_side


def record_of(question: Question, dataset: Dataset, given: argparse.Namespace) -> dict[str, Any]:
    """What ``campaign.json`` keeps: the resolved question and what it is asked with."""
    return {
        "space": question.space.name,
        "question": question.space.question,
        "scale": question.scale,
        "objective": question.space.objective,
        "objectives": list(question.space.objectives),
        "constraints": [str(limit) for limit in question.space.constraints],
        "likely": given.likely,
        "overrides": question.overrides,
        "base": encode(question.base),
        "ranges": {k.path: {"domain": str(k.domain), "why": k.why, "when": k.when} for k in question.space.knobs},
        "trials": question.trials,
        "seed": question.seed if given.seed is not None else None,
        "stopper": given.stopper,
        "fidelity": given.fidelity,
        "reports": given.reports,
        "confirm": str(given.confirm) if given.confirm else None,
        "ablate": bool(given.ablate),
        "fresh_seed": first_fresh_seed(question.seed, earlier_campaigns(given)),
        "inert": question.inert,
        "warm_start": given.warm_start,
        "prior": None if question.prior is None else question.prior.to_json(),
        "reuse": [absolute(folder) for folder in given.reuse or ()],
        **recorded_side(question),
        "compile": given.compile,
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
