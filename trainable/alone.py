"""One training from a config alone, with its log as text and its artifact as a file: what a submission runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from trainable.component_json import decode
from trainable.config import TrainConfig
from trainable.data.preparation import prepare
from trainable.evaluation import artifact as artifacts
from trainable.evaluation.artifact import Artifact
from trainable.evaluation.evaluate import Evaluation
from trainable.runtime import Runtime


def config_of_text(text: str, data: str | None, seed: int | None) -> TrainConfig:
    """The config of its JSON, with data at another place and on another seed where those are given."""
    config = decode(json.loads(text))
    if not isinstance(config, TrainConfig):
        raise ValueError(f"this is the config of a {type(config).__name__}, not of a training")
    if data is not None:
        config = replace(config, data=replace(config.data, source=data))
    return config if seed is None else replace(config, seed=seed)


def train_alone(config: TrainConfig, say: Callable[[str], None], artifact_file: Path, code_bytes: int) -> Evaluation:
    """Train, and write the artifact; returns the score of the artifact as it is read back from its file.

    ``say`` is given the lines of the log, ``code_bytes`` are what the artifact's size counts beside the weights.
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
    dataset = prepare(config.data, train_tokens_needed=needed, say=say)
    say(f"data:{dataset.fingerprint} {dataset.description}")
    if config.evaluation.core is not None:
        say(asked_in_words(ready(config.evaluation.core, say)))
    run = Run.start(replace(config, artifact=None), dataset, runtime)
    say(f"seed:{config.seed} device:{runtime.device_name} precision:{runtime.precision} params:{run.num_parameters}")
    *_, report = train(run)
    curve = run.curve.plain()
    for step, loss in zip(curve["steps"], curve["values"]["loss"], strict=True):
        say(f"step:{step}/{report.step} train_loss:{loss:.6g}")
    scores = {name: getattr(report, name) for name in VALIDATION_SCORES}
    said = " ".join(f"{name}:{value!r}" for name, value in scores.items() if value is not None)
    say(f"step:{report.step}/{report.step} {said}")
    if report.core is not None:
        say(f"core:{report.core!r}")
    say(f"status:{report.status} {report.reason}train_time:{1000 * report.seconds:.0f}ms")
    with evaluating(run):
        artifact_file.write_bytes(artifacts.pack(run.network, artifact))
        data = artifact_file.read_bytes()
        with artifacts.replaced(run.network, artifacts.load(data)):
            found = evaluated_by(run, replace(config.evaluation, core=None))
    kind = f"int{artifact.bits}_{artifact.compressor}"
    total = len(data) + code_bytes
    say(f"model {kind}: {len(data)} bytes, code: {code_bytes} bytes, total submission size: {total} bytes")
    say(f"final_{kind}_roundtrip_exact val_loss:{found.loss!r} val_bpb:{found.bpb!r}")
    say(f"wall_time:{time.perf_counter() - began:.1f}s")
    return found
