"""Options of a command that asks what a campaign asked, as campaign.json keeps them: its question, whole.

What a new campaign has by default is left out, where that depends on nothing: the space, the number of trials and the
devices choose the rest, so it is said.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from results.design import DEFAULT

_DEFAULTS: Mapping[str, Any] = {  # of options that take a value
    "stopper": "predictive", "fidelity": "truncate", "reports": 0, "keep": "confirmed", "monitor": "all",
    "checkpoint_every": "none", "stall_minutes": 30.0,
}  # fmt: skip
_VALUES = (
    "trials", "objective", "seed", "precision", "sampler", "stopper", "fidelity", "reports", "confirm",
    "confirm_scale", "carry", "concurrent", "gpu_fraction", "cpus", "stall_minutes", "keep", "monitor",
    "checkpoint_every",
)  # fmt: skip
_SWITCHES = ("ablate", "mixed_devices", "compile_blocks", "flex_attention", "cuda_graphs")  # off by default
_EITHER = ("compile", "checkpoint_activations")  # null leaves it to the devices
_REPEATED = {"constraints": "constraint", "likely": "likely"}
_SEVERAL = ("warm_start", "reuse")


def asked_again(campaign: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> str:
    """The options of a search that asks as ``campaign`` did, but for ``changes``: fields as campaign.json has them.

    A setting of ``overrides`` is changed by itself: the others stay.
    """
    changed = dict(changes or {})
    settings = {**(campaign.get("overrides") or {}), **changed.pop("overrides", {})}
    asked = {**campaign, **changed}
    return " ".join(_options(asked, settings))


def _options(asked: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    yield f"--space {shlex.quote(str(asked.get('space')))} --scale {shlex.quote(str(asked.get('scale')))}"
    for path, value in settings.items():
        yield f"--set {shlex.quote(f'{path}={value if isinstance(value, str) else json.dumps(value)}')}"
    yield from _values(asked)
    yield from _switches(asked)
    for field, option in _REPEATED.items():
        yield from (f"--{option} {shlex.quote(str(one))}" for one in asked.get(field) or ())
    for field in _SEVERAL:
        if places := asked.get(field):
            yield f"--{_option(field)} {' '.join(shlex.quote(str(one)) for one in places)}"


def _values(asked: Mapping[str, Any]) -> Iterator[str]:
    objectives: Sequence[str] = asked.get("objectives") or [asked.get("objective") or ""]
    for field in _VALUES:
        value = ",".join(objectives) if field == "objective" else asked.get(field)
        default = str(DEFAULT) if field == "confirm" else _DEFAULTS.get(field)
        if value not in (None, "", default):
            shown = f"{value:.12g}" if isinstance(value, float) else str(value)
            yield f"--{_option(field)} {shlex.quote(shown)}"
    if len(objectives) == 1 and "confirm" in asked and asked["confirm"] is None:
        yield "--no-confirm"


def _switches(asked: Mapping[str, Any]) -> Iterator[str]:
    if asked.get("stopper", "predictive") == "predictive" and asked.get("promote") is False:
        yield "--no-promote"
    yield from (f"--{_option(field)}" for field in _SWITCHES if asked.get(field))
    for field in _EITHER:
        if asked.get(field) is not None:
            yield f"--{'' if asked[field] else 'no-'}{_option(field)}"


def _option(field: str) -> str:
    return field.replace("_", "-")
