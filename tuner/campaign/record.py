"""Record of a campaign's beginning: the resolved question, and the settings and versions it is asked with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from results.store.places import RECORDED
from search_spaces.domains import Choice, Domain, Uniform
from search_spaces.space import Knob
from storage.location import Location, location
from trainable.component_json import encode, what_acts
from trainable.data.dataset import Dataset
from tuner.campaign import provenance
from tuner.confirm import first_fresh_seed
from tuner.question import Question, recorded_side
from tuner.search_methods import TPE_UNIFORM
from tuner.spec import HOW_IT_IS_RUN, CampaignSpec

FOUND = (  # as the question was asked: of another time, machine or version it may be other
    "question", "ranges", "fresh_seed", "inert", "prior", "recorded", "data_description", "code_version", "environment",
    "created_at", "spec_version", "larger_scales",
)  # fmt: skip
NOT_ASKED = (*FOUND, *HOW_IT_IS_RUN)  # two campaigns that differ in nothing else ask the same
ABSENT: Mapping[str, Any] = {
    "imports": [],
    "sampler": TPE_UNIFORM,
    "promote": False,
}  # of a campaign that was begun before there was such a field
LONGEST_VALUE = 60  # characters of a message


def asked_of(question: Question) -> dict[str, Any]:
    """The resolved question as JSON data: what makes two campaigns ask the same, beside the data themselves."""
    return {**question.spec.to_json(), "base": encode(question.base)}


def campaign_record(question: Question, dataset: Dataset) -> dict[str, Any]:
    """Make the content of ``campaign.json``: the question, and what was found as it was asked."""
    return {
        **asked_of(question),
        "question": question.space.question,
        "ranges": ranges_of(question.space.knobs),
        "fresh_seed": first_fresh_seed(question.seed, earlier_campaigns(question.spec)),
        "inert": question.inert,
        "larger_scales": list(question.larger_scales),
        "prior": None if question.prior is None else question.prior.to_json(),
        "recorded": recorded_side(question),
        "data": dataset.fingerprint,
        "data_description": dataset.description,
        "code_version": provenance.code_version(),
        "environment": provenance.environment(),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def ranges_of(knobs: Iterable[Knob]) -> dict[str, dict[str, Any]]:
    """Each knob's domain, in words and as data (results/questions/knobs.py reads both), its reason and conditions."""
    return {k.path: {**domain_of(k.domain), "why": k.why, "when": k.when} for k in knobs}


def domain_of(domain: Domain) -> dict[str, Any]:
    """A domain as JSON data: its kind with its ends, which the words round, or its options."""
    said = {"domain": str(domain)}
    if isinstance(domain, Choice):
        return {**said, "kind": "choice", "options": list(domain.labels)}
    kinds = ("uniform", "log") if isinstance(domain, Uniform) else ("integer", "log_integer")
    kind = kinds[domain.is_log]
    return {**said, "kind": kind, "low": domain.low, "high": domain.high}


def earlier_campaigns(spec: CampaignSpec) -> list[Location]:
    """The folders that a search starts from or reuses."""
    return [location(name) for name in (*spec.warm_start, *spec.reuse) if name != RECORDED]


def first_difference(was: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Name the first field in which two campaigns ask different things, in words; None where they ask the same."""
    for name, value in json.loads(json.dumps(record)).items():
        if name not in NOT_ASKED and what_acts(was.get(name, ABSENT.get(name))) != what_acts(value):
            return f"{name} is {_short(was.get(name))} there and {_short(value)} here"
    return None


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."
