"""All options of ``python -m tuner.run``: their names, their ranges, and what they mean. None is given by default."""

from __future__ import annotations

import argparse
from functools import partial

from results.design import DEFAULT
from results.store.find import RUNS
from results.store.resume_command import RUN_PROGRAM
from storage.location import argument, text_argument
from terminal.command_line import OneLineParser
from terminal.option_names import one_of
from terminal.option_numbers import at_least_one, positive, whole_number
from trainable.monitors import MONITORS
from tuner.cli import option_values
from tuner.cli.as_setting import as_setting
from tuner.cli.larger_scale_options import add_larger_scale
from tuner.cluster.placement import MOST_SHARING
from tuner.plan.known_devices import CARDS
from tuner.spec import KEEP, MOST_PAUSED, STALL_MINUTES
from tuner.trackers.catalogue import TRACKERS

LATEST = "latest"
LONGEST = 10**6  # hours or minutes: beyond it, a timer of the system would overflow
BRIEFEST = 1e-4  # hours: a third of a second, in which no trial can start
LEAST_STALL = 0.01  # minutes: less than a step takes anywhere, so that every trial would count as hanging


def parser() -> OneLineParser:
    """All options, with what they mean."""
    p = OneLineParser(
        prog=RUN_PROGRAM,
        description="Search a space of training runs: Optuna proposes, Ray Tune runs, bad ones are stopped early.",
        epilog="Exit codes: 0 done, 1 done but some trials crashed, or output that could not be written, 2 bad input, "
        "141 the reader of the output of --list, --show or --dry-run has ended (| head); "
        "130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by the end of its terminal (SIGHUP; prevented by nohup). "
        "The first signal lets running trials write checkpoints, a second ends at once.",
    )
    p.meant = as_setting
    p.for_more = ": --space NAME searches a space, --resume NAME goes on with a campaign"
    _say_what(p.add_argument_group("what to search"))
    _say_what_is_known(p.add_argument_group("what is known already"))
    _say_what_to_replay(p.add_argument_group("what to replay"))
    _say_how_long(p.add_argument_group("how long, how wide"))
    _say_how_to_judge(p.add_argument_group("how to judge"))
    _say_on_what(p.add_argument_group("on what"))
    where = p.add_argument_group("where")
    _say_where(where)
    _say_what_is_kept(where)
    _look_first(p.add_argument_group("look first"))
    return p


def _say_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--space", metavar="NAME", help="the space (see --list), or a .py file with one of your own")
    group.add_argument(
        "--import",
        metavar="FILE",
        action="append",
        help="a .py file, package or module with schedules, loss terms, hooks, models, ... of your own, which workers "
        "get too (docs/own_components.md); repeatable; with --resume give the same again",
    )
    group.add_argument(
        "--trust-sources",
        action="store_true",
        default=None,
        help="with --resume: run the code that the campaign's folder keeps (sources/); read it first",
    )
    group.add_argument(
        "--scale",
        metavar="NAME",
        help="size of the runs: full (as recorded), proxy (for a laptop) or another of the space's (--list --space "
        "NAME); default: full where there is a GPU, else proxy",
    )
    group.add_argument(
        "--data",
        metavar="SOURCE",
        help="stdlib, the name of a dataset, or a path to shards or text; short for --set data.source=...; with "
        "--resume: where the same data are now",
    )
    group.add_argument(
        "--set", metavar="PATH=VALUE", action="append", help="fix a knob for the whole campaign; repeatable"
    )
    group.add_argument(
        "--objective",
        metavar="NAME",
        help="number to minimise (default: the space's), as val_bpb, or train_minutes with a score as --constraint; "
        "two, as val_bpb,train_seconds: search for their Pareto front, without early stopping",
    )
    group.add_argument(
        "--constraint",
        metavar="LIMIT",
        action="append",
        help="a limit that a trial must keep to count, as 'artifact_bytes<=16e6 margin 1%%' (so at most "
        "15,840,000; needs --set artifact=Artifact where the space has no artifact); on artifact_bytes, parameters, "
        "peak_memory_bytes, step_seconds, train_seconds, train_minutes or a score, as 'val_bpb<=1.2' or 'core>=0.25'; "
        "repeatable",
    )
    group.add_argument(
        "--seed",
        metavar="N",
        type=option_values.seed,
        help="seed of the sampler and of every training (default: the space's)",
    )
    group.add_argument(
        "--precision",
        metavar="NAME",
        type=option_values.precision,
        help="number format of matrix products, the same for all trials: fp32, bf16, or auto (default), which is bf16 "
        "where every GPU multiplies it itself, and fp32 on older ones and on CPUs",
    )


