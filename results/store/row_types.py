"""The rows of ``trials``, ``reports`` and ``curves``: every column with its type, unit and meaning, and who fills it.

Each key is annotated with its column, so that this is the one place where a column stands. A type checker finds a key
that is misspelt, and what goes from a report into rows, files and other campaigns follows from here. A sampled knob is
a column too (its dotted path); only the campaign knows which there are, so no type has them.

A key that is not there is null in the file. Rows that were read have all keys, with None for what is null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from results.store.column import Column, FilledBy, columns_of, measured
from results.store.limits import CURVE_NAME, TEXT
from results.store.statuses import STATUSES, Stage, Status

NEVER_A_TRIAL = "null"  # the ``config`` of a row whose values made no valid config: nothing was trained
BY_SEARCH, BY_ATTEMPT, BY_WORKER, BY_DRIVER = FilledBy.SEARCH, FilledBy.ATTEMPT, FilledBy.WORKER, FilledBy.DRIVER

# Of a trial's budget; param_data_ratio is tokens a scaling parameter, epochs are passes over the training data.
BUDGET_UNITS = "steps, tokens, flops, seconds, param_data_ratio or epochs"


class Reported(TypedDict, total=False):
    """Measures in both data sets: a report has those of its moment, a trial those that it reported last."""

    train_loss: Annotated[float | None, measured("nats/token", "training loss, the mean since the report before")]
    val_loss: Annotated[float | None, measured("nats/token", "validation loss; null where none was measured")]
    val_bpb: Annotated[float | None, measured("bits/byte", "val_loss per byte of text; null where none was measured")]
    val_nats_per_character: Annotated[
        float | None, measured("nats/character", "val_loss per character of text; null where the data are no text")
    ]
    val_mainrun_loss: Annotated[
        float | None, measured("nats/character", "mainrun's own metric, faults included; null if not asked for")
    ]


class Asked(TypedDict, total=False):
    """Identity of a trial, and its task."""

    key: Annotated[
        str, Column("text", "identity of the trial: hash of config, seed and data; unique in the campaign", BY_SEARCH)
    ]
    campaign: Annotated[
        str | None, Column("text", "name of the campaign: of its folder, also where that is a copy", BY_SEARCH)
    ]
    space: Annotated[str | None, Column("text", "search space that the trial belongs to", BY_SEARCH)]
    recorded_id: Annotated[
        str | None, Column("text", "id in the recorded campaign; null for a sampled trial", BY_SEARCH)
    ]
    reading: Annotated[
        str | None, Column("text", "as_logged or as_run for a recorded trial; null for a sampled one", BY_SEARCH)
    ]
    scale: Annotated[
        str | None, Column("text", "full (the recorded size) or proxy (the same structure, shrunk)", BY_SEARCH)
    ]
    stage: Annotated[
        Stage | None,
        Column("text", "search, confirm or ablate; null in campaigns from before there were stages", BY_SEARCH),
    ]
    arm: Annotated[
        str | None,
        Column("text", "key of this config at the campaign's seed: runs of one config on several share it", BY_SEARCH),
    ]
    round: Annotated[
        int | None, Column("count", "which confirmation the run is part of, from 0; null in a search", BY_SEARCH)
    ]
    undone: Annotated[
        str | None,
        Column(
            "JSON", "in an ablation: changes of the winner, and which of them are undone here", BY_SEARCH, most=TEXT
        ),
    ]
    design: Annotated[
        str | None,
        Column(
            "text",
            "of the confirmation: candidates x seeds, e.g. 3x3..5..30; with 'own' behind it each difference is judged "
            "by its own noise, without it by that of all configs together; null in a search",
            BY_SEARCH,
            most=20,
        ),
    ]
    seed: Annotated[int | None, Column("number", "seed of initialisation and batch order", BY_SEARCH)]
    is_base: Annotated[bool, Column("true/false", "whether this is the base config of the space, unchanged", BY_SEARCH)]
    number: Annotated[
        int, Column("count", "position in the order in which trials were first started, from 0", BY_SEARCH)
    ]
    objective: Annotated[str, Column("text", "name of the minimised metric, e.g. val_bpb", BY_SEARCH)]
    config: Annotated[
        str,
        Column("JSON", "the full config; a path to data is relative to the campaign's folder", BY_SEARCH, most=TEXT),
    ]
    overrides: Annotated[
        str, Column("JSON", "difference from the base config: dotted path -> value", BY_SEARCH, most=TEXT)
    ]
    inert: Annotated[
        str | None,
        Column(
            "JSON",
            "list of overrides that change nothing, as the audit found at the base's other values or as another "
            "setting of the trial, which is 0, switches them off (optimizer.weight_decay); null if not audited",
            BY_SEARCH,
            most=TEXT,
        ),
    ]
    data: Annotated[
        str | None,
        Column(
            "text",
            "fingerprint of training text, validation text and vocabulary, or of your own train function",
            BY_SEARCH,
        ),
    ]
    budget: Annotated[float | None, Column("budget_unit", "training that the trial was given", BY_SEARCH)]
    budget_unit: Annotated[
        str | None, Column("text", f"{BUDGET_UNITS}: unit of budget, spent, rung and milestone", BY_SEARCH)
    ]
    optuna_number: Annotated[
        int | None, Column("count", "number in the Optuna study; null if Optuna did not propose it", BY_SEARCH)
    ]


class Outcome(TypedDict, total=False):
    """Outcome of a trial, by the search's decisions."""

    status: Annotated[Status, Column("text", "one of: " + ", ".join(STATUSES), BY_SEARCH, reusable=True)]
    reason: Annotated[
        str | None,
        Column(
            "text",
            "why it ended so: the error, the violated constraint, or the rung's comparison",
            BY_SEARCH,
            reusable=True,
            most=TEXT,
        ),
    ]
    rung: Annotated[
        float | None,
        Column("budget_unit", "milestone at which early stopping ended it; null if it did not", BY_SEARCH),
    ]
    cutoff: Annotated[
        float | None, Column("unit of the objective", "value that the trial had to beat at that rung", BY_SEARCH)
    ]
    promotions: Annotated[
        str | None,
        Column(
            "JSON",
            "list of times that it was stopped and went on again: rung, value, cutoff, reason, stopped_at, why and at; "
            "null if it never did",
            BY_SEARCH,
            most=TEXT,
        ),
    ]
    value: Annotated[
        float | None, Column("unit of the objective", "final value of the objective; null unless completed", BY_SEARCH)
    ]
    reused_from: Annotated[
        str | None,
        Column("text", "campaign whose finished trial this is; null for one that was trained here", BY_SEARCH),
    ]
    last_value: Annotated[
        float | None, measured("unit of the objective", "last value of the objective that was reported", BY_DRIVER)
    ]


