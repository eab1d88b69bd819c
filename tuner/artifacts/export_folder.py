"""The folder that an export writes: weights, config, command, artifact, tokenizer, log, and what was found of them.

Weights and artifact are read again from that folder before they are scored, so that the scores are those of the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import search_spaces
from storage import files, inside
from storage.location import Location
from trainable.component_json import encode
from trainable.data.dataset import Dataset
from trainable.data.vocabulary_files import vocabulary_file
from trainable.evaluation.artifact import Artifact
from trainable.evaluation.evaluate import Evaluation
from trainable.report import VALIDATION_SCORES
from trainable.run import Run
from trainable.training_log import round_trip_line
from trainable.weights import read_weights, run_with
from tuner.artifacts.asked_measures import AskedMeasure, asked_measures, asked_names, evaluated_measures, scores_of
from tuner.artifacts.export_names import (
    ARTIFACT,
    COMMAND_FILE,
    CONFIG_FILE,
    CURVE,
    EXPORT_FILE,
    LOG,
    README,
    WEIGHTS,
)
from tuner.artifacts.export_readme import counted_bytes, readme_of_export, what_is_counted
from tuner.artifacts.kept_trial import KeptTrial
from tuner.artifacts.rescored import Packed, packed, packed_bytes, scored_again
from tuner.artifacts.training_log import curve_table, training_log
from tuner.campaign.train_command import train_command


@dataclass(frozen=True)
class Exported:
    """An export: what was written, and the scores of what was read again."""

    folder: Location
    names: list[str]
    command: str | None  # None where no line can say it
    score: Evaluation
    packed: Packed
    measures: Sequence[AskedMeasure]  # that the search asked for
    beside: Sequence[AskedMeasure]  # that the evaluation has and the search did not ask for
    run: Run  # with the weights as they were read again
    about_data: str  # in words, as a run that prepares them is told


def export(trial: KeptTrial, folder: Location, settings: Artifact) -> Exported:
    """Write everything of a trial into a new folder. An OSError where that cannot be; ValueErrors come before."""
    dataset = trial.dataset()
    content = files.read(trial.file)
    first = run_with(trial.config, read_weights(trial.file, trial.row["key"]), dataset, trial.runtime())
    artifact = packed_bytes(first, settings)
    command, curve = command_of(trial), curve_table(trial.results.store, trial.row)
    found = {
        WEIGHTS: content,
        CONFIG_FILE: _json(encode(trial.config)),
        ARTIFACT: artifact,
        **({} if curve is None else {CURVE: curve.encode()}),
        **({} if command is None else {COMMAND_FILE: f"{command}\n".encode()}),
        **tokenizer_of(dataset),
    }
    names = [*found, LOG, EXPORT_FILE]
    with inside.filling(folder, [*names, README]):
        for name, data in found.items():
            inside.write(folder, name, data)
        run = run_with(trial.config, read_weights(folder / WEIGHTS, trial.row["key"]), dataset, trial.runtime())
        small, score = packed(run, trial.config, settings, files.read(folder / ARTIFACT)), scored_again(run)
        measures = asked_measures(trial, run, score, small)
        beside = evaluated_measures(trial, run, score, small)
        about_data = dataset.description
        exported = Exported(folder, [*names, README], command, score, small, measures, beside, run, about_data)
        back = [round_trip_line(settings, small.score.loss, small.score.bpb)]
        log = training_log(trial.results.store, trial.row, about_data, asked_names(trial), back)
        inside.write(folder, LOG, log.encode())
        inside.write(folder, EXPORT_FILE, _json(facts_of_export(trial, exported, dataset)))
        inside.write(folder, README, readme_of_export(trial, names, measures, beside, small).encode())
    return exported


def command_of(trial: KeptTrial) -> str | None:
    """The command that trains the trial's config once more, on its seed."""
    campaign = trial.results.campaign
    try:
        space = search_spaces.load(str(campaign["space"]))
    except ValueError:  # it was given in Python
        return None
    return train_command(trial.folder, trial.sources, space, campaign, trial.config, on_its_seed=True)


def tokenizer_of(dataset: Dataset) -> dict[str, bytes]:
    """The file of the vocabulary that lies beside the data, under its own name."""
    file = vocabulary_file(dataset.train.paths[0].parent)
    return {} if file is None else {file.name: file.read_bytes()}


def facts_of_export(trial: KeptTrial, exported: Exported, dataset: Dataset) -> dict[str, Any]:
    """Collect the numbers and fingerprints of an export as JSON data."""
    row, small, campaign = trial.row, exported.packed, trial.results.campaign
    cells: Mapping[str, Any] = row
    in_the_search = {name: cells[name] for name in VALIDATION_SCORES if cells[name] is not None}
    return {
        "campaign": trial.folder.name, "trial": row["number"], "key": row["key"], "seed": row["seed"],
        "space": row["space"], "scale": row["scale"], "command": exported.command,
        "data": {"fingerprint": dataset.fingerprint, "about": dataset.description},
        "tokenizer": {
            "vocab_size": dataset.vocab_size,
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in tokenizer_of(dataset).items()},
        },
        "asked_for": {measure.name: measure.facts for measure in exported.measures},
        "measured_beside": {measure.name: measure.facts for measure in exported.beside},
        "scored_in_the_search": in_the_search, "scored_again": scores_of(exported.score),
        "artifact": {
            "file": ARTIFACT, "bits": small.settings.bits, "precision": small.precision,
            "compressor": small.settings.compressor,
            **counted_bytes(small), "limit_bytes": small.settings.limit_bytes, "counted": what_is_counted(small),
            **scores_of(small.score),
        },
        "scored_targets": {"tokens": exported.score.tokens, "bytes": exported.score.bytes},
        "trained_on": {"device": row["device"], "precision": row["precision"], "train_seconds": row["train_seconds"]},
        "code_version": row["code_version"], "environment": campaign.get("environment"),
    }  # fmt: skip


def _json(data: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(data, indent=2)}\n".encode()
