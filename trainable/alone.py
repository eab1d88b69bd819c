"""One training from a config alone, with its log as text and its artifact as a file: what a submission runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from terminal.article import a

from trainable.component_json import decode
from trainable.config import TrainConfig
from trainable.data.preparation import prepare_from
from trainable.evaluation import artifact as artifacts
from trainable.evaluation.artifact import Artifact
from trainable.evaluation.evaluate import Evaluation
from trainable.runtime import Runtime
from trainable.training_log import data_line, end_line, round_trip_line, run_line, score_line, size_line, step_lines


def config_of_text(text: str, seed: int | None) -> TrainConfig:
    """The config of its JSON, on another seed where one is given."""
    config = decode(json.loads(text))
    if not isinstance(config, TrainConfig):
        raise ValueError(f"this is the config of {a(type(config).__name__)}, not of a training")
    return config if seed is None else replace(config, seed=seed)


def train_alone(
    config: TrainConfig, place: str | None, say: Callable[[str], None], artifact_file: Path, code_bytes: int
) -> Evaluation:
    """Train, and write the artifact; returns the score of the artifact as it is read back from its file.

    ``place`` is where the data of the config lie, if not where their name says; ``say`` is given the lines of the log;
    ``code_bytes`` are what the artifact's size counts beside the weights.
    """
    import torch

    from trainable.evaluation.core_score import asked_in_words, ready
    from trainable.report import VALIDATION_SCORES, evaluated_by, evaluating
    from trainable.run import Run
    from trainable.train import train

    began, runtime = time.perf_counter(), Runtime.detect(precision=config.number_format)
    if runtime.device == "cpu":
        torch.set_num_threads(1)  # sums in the same order on every machine
    budget, artifact = config.budget, config.artifact or Artifact()
    needed = None if budget.steps is None else budget.steps * config.data.batch_tokens
    dataset = prepare_from(place, config.data, needed, say)
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
    say(f"wall_time:{time.perf_counter() - began:.1f}s")
    return found