class Course(TypedDict, total=False):
    """Progress of a trial's training, and its cost."""

    spent: Annotated[
        float | None, measured("budget_unit", "how much of its budget the trial has come through", BY_DRIVER)
    ]
    extra_spent: Annotated[
        float | None,
        measured("budget_unit", "training beside it, to judge it at rungs: its fidelity's price", BY_DRIVER),
    ]
    extra_seconds: Annotated[float | None, measured("s", "the part of train_seconds that was spent so", BY_DRIVER)]
    steps: Annotated[int | None, measured("steps", "optimizer updates, those beside it included", BY_DRIVER)]
    tokens: Annotated[int | None, measured("tokens", "training tokens seen, those beside it included", BY_DRIVER)]
    train_seconds: Annotated[float | None, measured("s", "time in training steps, those beside it included", BY_DRIVER)]
    train_minutes: Annotated[
        float | None, measured("min", "time in training steps of the run itself, evaluations not included")
    ]
    tokens_per_second: Annotated[
        float | None, measured("tokens/s", "training tokens per second of train_seconds", BY_DRIVER)
    ]
    eval_seconds: Annotated[float | None, measured("s", "time in evaluations")]
    compile_seconds: Annotated[float | None, measured("s", "time spent compiling and warming up")]
    wall_seconds: Annotated[
        float | None, measured("s", "time from start to end of the trial, set-up included", BY_WORKER)
    ]
    peak_memory_bytes: Annotated[int | None, measured("bytes", "largest memory in use on the device", BY_WORKER)]
    peak_reserved_bytes: Annotated[
        int | None,
        measured(
            "bytes", "largest memory that torch held of the device, for use or again: what must be free", BY_WORKER
        ),
    ]
    device: Annotated[str | None, measured("text", "name of the device that trained it", BY_WORKER)]
    precision: Annotated[str | None, measured("text", "number format of the forward pass, e.g. bf16", BY_WORKER)]
    muon_precision: Annotated[
        str | None,
        measured(
            "text", "number format that Muon iterated in: bf16 or fp32; null where nothing is orthogonalised", BY_WORKER
        ),
    ]
    activations_checkpointed: Annotated[
        bool | None,
        measured("true/false", "whether its blocks were computed again to save memory; changes no result", BY_WORKER),
    ]
    parameters: Annotated[int | None, measured("count", "trainable parameters, tied ones counted once", BY_WORKER)]
    worker: Annotated[str | None, measured("text", "host:pid of the process that trained it", BY_WORKER)]
    time_to_target: Annotated[
        float | None, measured("s", "until the target, or so far: a lower bound; null without a target")
    ]
    target_reached: Annotated[
        bool | None, measured("true/false", "whether it ended at its target loss; null without a target")
    ]
    artifact_bytes: Annotated[
        int | None, measured("bytes", "size of the exported weights and the code; null where none was exported")
    ]
    val_loss_quantised: Annotated[
        float | None, measured("nats/token", "val_loss of the exported weights when read back")
    ]
    val_bpb_quantised: Annotated[float | None, measured("bits/byte", "val_bpb of the exported weights when read back")]
    core: Annotated[
        float | None, measured("CORE", "mean accuracy above chance over the tasks of CORE; null if not asked for")
    ]
    core_error: Annotated[float | None, measured("CORE", "1 - core, which can be minimised")]