def _say_what_is_known(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--sampler",
        metavar="NAME",
        type=option_values.sampler,
        help="method that proposes configs: gp (a Gaussian process), tpe, tpe-uniform (with random first points), "
        "random, or auto (default), which chooses by the space and the number of trials",
    )
    group.add_argument(
        "--warm-start",
        metavar="SOURCE",
        type=text_argument,
        nargs="+",
        help="start from what is known: 'recorded' (the space's own recorded runs) and earlier campaigns, by name or "
        "folder; with --sampler gp what they found is the trend of its model, else the best configs are tried first; "
        "results of another scale, data, budget, evaluation or seed are given up where trials contradict them",
    )
    group.add_argument(
        "--likely",
        metavar="PATH=RANGE",
        action="append",
        help="likely good part of a knob's range: PATH=LOW..HIGH or PATH=LABEL|LABEL; the first trials are drawn "
        "from it, later ones from the whole range; repeatable",
    )
    group.add_argument(
        "--reuse",
        metavar="CAMPAIGN",
        type=text_argument,
        nargs="+",
        help="earlier campaigns, by name or folder: a trial that one of them has finished (same config, seed and data) "
        "counts here without being trained again; with --resume this replaces the earlier list",
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
    group.add_argument("--reading", metavar="NAME", help="version of recorded runs: as_run (default) or as_logged")
    group.add_argument("--seeds", metavar="N", type=at_least_one, help="seeds of each recorded run (default: 1)")


def _say_how_long(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--trials",
        metavar="N",
        type=at_least_one,
        help="trials to start in all, those of earlier starts included (default: the scale's, see --list)",
    )
    group.add_argument(
        "--hours",
        metavar="H",
        type=positive("hours", LONGEST, BRIEFEST),
        help="end after H hours; trials that still run are kept for --resume",
    )
    group.add_argument(
        "--concurrent", metavar="N", type=at_least_one, help="trials at a time (default: every GPU, else every core)"
    )


def _say_how_to_judge(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--stopper",
        metavar="NAME",
        type=option_values.stopper,
        help="rule that stops bad trials at rungs: predictive (default in a search), asha, hyperband, median or none "
        "(default in a replay)",
    )
    group.add_argument(
        "--promote",
        action=argparse.BooleanOptionalAction,
        help="let a stopped trial go on from its checkpoint where trials that finished since say that it may end as "
        f"the best; with --stopper predictive; keeps the checkpoints of at most {MOST_PAUSED} (default: on)",
    )
    group.add_argument(
        "--fidelity",
        metavar="NAME",
        type=option_values.fidelity,
        help="run that is judged at rungs: truncate (default: the run itself), complete (a run with a short "
        "schedule) or branch (a copy with a short decay)",
    )
    group.add_argument(
        "--reports",
        metavar="N",
        type=whole_number(0, 10_000),
        help="evaluations during a trial, beside those at rungs (default: 0 in a search, 4 in a replay)",
    )
    group.add_argument(
        "--confirm",
        metavar="KxN..M..A",
        type=option_values.design,
        help="after the search, train its best K and the base on N fresh seeds each, undecided ones on up to M, and "
        f"the best undecided one alone on up to A; 3x3 is always three (default: {DEFAULT}; not for two objectives)",
    )
    group.add_argument("--no-confirm", dest="confirm", action="store_const", const=False, help="train no confirmation")
    group.add_argument(
        "--ablate",
        action=argparse.BooleanOptionalAction,
        help="after the confirmation, undo the winner's changes in groups, to find those it needs (default: no; the "
        "plan prints the cost)",
    )
    add_larger_scale(group)


def _say_on_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--address",
        metavar="ADDRESS",
        help="join the Ray cluster at this address ('auto' on its head) instead of starting one here",
    )
    group.add_argument(
        "--gpu-fraction",
        metavar="F",
        type=option_values.gpu_fraction,
        help="part of a GPU for each trial: at 0.25 four trials share one GPU and its memory, auto: as many as fit, at "
        f"most {MOST_SHARING} (default: 1)",
    )
    group.add_argument(
        "--cpus",
        metavar="N",
        type=at_least_one,
        help="cores reserved for each trial (default: 1, beside a GPU 2); a trial computes in one thread in any case",
    )
    group.add_argument(
        "--mixed-devices",
        action=argparse.BooleanOptionalAction,
        help="allow devices of several kinds where trials are limited or compared by seconds (default: no)",
    )
    group.add_argument(
        "--stall-minutes",
        metavar="M",
        type=positive("minutes", LONGEST, LEAST_STALL),
        help="end a trial as crashed that finishes no step for M minutes; one evaluation and one compilation must take "
        f"less (default: {STALL_MINUTES:g})",
    )
    group.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="compile steps and evaluations (default: on a GPU, where it saves more time than it takes)",
    )
    group.add_argument(
        "--checkpoint-activations",
        action=argparse.BooleanOptionalAction,
        help="compute each block's forward pass again in its backward pass instead of keeping it: less memory, about a "
        "third more arithmetic, the same results (default: where a trial does not fit its GPU otherwise)",
    )
    group.add_argument(
        "--compile-blocks",
        action=argparse.BooleanOptionalAction,
        help="with --compile, compile each kind of block of a model once, which takes less time in deep ones "
        "(default: no)",
    )
    group.add_argument(
        "--flex-attention",
        action=argparse.BooleanOptionalAction,
        help="with --compile, let torch generate the attention of windows and in fp32 on CUDA (default: no; not "
        "measured on a GPU yet)",
    )
    group.add_argument(
        "--cuda-graphs",
        action=argparse.BooleanOptionalAction,
        help="launch a step's forward and backward pass at once, for small models on CUDA (default: no; not "
        "measured on a GPU yet)",
    )


