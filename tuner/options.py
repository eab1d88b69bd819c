"""The command line of ``python -m tuner.run``: one line for every mistake, with the nearest valid name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection, Sequence
from typing import Any

from results.confirmation import DEFAULT, Design
from results.find import RUNS, find
from storage.location import Location, absolute, argument, local, text_argument
from terminal.command_line import OneLineParser
from terminal.nearest import closest, nearest
from terminal.number import decimal
from terminal.option_numbers import at_least_one, positive, whole
from trainable.component import parse_value
from trainable.download import DATASETS
from trainable.fidelity import FIDELITIES
from trainable.seeds import SEEDS
from trainable.sources import STDLIB
from tuner.again import PROGRAM
from tuner.early_stopping import STOPPERS
from tuner.hardware import CARDS, card
from tuner.warm_start import RECORDED

LATEST = "latest"
NAMED_SOURCES = (STDLIB, *DATASETS)
LONGEST = 10**6  # hours or minutes: beyond it, a timer of the system would overflow
BRIEFEST = 1e-4  # hours: a third of a second, in which no trial can start
LEAST_STALL = 0.01  # minutes: less than a step takes anywhere, so that every trial would count as hanging


def parser() -> OneLineParser:
    """All options, with what they mean."""
    p = OneLineParser(
        prog=PROGRAM,
        description="Search a space of training runs: Optuna proposes, Ray Tune runs, bad ones are stopped early.",
        epilog="Exit codes: 0 done, 1 done but some trials crashed, or not printed or written, 2 bad input; "
        "130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by the end of its terminal (SIGHUP; nohup keeps it off). "
        "The first signal lets running trials write checkpoints, a second ends at once.",
        allow_abbrev=False,
    )
    _say_what(p.add_argument_group("what to search"))
    _say_what_is_known(p.add_argument_group("what is known already"))
    _say_what_to_replay(p.add_argument_group("what to replay"))
    _say_how_long(p.add_argument_group("how long, how wide"))
    _say_how_to_judge(p.add_argument_group("how to judge"))
    _say_on_what(p.add_argument_group("on what"))
    _say_where(p.add_argument_group("where"))
    _look_first(p.add_argument_group("look first"))
    return p


def _say_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--space", metavar="NAME", help="the space (see --list)")
    group.add_argument(
        "--scale",
        metavar="NAME",
        help="full (the recorded size), proxy (laptop) or another of the space's, as golf's replay, which ranks "
        "recorded runs as they were ranked; default: full where there is a GPU, else proxy",
    )
    group.add_argument(
        "--data",
        metavar="SOURCE",
        help="stdlib, the name of a dataset, or a path to shards or text; short for --set data.source=...; with "
        "--resume where the same data are now",
    )
    group.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[], help="fix a knob for the whole campaign; repeatable"
    )
    group.add_argument(
        "--objective",
        metavar="NAME",
        help="what is minimised (default: the space's), or two, as val_bpb,train_seconds: their Pareto front is "
        "searched for, without early stopping",
    )
    group.add_argument(
        "--constraint",
        metavar="LIMIT",
        action="append",
        default=[],
        help="a limit without which a trial does not count, as 'artifact_bytes<=16e6 margin 1%%', which allows "
        "15,840,000: on artifact_bytes, parameters, peak_memory_bytes, step_seconds or train_seconds; repeatable",
    )
    group.add_argument(
        "--seed", metavar="N", type=_seed, help="seed of the sampler and of every training (default: the space's)"
    )


def _say_what_is_known(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--warm-start",
        metavar="SOURCE",
        type=text_argument,
        nargs="+",
        help="start from what is known: 'recorded' (the space's own recorded runs) and earlier campaigns, by name or "
        "folder; "
        "the best configs are tried first, and results of another scale, data, budget, evaluation or seed are "
        "forgotten as evidence comes in",
    )
    group.add_argument(
        "--likely",
        metavar="PATH=RANGE",
        action="append",
        default=[],
        help="where you would look first, within the range of a knob: PATH=LOW..HIGH or PATH=LABEL|LABEL; the "
        "first points are drawn from there, later ones from anywhere; repeatable",
    )
    group.add_argument(
        "--reuse",
        metavar="CAMPAIGN",
        type=text_argument,
        nargs="+",
        help="earlier campaigns, by name or folder: a trial that one of them has finished (same config, seed and data) "
        "counts here without being trained again; with --resume in place of those given before",
    )
    group.add_argument(
        "--no-reuse",
        dest="reuse",
        action="store_const",
        const=[],
        help="with --resume: reuse no further trials; those that were reused stay",
    )


def _say_what_to_replay(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--replay",
        metavar="ROWS",
        action="append",
        help="train recorded runs instead of searching: ids (H1), patterns (A*), 'phase 11', bases or all, divided by "
        "commas; 'bases x3' takes three seeds; repeatable",
    )
    group.add_argument("--reading", metavar="NAME", help="of recorded runs: as_run (default) or as_logged")
    group.add_argument("--seeds", metavar="N", type=at_least_one, help="seeds of each recorded run (default: 1)")


def _say_how_long(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--trials", metavar="N", type=at_least_one, help="trials to start in all, those of earlier starts included"
    )
    group.add_argument(
        "--hours",
        metavar="H",
        type=positive("hours", LONGEST, BRIEFEST),
        help="end after H hours; what runs then is kept for --resume",
    )
    group.add_argument(
        "--concurrent", metavar="N", type=at_least_one, help="trials at a time (default: every GPU, else every core)"
    )


def _say_how_to_judge(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--stopper",
        metavar="NAME",
        type=_one_of(STOPPERS),
        help="what stops bad trials at rungs: asha (default in a search), hyperband, median or none (in a replay)",
    )
    group.add_argument(
        "--fidelity",
        metavar="NAME",
        type=_one_of(FIDELITIES),
        help="what is judged at rungs: truncate (default; the run itself at equal progress), complete (a short "
        "schedule of its own) or branch (a short decay branched off)",
    )
    group.add_argument(
        "--reports",
        metavar="N",
        type=whole(0, 10_000),
        help="evaluations on the way of a trial, beside those at rungs (default: 0 in a search, 4 in a replay)",
    )
    group.add_argument(
        "--confirm",
        metavar="KxN..M",
        type=_design,
        help="after the search, train its best K and the base on N fresh seeds each, undecided ones on up to M; "
        f"3x3 is always three (default: {DEFAULT}; not for two objectives)",
    )
    group.add_argument("--no-confirm", dest="confirm", action="store_const", const=False, help="leave that out")
    group.add_argument(
        "--ablate",
        action=argparse.BooleanOptionalAction,
        help="and then undo the winner's changes, in groups, to see which it needs (default: no; its cost is printed)",
    )


def _say_on_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--address",
        metavar="ADDRESS",
        help="join the Ray cluster there ('auto' on its head) instead of starting one here",
    )
    group.add_argument(
        "--gpu-fraction",
        metavar="F",
        type=_fraction,
        help="of a GPU, for each trial: 0.25 puts four on one, which share its memory (default: 1)",
    )
    group.add_argument(
        "--cpus",
        metavar="N",
        type=at_least_one,
        help="cores reserved for each trial (default: 1, beside a GPU 2); it computes in one thread all the same",
    )
    group.add_argument(
        "--mixed-devices",
        action="store_true",
        help="let trials that are limited or compared by seconds run on unlike devices",
    )
    group.add_argument(
        "--stall-minutes",
        metavar="M",
        type=positive("minutes", LONGEST, LEAST_STALL),
        default=30.0,
        help="end a trial as crashed that finishes no step for M minutes; one evaluation and one compilation must take "
        "less (default: %(default)g)",
    )
    group.add_argument("--compile", action="store_true", help="compile the training step (pays on a GPU)")


def _say_where(where: argparse._ArgumentGroup) -> None:
    where.add_argument(
        "--name", metavar="NAME", help="name of the campaign (default: the space, the scale and the time)"
    )
    where.add_argument(
        "--results",
        metavar="FOLDER",
        type=argument,
        default=RUNS,
        help="folder of all campaigns, also in an object store, as s3://BUCKET/FOLDER (default: %(default)s)",
    )
    where.add_argument(
        "--resume",
        metavar="CAMPAIGN",
        type=text_argument,
        nargs="?",
        const=LATEST,
        help="go on with a campaign, by its name in the folder of all, its path or its URL; without one, the latest",
    )


def _look_first(look: argparse._ArgumentGroup) -> None:
    look.add_argument("--list", action="store_true", help="list spaces; with --space its knobs")
    look.add_argument(
        "--show",
        metavar="ROWS",
        help="print recorded runs, named as for --replay: of one its config, what it changes and what it costs, of "
        "several a line each",
    )
    look.add_argument(
        "--audit",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="before anything is spent, train a shrunken model with and without each knob or override, and name those "
        "that change nothing; with --dry-run, that and the plan are all (default: on)",
    )
    look.add_argument("--dry-run", action="store_true", help="print the plan and its cost, train nothing")
    look.add_argument(
        "--device",
        metavar="CARD",
        help=f"with --dry-run: plan for devices of this kind, which need not be here: {', '.join(CARDS)}",
    )
    look.add_argument(
        "--tokens-per-second",
        metavar="N",
        type=positive("tokens per second", 10**12),
        help="with --dry-run: the speed of one device with the base config, as measured, instead of an assumed one",
    )
    look.add_argument(
        "--price",
        metavar="P",
        type=positive("money for an hour of a device", 10**9),
        help="with --dry-run: what a device costs for an hour, in any currency: the plan says the sum",
    )
    look.add_argument(
        "--slots", metavar="N", type=at_least_one, help="with --dry-run: the cost on N devices, which need not be here"
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, with ``overrides`` (path -> value) from --set and --data. Mistakes exit with code 2."""
    p = parser()
    options = p.parse_args(arguments)
    try:
        options.overrides = overrides(options.set, options.data)
        _check_combination(options)
    except ValueError as error:
        p.error(str(error))
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


