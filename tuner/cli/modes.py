"""Options by mode of the command: one table, and whatever does not stand in it is refused.

A mode is chosen by its option (``--list``, ``--show``, ``--resume``, ``--replay``); without one it is a search. A plan
(``--dry-run``) is of a search, a replay or a resume: it takes what they take, and what is for plans beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEW_SEARCH, REPLAY, RESUME = "a search", "--replay", "--resume"
LIST, KNOBS, SHOW, PLAN = "--list", "--list --space", "--show", "--dry-run"
MODES = (NEW_SEARCH, REPLAY, RESUME, LIST, KNOBS, SHOW, PLAN)

_NEW = (NEW_SEARCH, REPLAY)
_RUNS = (NEW_SEARCH, REPLAY, RESUME)

GOES_WITH: Mapping[str, tuple[str, ...]] = {  # option, without its dashes -> modes in which it does something
    # modes
    "list": (LIST, KNOBS),
    "show": (SHOW,),
    "resume": (RESUME,),
    "replay": (REPLAY,),
    "dry-run": _RUNS,
    # what is asked
    "space": (*_RUNS, KNOBS, SHOW),
    "import": (*_RUNS, KNOBS, SHOW),
    "trust-sources": (RESUME,),
    "scale": (*_NEW, SHOW),
    "set": (*_NEW, SHOW),
    "data": (*_RUNS, SHOW),
    "objective": (NEW_SEARCH,),
    "constraint": (NEW_SEARCH,),
    "likely": (NEW_SEARCH,),
    "sampler": (NEW_SEARCH,),
    "warm-start": (NEW_SEARCH,),
    "reuse": _RUNS,
    "no-reuse": (RESUME,),
    "trials": (NEW_SEARCH, RESUME),
    "seed": _NEW,
    "precision": _NEW,
    "reading": (REPLAY, SHOW),
    "seeds": (REPLAY,),
    # how it is judged
    "stopper": _NEW,
    "promote": _NEW,
    "no-promote": _NEW,
    "fidelity": _NEW,
    "reports": _NEW,
    "confirm": (NEW_SEARCH, RESUME),
    "no-confirm": (NEW_SEARCH, RESUME),
    "ablate": (NEW_SEARCH, RESUME),
    "no-ablate": (NEW_SEARCH, RESUME),
    "confirm-scale": (NEW_SEARCH, RESUME),
    "carry": (NEW_SEARCH, RESUME),
    # how it is run
    "concurrent": _RUNS,
    "gpu-fraction": _RUNS,
    "cpus": _RUNS,
    "mixed-devices": _RUNS,
    "no-mixed-devices": _RUNS,
    "stall-minutes": _RUNS,
    "compile": _RUNS,
    "no-compile": _RUNS,
    "keep": _RUNS,
    "monitor": _RUNS,
    "checkpoint-every": _RUNS,
    "checkpoint-activations": _RUNS,
    "no-checkpoint-activations": _RUNS,
    "compile-blocks": _RUNS,
    "no-compile-blocks": _RUNS,
    "flex-attention": _RUNS,
    "no-flex-attention": _RUNS,
    "cuda-graphs": _RUNS,
    "no-cuda-graphs": _RUNS,
    # this start of it
    "name": _NEW,
    "results": (*_RUNS, LIST),
    "hours": _RUNS,
    "address": _RUNS,
    "notify": _RUNS,
    "log": _RUNS,
    "audit": _NEW,
    "no-audit": _NEW,
    # plans
    "device": (PLAN,),
    "slots": (PLAN,),
    "tokens-per-second": (PLAN,),
    "price": (PLAN,),
}

_BECAUSE = {  # why a mode takes no more than it takes
    NEW_SEARCH: "",
    REPLAY: ", which trains the recorded runs that it names",
    RESUME: ", which goes on with the question that the campaign began with",
    LIST: ", which only looks",
    KNOBS: ", which only looks",
    SHOW: ", which only looks",
}


_BEGUN = {  # what is settled when a campaign begins, and is no part of its question
    "name": ", whose campaign has its name",
    **dict.fromkeys(("audit", "no-audit"), ", whose campaign was audited, or not, when it began"),
}


def mode_of(given: Mapping[str, Any]) -> str:
    """The mode that the given options ask for; ``given`` has the value of each by its name (``dry_run``)."""
    if "list" in given:
        return KNOBS if "space" in given else LIST
    chosen = {"show": SHOW, "resume": RESUME, "replay": REPLAY}
    return next((mode for name, mode in chosen.items() if name in given), NEW_SEARCH)


def check(given: Mapping[str, Any]) -> str:
    """The mode that is asked for; a ValueError for the first option that does not go with it."""
    mode = mode_of(given)
    modes = {mode, PLAN} if "dry_run" in given else {mode}
    for name, value in given.items():
        option = option_of(name, value)
        goes = GOES_WITH.get(option, ())
        if not modes & set(goes):
            raise ValueError(_refusal(option, goes, mode))
    return mode


def option_of(name: str, value: Any) -> str:
    """The option, without its dashes, that gives ``name`` that value: ``no-audit`` for ``audit`` and False."""
    return ("no-" if value is False or value == [] else "") + name.replace("_", "-")


def _refusal(option: str, goes: tuple[str, ...], mode: str) -> str:
    """Say why an option is refused, and with what it goes; one that chooses a mode goes with no other."""
    goes_with = "stands alone" if f"--{option}" in goes else f"goes with {listed(goes)}"
    because = _BEGUN.get(option, _BECAUSE[mode]) if mode == RESUME else _BECAUSE[mode]
    return f"--{option} {goes_with}, not with {mode}{because}"


def listed(modes: tuple[str, ...]) -> str:
    if not modes:
        return "no mode"
    return modes[0] if len(modes) == 1 else f"{', '.join(modes[:-1])} or {modes[-1]}"
