"""Overrides that change nothing, found by training a shrunken run before money is spent on the real one.

Each override is undone alone: the same seed, a few steps, with and without it. No list of dead knobs is kept; they are
found by training. ``python -m tuner.audit`` does the same for a whole recorded campaign, and finds rows that are one
computation under several names. A shrunken run can show that a knob acts. That a knob does not act is shown for these
steps only: one that has an effect at another value is called idle and not inert.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from search_spaces.domains import Choice, Value
from search_spaces.recorded import at_scale
from search_spaces.space import Knob, Space, label_at
from terminal.short import short
from trainable.component_paths import get_value, with_values
from trainable.config import TrainConfig
from tuner.audit.short_runs import (
    CAREFUL,
    QUICK,
    WHOLE,
    Distance,
    Look,
    differ,
    distance,
    hidden,
    one_thread,
    shrunken,
    trajectory,
)

LIVE = "live"
NEARLY = "nearly inert"  # what it changes in a shrunken run is less than rounding to bfloat16 changes there
IDLE = "idle"  # this value changes no bit, another one does: a threshold not reached, a draw that did not come
INERT = "inert"  # no value changes a bit
RESTATED = "restated"  # the value that is there without it

# The gap between neighbouring numbers of bfloat16, in which GPUs multiply: what moves the weights of a shrunken run by
# less than this part of their way moves them less than that rounding does. In bf16 in place of fp32 the bases of golf,
# ngpt, mainrun and nanochat end 0.29, 0.021, 0.0074 and 1.3 of their way elsewhere, at CAREFUL. That says nothing of
# trials in fp32, which round by a part in 10^7, nor of longer runs: what is printed names the shortened runs and bf16.
# On the rows of parameter golf, at CAREFUL:
# Canopy up to 0.0018 and noise of 1e-4 up to 0.0007; from 0.007 on what acts and is small (a soft cap of 18 for 20, a
# z-loss of 1e-4, mutations of 1e-3).
BF16_ROUNDING = 2.0**-8
# What acts in every step pulls two runs further apart all the time: relative to their way, in the last three quarters
# by a factor of 3 to 500 (a leaky slope of 0.01, whose square is 1e-4, has 4.4 to 6.7). Canopy has 0.6 to 2.7.
STEADY = 3.5
PROBED = (0.1, 10.0)  # of a number that changes nothing: would a tenth of it, or ten times as much?
AUDIT_SCALE, FULL = "proxy", "full"


@dataclass(frozen=True)
class Finding:
    """Effect of one override, shown by undoing it."""

    path: str
    status: str
    value: Any
    undone: Any  # the value without it; None too where the config has no such knob then
    difference: float | None = None  # of the weights or the loss, as a part of their way; None where not trained
    why: str = ""  # what the status hangs on
    seen: bool = True  # whether a shrunken run shows it: of its steps, say, it has its own

    @property
    def says_something(self) -> bool:
        return self.status in (INERT, IDLE, NEARLY)


# --- two configs ----------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def difference_status(one: TrainConfig, other: TrainConfig) -> tuple[str, float]:
    """The status of the difference of two configs (``INERT``: not a bit), and how far apart they get.

    A quick look shows most of what acts. What it does not show at all is looked at with whole sequences, and what is
    seen and small for more steps.
    """
    with one_thread():
        found = distance(one, other, QUICK)
        if found.at_the_end == 0:
            found = distance(one, other, WHOLE)
        if found.at_the_end > 0 and not acts(found):
            found = distance(one, other, CAREFUL)
    if acts(found):
        return LIVE, found.at_the_end
    return (NEARLY if found.at_the_end else INERT), found.at_the_end


def acts(found: Distance) -> bool:
    """Tell whether two runs differ by more than rounding, or are on their way there. NaN proves no sameness either."""
    return not found.at_the_end < BF16_ROUNDING or 0 < found.at_a_quarter * STEADY < found.at_the_end


def is_same(one: TrainConfig, other: TrainConfig, looks: Sequence[Look] = (QUICK, WHOLE)) -> bool:
    """Tell whether two configs are one computation: equal keys, or no bit of difference and nothing left unseen."""
    if key_of(one) == key_of(other):
        return True
    with one_thread():
        return not (hidden(one, other) or any(differ(one, other, look) for look in looks))


def key_of(config: TrainConfig) -> str:
    """Hash of a config and its data source: equal for the same computation on the same data."""
    return config.key(config.data.source)


# --- overrides on a config --------------------------------------------------------------------------------------------


def audit_overrides(base: TrainConfig, overrides: Mapping[str, Any], space: Space | None = None) -> list[Finding]:
    """A finding for each override of ``base`` (at the proxy's size), in their order.

    What is found inert stays undone for the others, so that of two that replace each other only one is called inert.
    With the ``space``, the other knob that an inert one hangs on is looked for. A ValueError as ``with_values``, or
    where nobody knows how many steps a run has.
    """
    kept, findings = dict(overrides), []
    for path, value in overrides.items():
        if path not in kept:  # a field of a component that changes nothing itself
            findings.append(Finding(path, INERT, value, None, 0.0))
            continue
        finding = _undone(base, kept, path, space)
        if finding.status == INERT:
            kept = undo(kept, path)
        findings.append(finding)
    return findings


def inert_paths(base: TrainConfig, overrides: Mapping[str, Any], only: Container[str] | None = None) -> list[str]:
    """The paths of the overrides that change no bit: the quick way to what :func:`audit_overrides` calls inert.

    ``only`` some of them are asked about, if it is given.
    """
    kept = dict(overrides)
    for path in overrides:
        if path in kept and (only is None or path in only):
            full, without = with_values(base, kept), _without(base, kept, path)
            if not isinstance(without, TrainConfig) or key_of(without) == key_of(full):
                continue
            if is_same(without, full) and not wakes(without, full, path):
                kept = undo(kept, path)
    return [path for path in overrides if path not in kept]


def _undone(base: TrainConfig, overrides: Mapping[str, Any], path: str, space: Space | None) -> Finding:
    full, value = with_values(base, overrides), overrides[path]
    without = _without(base, overrides, path)
    if not isinstance(without, TrainConfig):
        return Finding(path, LIVE, value, None, why=f"without it: {without}")
    return _explained(_compared(without, full, path, value, _value(without, path)), space, without, full)


def _without(base: TrainConfig, overrides: Mapping[str, Any], path: str) -> TrainConfig | str:
    """The config with one override undone, or why the others cannot do without it."""
    shrunken(with_values(base, overrides))  # what is wrong with the whole is not put down to one of them
    try:
        config = with_values(base, undo(overrides, path))
        with one_thread():
            trajectory(config, QUICK)
    except ValueError as error:
        return str(error)
    return config


def _compared(without: TrainConfig, full: TrainConfig, path: str, value: Any, undone: Any) -> Finding:
    """The finding of an override with which ``without`` becomes ``full``; an idle one counts as inert here."""
    if key_of(full) == key_of(without):
        return Finding(path, RESTATED, value, undone)
    if unseen := hidden(without, full):
        why = f"{', '.join(sorted(unseen))}: not in a shrunken run"
        return Finding(path, LIVE, value, undone, why=why, seen=False)
    status, found = difference_status(without, full)
    return Finding(path, status, value, undone, found)


def _explained(finding: Finding, space: Space | None, without: TrainConfig, full: TrainConfig) -> Finding:
    """The finding of an inert override, told from an idle one, with what it hangs on; any other as it is."""
    if finding.status != INERT:
        return finding
    if wakes(without, full, finding.path):
        return replace(finding, status=IDLE)
    return finding if space is None else replace(finding, why=hangs_on(space, without, full, finding.path))


def undo(overrides: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The overrides without one, and without those inside of what it puts there."""
    return {p: v for p, v in overrides.items() if p != path and not p.startswith(f"{path}.")}


def _value(config: TrainConfig, path: str) -> Any:
    try:
        return get_value(config, path)
    except ValueError:
        return None


def wakes(without: TrainConfig, full: TrainConfig, path: str) -> bool:
    """Tell whether a tenth or the tenfold of a number that changes nothing by itself changes something."""
    value = _value(full, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return any(_differ(without, full, {path: type(value)(value * factor)}, {}) for factor in PROBED)


def hangs_on(space: Space, without: TrainConfig, full: TrainConfig, path: str) -> str:
    """``while knob=value`` for a choice of the space under whose other label an inert override acts.

    Looked at are the knobs that the space says it hangs on, and those that have two labels.
    """
    conditions = [c for k in space.knobs if k.path == path for c in k.when or {}]
    for knob in sorted(space.knobs, key=lambda k: k.path not in conditions):
        if not isinstance(knob.domain, Choice) or path.startswith(knob.path):
            continue
        here = label_at(full, knob)
        others = [option for label, option in knob.domain.options.items() if label != here]
        if knob.path not in conditions and len(others) > 1:
            continue  # which of many labels it is would take a search
        if any(_differ(without, full, {knob.path: other}, {knob.path: other}) for other in others):
            return f"while {knob.path}={short(here)}"
    return ""


def _differ(one: TrainConfig, other: TrainConfig, changes: Mapping[str, Any], of_one: Mapping[str, Any]) -> bool:
    """Tell whether two configs, each with its changes, differ in a quick look; False where a config is invalid."""
    try:
        with one_thread():
            return differ(with_values(one, of_one), with_values(other, changes), QUICK)
    except ValueError:
        return False


# --- the knobs of a space ---------------------------------------------------------------------------------------------


def proxy_base(space: Space, overrides: Mapping[str, Any], scale: str = FULL) -> TrainConfig:
    """The base that a shrunken run of this space starts from, with what a user fixed at a scale set in it."""
    return with_values(_proxy(space), at_proxy(space, overrides, scale))


def audit_fixed(
    space: Space, overrides: Mapping[str, Any], sampled: Container[str], scale: str = FULL
) -> list[Finding]:
    """A finding for each override that a user fixed for a whole campaign and that the proxy has an equivalent of.

    One that acts under a condition on a knob that is ``sampled`` is asked about there: some trials will have it.
    ``scale`` is the campaign's, whose sizes the overrides have.
    """
    base, fixed, findings = _proxy(space), at_proxy(space, overrides, scale), []
    knobs = {knob.path: knob for knob in space.knobs}
    for path in fixed:
        conditions = (knobs[path].when or {}) if path in knobs else {}
        here = _where_active(space, base, knobs[path]) if conditions and all(c in sampled for c in conditions) else base
        findings.append(_undone(here, fixed, path, space))
    return findings


def at_proxy(space: Space, overrides: Mapping[str, Any], scale: str = FULL) -> dict[str, Any]:
    """Overrides at the proxy's size. One for which it has no equivalent is left out: the size stays as it is there.

    Those of another scale than the full one are taken as they are: they are of a small size already.
    """
    if scale != FULL or not {FULL, AUDIT_SCALE} <= space.scales.keys():
        return dict(overrides)
    values: dict[str, Any] = {}
    for path, value in overrides.items():
        try:
            values |= at_scale(space, AUDIT_SCALE, {path: value})
        except ValueError:
            continue
    return values


def _proxy(space: Space) -> TrainConfig:
    return (space.scales.get(AUDIT_SCALE) or next(iter(space.scales.values()))).base


def audit_space(space: Space, base: TrainConfig) -> list[Finding]:
    """A finding for each knob of the space, moved away from ``base`` (at the proxy's size) under its own condition.

    A knob is what the liveliest of its values is; the search ends with the first that is live. A knob of which no other
    value makes a valid run has no finding.
    """
    findings = []
    for knob in space.knobs:
        start, best = _where_active(space, base, knob), None
        for value, moved in _moves(space, start, knob):
            finding = _compared(start, moved, knob.path, value, label_at(start, knob))
            best = finding if best is None or _RANK[finding.status] > _RANK[best.status] else best
            if best.status == LIVE:
                break
        if best is not None:  # where it is inert, the last of its values stands for all
            findings.append(_explained(best, space, start, moved))
    return findings


_RANK = {RESTATED: 0, INERT: 1, IDLE: 2, NEARLY: 3, LIVE: 4}


def _where_active(space: Space, base: TrainConfig, knob: Knob) -> TrainConfig:
    """The base with the knob's condition, and the conditions of that, made true."""
    values = space.values_of(base)
    for path, labels in (knob.when or {}).items():
        if values.get(path) not in labels:
            base = _where_active(space, base, space.knob(path))
            base = space.config(base, {path: labels[0]})
    return base


def _moves(space: Space, start: TrainConfig, knob: Knob) -> Iterator[tuple[Value, TrainConfig]]:
    """Other values of a knob, the furthest first, that make a valid run."""
    here = label_at(start, knob)
    for value in _values(knob, here):
        try:
            yield value, space.config(start, {knob.path: value})
        except ValueError:
            continue


def _values(knob: Knob, here: Value) -> Sequence[Value]:
    domain = knob.domain
    if isinstance(domain, Choice):
        return [label for label in domain.labels if label != here]
    ends: list[float | int] = [domain.low, domain.high]
    if isinstance(here, int | float):
        far = (lambda x: max(x / here, here / x)) if domain.is_log and here > 0 else None
        ends.sort(key=far or (lambda x: abs(x - here)), reverse=True)
    return [end for end in ends if end != here]
