"""The command line of ``python -m tuner.run``: one line for every mistake, with the nearest valid name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any

from results.find import RUNS, find
from storage.location import Location, absolute, local
from terminal.nearest import closest
from trainable.component import parse_value
from trainable.download import DATASETS
from trainable.sources import STDLIB
from tuner import modes
from tuner.hardware import card
from tuner.option_groups import STALL_MINUTES, parser
from tuner.warm_start import RECORDED

NAMED_SOURCES = (STDLIB, *DATASETS)
DEFAULTS = {
    "overrides": {}, "set": [], "constraint": [], "likely": [], "list": False, "dry_run": False, "audit": True,
    "results": RUNS, "stall_minutes": STALL_MINUTES, "mixed_devices": False, "compile": False,
}  # fmt: skip


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, with ``overrides`` (path -> value) from --set and --data. Mistakes exit with code 2."""
    p = parser()
    options = p.parse_args(arguments)
    given = {name: value for name, value in vars(options).items() if value is not None}
    try:
        mode = modes.check(given)
        options.overrides = overrides(given.get("set", ()), given.get("data"))
        _check_space(mode, given)
        _check_objectives(given)
        _check_planning(given)
        if options.seed is not None and "seed" in options.overrides:
            raise ValueError("seed is set twice")
    except ValueError as error:
        p.error(str(error))
    for name, value in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.device is not None or options.tokens_per_second is not None:
        options.slots = options.slots or 1
    return options


def overrides(settings: Sequence[str], data: str | None) -> dict[str, Any]:
    """``PATH=VALUE`` texts as path -> value; a path given twice is a ValueError."""
    found: dict[str, Any] = {}
    pairs = [_pair(text) for text in settings] + ([("data.source", data)] if data is not None else [])
    for path, value in pairs:
        if path in found:
            raise ValueError(f"{path} is set twice")
        found[path] = value
    source = found.get("data.source")
    if isinstance(source, str) and source not in NAMED_SOURCES:
        found["data.source"] = _whole_path(source)
    return found


def _whole_path(source: str) -> str:
    """A path to data in full: workers and resumes run in other folders. A name that nothing here has stays one."""
    try:
        place = local(source)
    except ValueError as error:
        raise ValueError(f"data.source: {error}") from None
    return absolute(place) if os.path.lexists(place) else source


def find_campaigns(given: argparse.Namespace) -> None:
    """Put the places of earlier campaigns for what --reuse and --warm-start call them; a ValueError for one unknown."""
    if given.reuse is not None:
        given.reuse = [find(text, given.results) for text in given.reuse]
    if given.warm_start is not None:
        given.warm_start = [
            text if text == RECORDED else str(_earlier(text, given.results)) for text in given.warm_start
        ]


def _earlier(text: str, runs: Location) -> Location:
    try:
        return find(text, runs)
    except ValueError as error:
        close = f"; or did you mean {RECORDED!r}?" if closest(text, [RECORDED]) else ""
        raise ValueError(f"--warm-start: {error}{close}") from None


def _pair(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not equals or not path or not value:
        raise ValueError(f"--set takes PATH=VALUE, not {text!r}")
    try:
        return path, parse_value(value)
    except ValueError as error:
        raise ValueError(f"--set {text!r}: {error}") from None


def _check_space(mode: str, given: Mapping[str, Any]) -> None:
    if mode in (modes.SEARCH, modes.REPLAY, modes.SHOW) and "space" not in given:
        raise ValueError("which space? give --space NAME (see --list), or --resume to go on with a campaign")


def _check_objectives(given: Mapping[str, Any]) -> None:
    """Options of which one leaves nothing for the other to do."""
    if given.get("ablate") and given.get("confirm") is False:
        raise ValueError("--ablate takes a confirmed winner apart: leave out --no-confirm")
    if "," not in given.get("objective", ""):
        return
    if "warm_start" in given:
        raise ValueError("--warm-start is for one objective: earlier results have one score each")
    if given.get("confirm"):
        raise ValueError(f"--confirm {given['confirm']} is for one objective: of two, no config is simply the best")
    if given.get("stopper", "none") != "none":
        raise ValueError(
            f"--stopper {given['stopper']} judges by one objective: a trial behind in one may be ahead in the other"
        )


def _check_planning(given: Mapping[str, Any]) -> None:
    """Of devices that are not here, nothing is known that is of those that are."""
    if "device" in given:
        card(given["device"])
    if not given.keys() & {"device", "tokens_per_second", "slots"}:
        return
    for name in ("gpu_fraction", "cpus", "concurrent", "address"):
        if name in given:
            option = modes.option_of(name, given[name])
            raise ValueError(f"--{option} is of machines that are there: a plan for others has --slots")
