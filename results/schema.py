"""The one schema of the results: every column with its type, unit and meaning.

Units and meanings are stored in the Parquet files themselves (field metadata), so a file explains itself without us.
A hint for pandas is stored as well: without it a whole number column with a gap would come back as float64.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from terminal.nearest import nearest

from results.statuses import STATUSES

SCHEMA_VERSION = 1

# Of a trial's budget; param_data_ratio is tokens a scaling parameter, epochs are passes over the training data.
BUDGET_UNITS = "steps, tokens, flops, seconds, param_data_ratio or epochs"

# Units of losses: those of a run that diverged are not finite.
SCORES = ("unit of the objective", "nats/token", "bits/byte", "nats/character")

_FLOAT, _INT, _BOOL, _TEXT = pa.float64(), pa.int64(), pa.bool_(), pa.string()
_TIME = pa.timestamp("us", tz="UTC")
KNOB_TYPES: dict[str, pa.DataType] = {"float64": _FLOAT, "int64": _INT, "bool": _BOOL, "string": _TEXT}


@dataclass(frozen=True)
class Column:
    """One column: its name, its Arrow type, the unit of its values and what they mean."""

    name: str
    type: pa.DataType
    unit: str
    meaning: str


TRIAL_COLUMNS = (
    Column("key", _TEXT, "text", "identity of the trial: hash of config, seed and data; unique in the campaign"),
    Column("campaign", _TEXT, "text", "name of the campaign: of its folder, also where that is a copy"),
    Column("space", _TEXT, "text", "search space that the trial belongs to"),
    Column("recorded_id", _TEXT, "text", "id in the recorded campaign; null for a sampled trial"),
    Column("reading", _TEXT, "text", "as_logged or as_run for a recorded trial; null for a sampled one"),
    Column("scale", _TEXT, "text", "full (the recorded size) or proxy (the same structure, shrunk)"),
    Column("stage", _TEXT, "text", "search, confirm or ablate; null in campaigns from before there were stages"),
    Column("arm", _TEXT, "text", "key of this config at the campaign's seed: runs of one config on several share it"),
    Column("round", _INT, "count", "which confirmation the run is part of, from 0; null in a search"),
    Column("undone", _TEXT, "JSON", "in an ablation: changes of the winner, and which of them are undone here"),
    Column("design", _TEXT, "text", "of the confirmation: candidates x seeds, e.g. 3x3..9; null in a search"),
    Column("seed", _INT, "number", "seed of initialisation and batch order"),
    Column("is_base", _BOOL, "true/false", "whether this is the base config of the space, unchanged"),
    Column("number", _INT, "count", "position in the order in which trials were first started, from 0"),
    Column("status", _TEXT, "text", "one of: " + ", ".join(STATUSES)),
    Column("reason", _TEXT, "text", "why it ended so: the error, the violated constraint, or the rung's comparison"),
    Column("rung", _FLOAT, "budget_unit", "milestone at which early stopping ended it; null if it did not"),
    Column("cutoff", _FLOAT, "unit of the objective", "value that the trial had to beat at that rung"),
    Column("objective", _TEXT, "text", "name of the minimised metric, e.g. val_bpb"),
    Column("value", _FLOAT, "unit of the objective", "final value of the objective; null unless completed"),
    Column("last_value", _FLOAT, "unit of the objective", "last value of the objective that was reported"),
    Column("config", _TEXT, "JSON", "the full config"),
    Column("overrides", _TEXT, "JSON", "difference from the base config: dotted path -> value"),
    Column("inert", _TEXT, "JSON", "list of overrides that the audit found to change nothing; null if not audited"),
    Column("data", _TEXT, "text", "fingerprint of training text, validation text and vocabulary"),
    Column("budget", _FLOAT, "budget_unit", "training that the trial was given"),
    Column("budget_unit", _TEXT, "text", BUDGET_UNITS + ": unit of budget, spent, rung and milestone"),
    Column("spent", _FLOAT, "budget_unit", "how much of its budget the trial has come through"),
    Column("extra_spent", _FLOAT, "budget_unit", "training beside it, to judge it at rungs: its fidelity's price"),
    Column("extra_seconds", _FLOAT, "s", "the part of train_seconds that was spent so"),
    Column("steps", _INT, "steps", "optimizer updates, those beside it included"),
    Column("tokens", _INT, "tokens", "training tokens seen, those beside it included"),
    Column("train_seconds", _FLOAT, "s", "time in training steps, those beside it included"),
    Column("eval_seconds", _FLOAT, "s", "time in evaluations"),
    Column("compile_seconds", _FLOAT, "s", "time spent compiling and warming up"),
    Column("wall_seconds", _FLOAT, "s", "time from start to end of the trial, set-up included"),
    Column("tokens_per_second", _FLOAT, "tokens/s", "training tokens per second of train_seconds"),
    Column("peak_memory_bytes", _INT, "bytes", "largest memory in use on the device"),
    Column("device", _TEXT, "text", "name of the device that trained it"),
    Column("precision", _TEXT, "text", "number format of the forward pass, e.g. bf16"),
    Column("parameters", _INT, "count", "trainable parameters, tied ones counted once"),
    Column("artifact_bytes", _INT, "bytes", "size of the exported weights and the code; null where none was exported"),
    Column("train_loss", _FLOAT, "nats/token", "last training loss"),
    Column("val_loss", _FLOAT, "nats/token", "last validation loss"),
    Column("val_bpb", _FLOAT, "bits/byte", "last validation loss per byte of text"),
    Column("val_nats_per_character", _FLOAT, "nats/character", "the same per character; null for no text"),
    Column("val_mainrun_loss", _FLOAT, "nats/character", "mainrun's own, faults included; null if not asked for"),
    Column("time_to_target", _FLOAT, "s", "until the target, or so far: a lower bound; null without a target"),
    Column("target_reached", _BOOL, "true/false", "whether it ended at its target loss; null without a target"),
    Column("val_loss_quantised", _FLOAT, "nats/token", "val_loss of the exported weights when read back"),
    Column("val_bpb_quantised", _FLOAT, "bits/byte", "val_bpb of the exported weights when read back"),
    Column("attempt", _INT, "count", "which start of this trial wrote the row, from 1; above 1 after a resume"),
    Column("worker", _TEXT, "text", "host:pid of the process that trained it"),
    Column("note", _TEXT, "text", "faults that it got over: a worker killed, a checkpoint damaged; null if none"),
    Column("checkpoint", _TEXT, "path", "last checkpoint, relative to the campaign's folder; null if there is none"),
    Column("started_at", _TIME, "UTC", "start of this attempt"),
    Column("ended_at", _TIME, "UTC", "end of this attempt; null while it runs"),
    Column("optuna_number", _INT, "count", "number in the Optuna study; null if Optuna did not propose it"),
    Column("code_version", _TEXT, "text", "version of this code that trained it"),
    Column("reused_from", _TEXT, "text", "campaign whose finished trial this is; null for one that was trained here"),
)

REPORT_COLUMNS = (
    Column("key", _TEXT, "text", "key of the trial"),
    Column("attempt", _INT, "count", "which start of the trial reported this, from 1"),
    Column("step", _INT, "steps", "optimizer updates so far"),
    Column("tokens", _INT, "tokens", "training tokens seen so far"),
    Column("seconds", _FLOAT, "s", "train seconds so far"),
    Column("progress", _FLOAT, "fraction", "what the schedules see: 0 at the start, 1 at the horizon"),
    Column("milestone", _FLOAT, "budget_unit", "rung that this report is for; null between rungs"),
    Column("extra_spent", _FLOAT, "budget_unit", "training beside it until this rung, which judging it there cost"),
    Column("train_loss", _FLOAT, "nats/token", "training loss"),
    Column("val_loss", _FLOAT, "nats/token", "validation loss; null where none was measured"),
    Column("val_bpb", _FLOAT, "bits/byte", "validation loss per byte of text; null where none was measured"),
    Column("val_nats_per_character", _FLOAT, "nats/character", "the same per character; null for no text"),
    Column("val_mainrun_loss", _FLOAT, "nats/character", "mainrun's own, faults included; null if not asked for"),
    Column("lr_multiplier", _FLOAT, "factor", "what the schedule multiplied the learning rates by"),
    Column("tokens_per_second", _FLOAT, "tokens/s", "speed since the report before"),
    Column("logged", _TEXT, "JSON", "extra numbers that components logged: name -> value"),
    Column("at", _TIME, "UTC", "when the report was made"),
)


def trials_schema(knobs: Mapping[str, str]) -> pa.Schema:
    """Schema of ``trials``: the fixed columns, then one per sampled knob (dotted path -> float64, int64, bool, string).

    A ValueError for an unknown type and for a knob that is called like a fixed column.
    """
    fixed = {c.name for c in TRIAL_COLUMNS}
    for path, kind in knobs.items():
        if path in fixed:
            raise ValueError(f"the knob {path!r} must not be called like a column of the trials")
        if not isinstance(kind, str) or kind not in KNOB_TYPES:
            raise ValueError(f"the knob {path!r} has the type {kind!r}: {nearest(str(kind), KNOB_TYPES, 'types')}")
    meaning = "sampled value of this config field; null where the trial has no such field"
    sampled = (Column(path, KNOB_TYPES[kind], "as in the config", meaning) for path, kind in knobs.items())
    return _schema((*TRIAL_COLUMNS, *sampled))


def reports_schema() -> pa.Schema:
    """Schema of ``reports``."""
    return _schema(REPORT_COLUMNS)


def _schema(columns: Iterable[Column]) -> pa.Schema:
    fields = [pa.field(c.name, c.type, metadata={"unit": c.unit, "meaning": c.meaning}) for c in columns]
    return pa.schema(fields, metadata={"schema_version": str(SCHEMA_VERSION), "pandas": _pandas_hint(fields)})


def _pandas_hint(fields: Iterable[pa.Field[Any]]) -> str:
    """Ask pandas for its nullable types where numpy has none; every other column is left to its defaults."""
    nullable = {_INT: "Int64", _BOOL: "boolean"}
    columns = [
        {"name": f.name, "field_name": f.name, "pandas_type": str(f.type), "numpy_type": hint, "metadata": None}
        for f in fields
        if (hint := nullable.get(f.type))
    ]
    return json.dumps({"index_columns": [], "column_indexes": [], "columns": columns})