def _check_combination(options: argparse.Namespace) -> None:
    if options.resume is not None:
        fixed = {
            "--scale": options.scale,
            "--name": options.name,
            "--seed": options.seed,
            "--set": options.set or None,
            "--replay": options.replay,
            "--reading": options.reading,
            "--seeds": options.seeds,
            "--reports": options.reports,
            "--stopper": options.stopper,
            "--fidelity": options.fidelity,
            "--objective": options.objective,
            "--constraint": options.constraint or None,
            "--warm-start": options.warm_start,
            "--likely": options.likely or None,
        }
        given = [name for name, value in fixed.items() if value is not None]
        if given:
            raise ValueError(f"{given[0]} cannot change with --resume: a campaign keeps the question it started with")
    elif options.seed is not None and "seed" in options.overrides:
        raise ValueError("seed is set twice")
    elif options.space is None and not options.list:
        raise ValueError("which space? give --space NAME (see --list), or --resume to go on with a campaign")
    recorded_only = {"--seeds": options.seeds, "--reading": options.reading if options.show is None else None}
    for name, value in recorded_only.items():
        if value is not None and options.replay is None and options.resume is None:
            raise ValueError(f"{name} is for recorded runs: give --replay too")
    _check_search_only(options)
    _check_looking(options)
    _check_planning(options)
    if options.slots is not None and not options.dry_run:
        raise ValueError("--slots is for planning: give --dry-run too, or --concurrent for how many trials at a time")
    if options.replay is not None and options.trials is not None:
        raise ValueError("--trials is for a search: a replay has the trials that --replay and --seeds name")


