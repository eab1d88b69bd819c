"""One training from a config alone, with its log as text and its artifact as a file: what a submission runs.

The competition's names for what is replaced, DATA_PATH and SEED, are environment variables.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from terminal.article import a
from terminal.complaint import complain
from terminal.exit_codes import BAD_INPUT, DONE
from terminal.number import number
from terminal.short import shortened

from trainable.component_json import decode
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare_from
from trainable.evaluation import artifact as artifacts
from trainable.evaluation.artifact import Artifact
from trainable.evaluation.evaluate import Evaluation
from trainable.runtime import Runtime
from trainable.seeds import SEEDS
from trainable.training_log import data_line, end_line, round_trip_line, run_line, score_line, size_line, step_lines


def run_script(text: str, code_bytes: int, say: Callable[[str], None]) -> int:
    """Train the config of a JSON text, with what the environment replaces; the exit code of its script.

    ``say`` is given the lines of the log. Bad input is one line and exit code 2, before anything is trained.
    """
    began, program, place = time.perf_counter(), Path(sys.argv[0]).name, os.environ.get("DATA_PATH")
    try:
        config = config_of_text(text, os.environ.get("SEED"))
        artifact_file = artifact_file_of(os.environ.get("ARTIFACT", "final_model.bin"))
        dataset = data_of(config, place, say)
    except ValueError as error:
        complain(program, error)
        return BAD_INPUT
    train_alone(config, dataset, say, artifact_file, code_bytes)
    say(f"wall_time:{time.perf_counter() - began:.1f}s")
    return DONE


def config_of_text(text: str, seed: str | None) -> TrainConfig:
    """The config of its JSON, on another seed where one is given."""
    config = decode(json.loads(text))
    if not isinstance(config, TrainConfig):
        raise ValueError(f"this is the config of {a(type(config).__name__)}, not of a training")
    if seed is None:
        return config
    if type(found := number(seed)) is not int or not 0 <= found < SEEDS:
        raise ValueError(f"SEED is {shortened(seed)} but must be a whole number in 0..2^63-1")
    return replace(config, seed=found)


def artifact_file_of(text: str) -> Path:
    """The file that ARTIFACT names; a ValueError where none can be there."""
    file = Path(text)
    if not text or file.is_dir() or not file.parent.is_dir():
        raise ValueError(f"ARTIFACT is {shortened(text)} but must be a file in a folder that is there")
    return file


def data_of(config: TrainConfig, place: str | None, say: Callable[[str], None]) -> Dataset:
    """The data of a config, at ``place`` where one is given; a ValueError that names DATA_PATH."""
    if place is not None and not (place and Path(place).exists()):
        raise ValueError(f"DATA_PATH is {shortened(place)} but must be a folder of shards or text: nothing is there")
    steps = config.budget.steps
    try:
        return prepare_from(place, config.data, None if steps is None else steps * config.data.batch_tokens, say)
    except ValueError as error:
        given = "not set, and must be" if place is None else f"{shortened(place)} but must be"
        raise ValueError(f"DATA_PATH is {given} a folder of shards or text: {error}") from None


def train_alone(
    config: TrainConfig, dataset: Dataset, say: Callable[[str], None], artifact_file: Path, code_bytes: int
) -> Evaluation:
    """Train, and write the artifact; returns the score of the artifact as it is read back from its file.

    ``say`` is given the lines of the log; ``code_bytes`` are what the artifact's size counts beside the weights.
    """
    import torch

    from trainable.evaluation.core_score import asked_in_words, ready
    from trainable.report import VALIDATION_SCORES, evaluated_by, evaluating
    from trainable.run import Run
    from trainable.train import train

    runtime = Runtime.detect(precision=config.number_format)
    if runtime.device == "cpu":
        torch.set_num_threads(1)  # sums in the same order on every machine
    artifact = config.artifact or Artifact()
    say(data_line(dataset.fingerprint, dataset.description))
    if config.evaluation.core is not None:
        say(asked_in_words(ready(config.evaluation.core, say)))
    run = Run.start(replace(config, artifact=None), dataset, runtime)
    say(run_line(config.seed, runtime.device_name, runtime.precision, run.num_parameters))
    *_, report = train(run)
    curve = run.curve.plain()
    for _, line in step_lines(curve["steps"], curve["values"], curve["measured_at"], report.step):
        say(line)
    say(score_line(report.step, report.step, {name: getattr(report, name) for name in VALIDATION_SCORES}))
    if report.core is not None:
        say(f"core:{report.core!r}")
    say(end_line(report.status, report.reason, report.seconds))
    with evaluating(run):
        artifact_file.write_bytes(artifacts.pack(run.network, artifact))
        data = artifact_file.read_bytes()
        with artifacts.replaced(run.network, artifacts.load(data)):
            found = evaluated_by(run, replace(config.evaluation, core=None))
    say(size_line(artifact, len(data), code_bytes))
    say(round_trip_line(artifact, found.loss, found.bpb))
    return found
