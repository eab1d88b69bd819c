"""Seconds of a trial beside its training: evaluations, and its start. A plan without them is too low by a tenth or so.

On two cores of a cloud machine, 204 trainings (results/recorded/) and a search spent 6 to 13 % of their time on
evaluations, and between the end of a trial and the first step of the next passed 1 to 3 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainable.config import TrainConfig
from trainable.data.preparation import known_validation_targets, known_vocab_size
from trainable.evaluation.evaluate import batch_tokens

RAY_SECONDS = 15.0  # Ray's start and the imports of its first workers; 12 to 20 s on two cores
START_SECONDS = 1.5  # of a trial: it is proposed, written down, handed to a worker and built
FORWARD = 1 / 3  # of the arithmetic of a training step, whose backward pass takes twice as much


@dataclass(frozen=True)
class Beside:
    """Seconds of a trial's start, of an evaluation on the way, and of those at its end."""

    start: float = 0.0
    on_the_way: float = 0.0
    at_the_end: float = 0.0
    compiling: float = 0.0  # of the start
    known: bool = True  # whether evaluations are in it: how much text there is, is not known before it is read

    def of(self, reports: int) -> float:
        """Seconds beside the training of a trial with so many evaluations on the way."""
        return self.start + reports * self.on_the_way + self.at_the_end


def evaluations_at_the_end(config: TrainConfig) -> float:
    """Return the time of a trial's end, in evaluations on its way; 1 where that is not known."""
    found = beside(config, 1.0)
    return found.at_the_end / found.on_the_way if found.on_the_way else 1.0


def work_of(config: TrainConfig) -> float:
    """Return the arithmetic of a budget unit of training (FLOPs); 1 where the budget is in FLOPs or seconds."""
    unit = config.budget.unit
    if unit in ("flops", "seconds"):
        return 1.0
    vocab = known_vocab_size(config.data) or config.data.vocab_size
    each = float(config.model.flops_per_token(vocab, config.data.seq_len))
    return each * config.data.batch_tokens if unit == "steps" else each


def beside(
    config: TrainConfig, tokens_per_second: float | None, pass_seconds: float = 0.0, compiling: float = 0.0
) -> Beside:
    """Return what a trial of ``config`` does beside its training, at that speed of training.

    A forward pass of an evaluation takes a GPU's host ``pass_seconds`` to launch, and its start includes the seconds of
    ``compiling``.
    """
    evaluation = config.evaluation
    tokens = evaluation.tokens or known_validation_targets(config.data)
    if tokens is None or not tokens_per_second:
        return Beside(START_SECONDS + compiling, compiling=compiling, known=False)
    vocab = known_vocab_size(config.data) or config.data.vocab_size

    def scored(tokens: int) -> float:
        launched = math.ceil(tokens / batch_tokens(evaluation, vocab, "cuda")) * pass_seconds
        return max(tokens * FORWARD / tokens_per_second, launched)

    plain, on_the_way = scored(tokens), scored(evaluation.plain.tokens or tokens)
    passes = evaluation.seq_len / (evaluation.stride or evaluation.seq_len)  # each window scores its last targets
    if evaluation.ttt is not None:
        passes += evaluation.ttt.epochs / FORWARD
    exported = 1 if config.artifact is None else 2  # the weights as they are, and as they are exported
    return Beside(START_SECONDS + compiling, on_the_way, plain * passes * exported, compiling)