def _check_planning(options: argparse.Namespace) -> None:
    """What is for plans only: devices that are not here, and their price. They are then one, or as many as --slots."""
    planning = {"--device": options.device, "--tokens-per-second": options.tokens_per_second, "--price": options.price}
    for name, value in planning.items():
        if value is not None and not options.dry_run:
            raise ValueError(f"{name} is for planning: give --dry-run too")
    if options.device is not None:
        card(options.device)
    if options.device is None and options.tokens_per_second is None:
        return
    here_only = {"--gpu-fraction": options.gpu_fraction, "--cpus": options.cpus, "--concurrent": options.concurrent}
    here_only |= {"--address": options.address}
    for name, value in here_only.items():
        if value is not None:
            raise ValueError(f"{name} is of machines that are there: a plan for others has --slots")
    options.slots = options.slots or 1


def _one_of(names: Collection[str]) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"{text!r}: {nearest(text, names, 'names')}")
        return text

    return checked


def _check_looking(options: argparse.Namespace) -> None:
    """--list and --show do nothing else, so nothing else may be asked for."""
    looking = [name for name, given in (("--list", options.list), ("--show", options.show is not None)) if given]
    doing = {
        "--show": options.show if options.list else None,
        "--resume": options.resume,
        "--replay": options.replay,
        "--dry-run": options.dry_run or None,
        "--trials": options.trials,
        "--hours": options.hours,
        "--name": options.name,
        "--warm-start": options.warm_start,
        "--reuse": options.reuse,
        "--confirm": options.confirm,
        "--ablate": options.ablate,
        "--objective": options.objective,
        "--constraint": options.constraint or None,
        "--likely": options.likely or None,
        "--seed": options.seed,
        "--seeds": options.seeds,
        "--stopper": options.stopper,
        "--fidelity": options.fidelity,
        "--reports": options.reports,
        "--concurrent": options.concurrent,
        "--address": options.address,
    }
    if options.list:
        doing |= {"--set": options.set or None, "--data": options.data, "--scale": options.scale}
        doing |= {"--reading": options.reading}
    others = [name for name, value in doing.items() if value is not None]
    if looking and others:
        raise ValueError(f"{looking[0]} only looks: leave out {others[0]}")


def _check_search_only(options: argparse.Namespace) -> None:
    search_only = {
        "--objective": options.objective,
        "--constraint": options.constraint or None,
        "--warm-start": options.warm_start,
        "--likely": options.likely or None,
        "--confirm": options.confirm or None,
        "--ablate": options.ablate or None,
    }
    for name, value in search_only.items():
        if value is not None and options.replay is not None:
            raise ValueError(f"{name} is for a search: a replay is held against what its campaign recorded")
    if options.warm_start is not None and "," in (options.objective or ""):
        raise ValueError("--warm-start is for one objective: earlier results have one score each")
    if options.confirm and "," in (options.objective or ""):
        raise ValueError(f"--confirm {options.confirm} is for one objective: of two, no config is simply the best")
    if options.ablate and options.confirm is False:
        raise ValueError("--ablate takes a confirmed winner apart: leave out --no-confirm")
    if options.stopper not in (None, "none") and "," in (options.objective or ""):
        raise ValueError(
            f"--stopper {options.stopper} judges by one objective: a trial behind in one may be ahead in the other"
        )


def _design(text: str) -> Design:
    try:
        return Design.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


_seed = whole(0, SEEDS - 1, "0..2^63-1")


def _fraction(text: str) -> float:
    """0.001..1: Ray shares a GPU among no more trials."""
    fraction = decimal(text) or 0.0
    if not 0.001 <= fraction <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a part of a GPU, which is above 0 (0.001) and at most 1")
    return fraction
