"""Scores of weights that were read again: in full, and as the small file that parameter golf judges."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainable.config import TrainConfig
from trainable.evaluation import artifact as artifacts
from trainable.evaluation.artifact import Artifact
from trainable.evaluation.evaluate import Evaluation
from trainable.evaluation.source_bytes import source_bytes
from trainable.report import evaluated_by, evaluating
from trainable.run import Run


def scored_again(run: Run) -> Evaluation:
    """The final score of weights, as the run had it that left them; CORE's questions are not asked again."""
    with evaluating(run):
        return evaluated_by(run, replace(run.config.evaluation, core=None))


@dataclass(frozen=True)
class Packed:
    """The artifact of weights: its bytes, and the score of what they come back as."""

    settings: Artifact
    data: bytes
    code_bytes: int
    score: Evaluation

    @property
    def total_bytes(self) -> int:
        """Bytes that count against the limit."""
        return len(self.data) + self.code_bytes

    @property
    def precision(self) -> str:
        """Say how many parameters the file holds as integers, and of how many bits: few of a small network, or none."""
        settings, (integers, parameters) = self.settings, artifacts.integer_elements(self.data)
        tables = " (8 in token tables)" if settings.embedding == "int8" and settings.bits != 8 and integers else ""
        told = (
            f"{settings.bits} bits{tables} for {f'{integers:,}' if integers else 'none'} of {parameters:,} parameters"
        )
        if integers:
            return told
        return f"{told} (no tensor has over {settings.keep_elements:,} elements, so all stay fp16 or fp32)"


def settings_of(config: TrainConfig, bits: int | None, compressor: str | None) -> Artifact:
    """The artifact that the config asks for, else the competition's, with what is asked for in place of its fields.

    A ValueError for a compressor that does not exist.
    """
    found = config.artifact or Artifact()
    named = {"bits": bits, "compressor": compressor}
    asked = {name: value for name, value in named.items() if value is not None}
    return Artifact(**{**vars(found), **asked})


def packed_bytes(run: Run, settings: Artifact) -> bytes:
    """The artifact's file."""
    return artifacts.pack(run.network, settings)


def packed(run: Run, config: TrainConfig, settings: Artifact, data: bytes) -> Packed:
    """The artifact of a file that was read again. A ValueError where it is damaged, or of another model."""
    with artifacts.replaced(run.network, artifacts.load(data)), evaluating(run):
        score = evaluated_by(run, replace(config.evaluation, core=None))
    code = source_bytes(config) if settings.code_bytes is None else settings.code_bytes
    return Packed(settings, data, code, score)