class Attempts(TypedDict, total=False):
    """The attempts at it, of which the last one is what the row is about."""

    attempt: Annotated[
        int | None,
        Column(
            "count",
            "which start of this trial wrote the row, from 1; above 1 after a resume",
            BY_ATTEMPT,
            reusable=True,
        ),
    ]
    note: Annotated[
        str | None,
        Column(
            "text",
            "faults that it got over: a worker killed, a checkpoint damaged; null if none",
            BY_ATTEMPT,
            most=TEXT,
        ),
    ]
    checkpoint: Annotated[
        str | None,
        Column(
            "path",
            "last checkpoint, relative to the campaign's folder; null if there is none",
            BY_ATTEMPT,
            of_attempt=True,
        ),
    ]
    weights: Annotated[
        str | None,
        Column(
            "path",
            "weights as they were scored, relative to the campaign's folder; null if none are kept (--keep)",
            BY_ATTEMPT,
            of_attempt=True,
        ),
    ]
    started_at: Annotated[datetime | None, Column("UTC", "start of this attempt", BY_ATTEMPT, reusable=True)]
    ended_at: Annotated[
        datetime | None, Column("UTC", "end of this attempt; null while it runs", BY_ATTEMPT, reusable=True)
    ]
    code_version: Annotated[
        str | None, Column("text", "version of this code that trained it", BY_ATTEMPT, reusable=True)
    ]


class TrialRow(Asked, Outcome, Reported, Course, Attempts, total=False):
    """One row of ``trials``."""


class Moment(TypedDict, total=False):
    """Trial that reported, and the place in its training."""

    key: Annotated[str, Column("text", "key of the trial", BY_SEARCH)]
    attempt: Annotated[int, Column("count", "which start of the trial reported this, from 1", BY_ATTEMPT)]
    step: Annotated[int, measured("steps", "optimizer updates so far")]
    tokens: Annotated[int | None, measured("tokens", "training tokens seen so far")]
    seconds: Annotated[float | None, measured("s", "train seconds so far")]
    progress: Annotated[float | None, measured("fraction", "what the schedules see: 0 at the start, 1 at the horizon")]
    milestone: Annotated[float | None, measured("budget_unit", "rung that this report is for; null between rungs")]
    extra_spent: Annotated[
        float | None,
        measured("budget_unit", "training beside it until this rung, which judging it there cost", BY_DRIVER),
    ]


class Objective(TypedDict, total=False):
    """The objective, where it is no measure of ours."""

    reported_value: Annotated[
        float | None,
        measured("unit of the objective", "what your own train function reported; null without one", BY_DRIVER),
    ]


class Speed(TypedDict, total=False):
    """Speed of a trial, and what its components logged."""

    lr_multiplier: Annotated[
        float | None,
        measured("factor", "what the schedule multiplied the learning rates by", field="multiplier"),
    ]
    tokens_per_second: Annotated[float | None, measured("tokens/s", "speed since the report before", BY_DRIVER)]
    logged: Annotated[
        str | None, Column("JSON", "extra numbers that components logged: name -> value", BY_DRIVER, most=TEXT)
    ]
    at: Annotated[datetime | None, Column("UTC", "when the report was made", BY_DRIVER)]


class ReportRow(Moment, Reported, Objective, Speed, total=False):
    """One row of ``reports``."""


class CurveRow(TypedDict):
    """One row of ``curves``: a number that a trial said of one of its steps.

    Which steps: every 2^k-th from the first, with k as small as leaves at most 500.
    """

    key: Annotated[str, Column("text", "key of the trial", BY_SEARCH)]
    number: Annotated[int, Column("count", "number of the trial, as in trials", BY_SEARCH)]
    step: Annotated[int, measured("steps", "optimizer updates done, this one included")]
    tokens: Annotated[
        int | None, measured("tokens", "training tokens seen, those of this step included; null where nobody knows")
    ]
    name: Annotated[
        str,
        Column(
            "text",
            "what was measured at the step: loss (training), gradient_norm (before clipping), learning_rate.GROUP, ...",
            FilledBy.REPORT,
            most=CURVE_NAME,
            repeated=True,
        ),
    ]
    value: Annotated[float, Column("see unit", "the number; not finite in a run that diverged", FilledBy.REPORT)]
    unit: Annotated[str, Column("text", "unit of value", FilledBy.REPORT, most=CURVE_NAME, repeated=True)]


TRIAL_COLUMNS = columns_of(TrialRow)
REPORT_COLUMNS = columns_of(ReportRow)
CURVE_COLUMNS = columns_of(CurveRow)
COLUMNS: dict[str, tuple[Column, ...]] = {"trials": TRIAL_COLUMNS, "reports": REPORT_COLUMNS, "curves": CURVE_COLUMNS}
