"""Lines of a training's log as text: one form for a run that logs itself and for a kept log of a trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trainable.evaluation.artifact import Artifact

# What a curve has at every step, as a log calls it. Monitors have tens of columns: those belong into a table.
LOGGED = {"loss": "train_loss", "gradient_norm": "gradient_norm", "learning_rate": "learning_rate"}


def data_line(fingerprint: str, description: str) -> str:
    """Name the data by its fingerprint."""
    return f"data:{fingerprint} {description}"


def run_line(seed: int | None, device: str | None, precision: str | None, parameters: int | None) -> str:
    """Name what a run is, beside its config and data."""
    return f"seed:{seed} device:{device} precision:{precision} params:{parameters}"


def step_lines(
    steps: Sequence[int],
    values: Mapping[str, Sequence[float]],
    measured_at: Mapping[str, Sequence[int]],
    last: int | None,
) -> Iterator[tuple[int, str]]:
    """Yield each step of a curve with its line: the loss of its batch (nats a token), gradient norm and rate."""
    said: dict[int, list[str]] = {step: [] for step in steps}
    for name in (name for name in LOGGED if name in values):
        for step, value in zip(measured_at.get(name, steps), values[name], strict=True):
            said[step].append(f"{LOGGED[name]}:{value:.6g}")
    for step, texts in said.items():
        yield step, f"{step_text(step, last)} {' '.join(texts)}"


def score_line(step: int, last: int | None, scores: Mapping[str, float | None]) -> str:
    """Say the scores on the validation split after a step, those that there are."""
    said = " ".join(f"{name}:{value!r}" for name, value in scores.items() if value is not None)
    return f"{step_text(step, last)} {said}"


def step_text(step: int, last: int | None) -> str:
    """Name a step of as many as a run has."""
    return f"step:{step}" if last is None else f"step:{step}/{last}"


def end_line(status: str, reason: str, seconds: float | None) -> str:
    """Say how a run ended, and the time that its training took."""
    time = "" if seconds is None else f" train_time:{1000 * seconds:.0f}ms"
    return f"status:{status}{' ' if reason else ''}{reason}{time}"


def size_line(artifact: Artifact, model_bytes: int, code_bytes: int) -> str:
    """Say what a submission counts."""
    total = model_bytes + code_bytes
    return (
        f"model {_kind(artifact)}: {model_bytes} bytes, code: {code_bytes} bytes, total submission size: {total} bytes"
    )


def round_trip_line(artifact: Artifact, val_loss: float | None, val_bpb: float | None) -> str:
    """Say the score of the weights as they come back from the artifact."""
    return f"final_{_kind(artifact)}_roundtrip_exact val_loss:{val_loss!r} val_bpb:{val_bpb!r}"


def no_round_trip_line(artifact: Artifact, seed: int | None) -> str:
    """Say that the weights of a run were not there to be packed."""
    why = f"not measured, as the weights of this run were not kept: SEED={seed} python train_gpt.py measures it"
    return f"final_{_kind(artifact)}_roundtrip: {why}"


def _kind(artifact: Artifact) -> str:
    return f"int{artifact.bits}_{artifact.compressor}"