def _say_where(where: argparse._ArgumentGroup) -> None:
    where.add_argument(
        "--name", metavar="NAME", help="name of the campaign (default: the space, the scale and the time)"
    )
    where.add_argument(
        "--results",
        metavar="FOLDER",
        type=argument,
        help=f"folder of all campaigns, also in an object store, as s3://BUCKET/FOLDER (default: {RUNS})",
    )
    where.add_argument(
        "--resume",
        metavar="CAMPAIGN",
        type=text_argument,
        nargs="?",
        const=LATEST,
        help="go on with a campaign, given by name, path or URL (default: the latest)",
    )
    where.add_argument(
        "--notify",
        metavar="COMMAND",
        type=option_values.line_of_shell,
        help="run this shell command at the end, with TUNER_EXIT_CODE, TUNER_CAMPAIGN, TUNER_FOLDER, TUNER_VERDICT, "
        "TUNER_WINNER and TUNER_DIFFERENCE in its environment; 'bell' rings the terminal's",
    )
    where.add_argument(
        "--log",
        metavar="TRACKER",
        action="append",
        type=option_values.tracker,
        help=f"write the campaign to this tracker too: {', '.join(sorted(TRACKERS))}; TRACKER:PLACE names its project, "
        "experiment or folder; repeatable; with --resume give it again (docs/trackers.md)",
    )


def _say_what_is_kept(where: argparse._ArgumentGroup) -> None:
    where.add_argument(
        "--keep",
        metavar="WHICH",
        type=partial(one_of, KEEP),
        help="trials whose weights stay: confirmed (default in a search: the winner and the base), best (the search's "
        "best and the base), all, or none (default in a replay); python -m tuner.export writes them out",
    )
    where.add_argument(
        "--monitor",
        metavar="NAMES",
        type=option_values.monitor,
        help=f"what curves say beside losses, gradient norms and rates: {', '.join(MONITORS)}, divided by commas, all "
        "(default) or none; under 1 %% of a step (docs/curves.md)",
    )
    where.add_argument(
        "--checkpoint-every",
        metavar="N",
        type=option_values.checkpoint_every,
        help="write a checkpoint of each running trial every N steps too, or at each 'validation'; its last two stay "
        "until it ends, for --resume (default: none, every five minutes alone)",
    )


def _look_first(look: argparse._ArgumentGroup) -> None:
    look.add_argument("--list", action="store_true", default=None, help="list spaces; with --space its knobs")
    look.add_argument(
        "--show",
        metavar="ROWS",
        help="print recorded runs, named as for --replay: for one run its config, changes and cost, for several a line "
        "each",
    )
    look.add_argument(
        "--audit",
        action=argparse.BooleanOptionalAction,
        help="first train a shrunken model with and without each knob or override, and name those that change nothing; "
        "also with --dry-run (default: on)",
    )
    look.add_argument("--dry-run", action="store_true", default=None, help="print the plan and its cost, train nothing")
    look.add_argument(
        "--device",
        metavar="CARD",
        help=f"with --dry-run: plan for devices of this kind, here or not: {', '.join(CARDS)}",
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
        type=positive("units of money for an hour of a device", 10**9),
        help="with --dry-run: price of a device for an hour, in any currency; the plan prints the sum",
    )
    look.add_argument("--slots", metavar="N", type=at_least_one, help="with --dry-run: plan for N devices, here or not")
