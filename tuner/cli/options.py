"""The command line of ``python -m tuner.run``: one line for every mistake, with the nearest valid name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from results.named_campaigns import refuse_useless
from results.store.find import RUNS
from results.store.places import SOURCE
from storage.location import absolute, local
from trainable.component_paths import parse_value
from tuner.cli import modes
from tuner.cli.option_groups import parser
from tuner.command import Begin, Command, Listing, Planning, Resume, Showing, Start
from tuner.plan.known_devices import card
from tuner.spec import CampaignSpec, Replay
from tuner.trackers.catalogue import check_once

TOKENIZER = "data.tokenizer"  # a vocabulary by name, or a file

LISTS = {
    "constraint": "constraints",
    "likely": "likely",
    "import": "imports",
    "warm_start": "warm_start",
    "reuse": "reuse",
}
_MADE = ("space", "overrides", "replay", "carried")  # fields that no single option gives
_PLAIN = [f.name for f in fields(CampaignSpec) if f.name not in (*LISTS.values(), *_MADE)]


def parse(arguments: Sequence[str] | None = None) -> Command:
    """The command that a line gives. Mistakes exit with code 2."""
    p = parser()
    given = {name: value for name, value in vars(p.parse_args(arguments)).items() if value is not None}
    try:
        return command(given)
    except ValueError as error:
        p.error(str(error))


def command(given: Mapping[str, Any]) -> Command:
    """The command that options ask for: ``given`` has the value of each by its name, and nothing else.

    A ValueError for options that do not go together.
    """
    mode = modes.check(given)
    results = given.get("results", RUNS)
    if mode in (modes.LIST, modes.KNOBS):
        return Listing(given.get("space"), results, tuple(given.get("import", ())))
    fixed = overrides(given.get("set", ()), given.get("data"))
    if "seed" in given and "seed" in fixed:
        raise ValueError("seed is set twice")
    if mode != modes.RESUME and "space" not in given:
        raise ValueError("which space? give --space NAME (see --list), or --resume to go on with a campaign")
    if mode == modes.SHOW:
        return Showing(
            given["space"],
            given["show"],
            given.get("reading"),
            given.get("scale"),
            fixed,
            tuple(given.get("import", ())),
        )
    _check_judging(given)
    _check_planning(given)
    start = _start(given)
    if mode == modes.RESUME:
        refuse_useless(given.get("results"), [given["resume"], *given.get("reuse", ())])
        trusts = given.get("trust_sources", False)
        return Resume(given["resume"], _changes(given), fixed.get(SOURCE), given.get("space"), start, trusts)
    replay = None
    if mode == modes.REPLAY:
        asked = {name: given[name] for name in ("reading", "seeds") if name in given}
        replay = Replay(tuple(given["replay"]), **asked)
    return Begin(CampaignSpec(space=given["space"], overrides=fixed, replay=replay, **_changes(given)), start)


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a spec that options give, but for those of a new campaign that are made of several."""
    found = {name: given[name] for name in _PLAIN if name in given}
    return found | {field: tuple(given[name]) for name, field in LISTS.items() if name in given}


def _start(given: Mapping[str, Any]) -> Start:
    planning = {f.name: given.get(f.name) for f in fields(Planning)}
    check_once(given.get("log", ()))
    return Start(
        given.get("results", RUNS),
        given.get("name"),
        given.get("hours"),
        given.get("address"),
        given.get("audit", True),
        given.get("notify"),
        tuple(given.get("log", ())),
        Planning(**planning) if "dry_run" in given else None,
    )


def overrides(settings: Iterable[str] | Mapping[str, Any], data: str | None) -> dict[str, Any]:
    """``PATH=VALUE`` texts, or values by path, as path -> value; a path given twice is a ValueError."""
    found: dict[str, Any] = {}
    pairs = list(settings.items()) if isinstance(settings, Mapping) else [_pair(text) for text in settings]
    if data is not None:
        pairs.append((SOURCE, data))
    for path, value in pairs:
        if path in found:
            raise ValueError(f"{path} is set twice")
        found[path] = value
    source = found.get(SOURCE)
    if isinstance(source, str) and not _is_named(source):
        found[SOURCE] = _whole_path(source)
    vocabulary = found.get(TOKENIZER)
    if isinstance(vocabulary, str) and os.path.isfile(vocabulary):
        found[TOKENIZER] = _whole_path(vocabulary)
    return found


def _is_named(source: str) -> bool:
    from trainable.data.sources import DOWNLOADED, STDLIB

    return source == STDLIB or source in DOWNLOADED


def _whole_path(source: str) -> str:
    """A path to data in full: workers and resumes run in other folders. A name that nothing here has stays one."""
    try:
        place = local(source)
    except ValueError as error:
        raise ValueError(f"data {error}") from None
    return absolute(place) if os.path.lexists(place) else source


def _pair(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if path.strip() and equals and not value.strip():
        raise ValueError(f"--set {text!r} gives {path} an empty value: --set takes PATH=VALUE")
    if not equals or not path.strip():
        raise ValueError(f"--set takes PATH=VALUE, not {text!r}")
    try:
        return path, parse_value(value)
    except ValueError as error:
        raise ValueError(f"--set {text!r}: {error}") from None


def _check_judging(given: Mapping[str, Any]) -> None:
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
    """Refuse, in a plan for other devices, options about the devices that are here; and unknown devices."""
    if "device" in given:
        card(given["device"])
    if not given.keys() & {"device", "tokens_per_second", "slots"}:
        return
    for name in ("gpu_fraction", "cpus", "concurrent", "address"):
        if name in given:
            option = modes.option_of(name, given[name])
            raise ValueError(f"--{option} is of machines that are there: a plan for others has --slots")
