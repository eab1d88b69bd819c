"""No loss term makes the host wait for the device, and an evaluation does so once for each score that it reports.

Seen on a CPU by the operations that torch dispatches, as those of hooks are (test_waits_of_every_hook.py).
"""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from benchmarks.gpu.waiting import Waits
from trainable import objective, train
from trainable.compiled_objective import build_objective
from trainable.component import components
from trainable.component_paths import with_values
from trainable.data.characters import CharacterCounter
from trainable.evaluation.evaluate import EvaluationConfig, evaluate
from trainable.evaluation.ttt import TTT
from trainable.run import Run
from trainable.runtime import Runtime

STEPS = 3
TERMS = components("loss term")
EVALUATIONS = {
    "plain": EvaluationConfig(seq_len=16, batch_tokens=32),
    "a batch that reaches back": EvaluationConfig(tokens=112, seq_len=16, batch_tokens=48),
    "overlapping": EvaluationConfig(tokens=128, seq_len=16, batch_tokens=32, stride=5),
    "mainrun": EvaluationConfig(tokens=64, seq_len=16, batch_tokens=32, mainrun_rows=2),
    "learning": EvaluationConfig(tokens=256, seq_len=16, batch_tokens=64, ttt=TTT(chunk_tokens=64, batch_tokens=32)),
}


def waits_of_steps(config, dataset) -> Counter[str]:
    run = Run.start(config, dataset, Runtime())
    chosen = build_objective(run)
    seen = Waits()
    for _ in range(STEPS):
        step, run.position = objective.next_step(run, chosen, run.config.budget.fraction(run.spent))
        with seen:
            run.account(train.take(run, step))
    return seen.at


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.__name__)
def test_a_step_with_the_loss_term_reads_nothing_and_copies_nothing_from_the_host(term, tiny, dataset) -> None:
    config = with_values(tiny, term.needs)
    for number in ("example", "neutral"):
        found = waits_of_steps(dataclasses.replace(config, losses=(getattr(term, number)(),)), dataset)
        assert found == {}, number


def test_a_cross_entropy_in_pieces_reads_nothing_either(tiny, dataset) -> None:
    assert waits_of_steps(dataclasses.replace(tiny, loss_chunks=4), dataset) == {}


@pytest.mark.parametrize("name", EVALUATIONS)
def test_an_evaluation_reads_the_device_once_a_score_however_many_batches_it_has(name, tiny, dataset) -> None:
    config = EVALUATIONS[name]
    characters = CharacterCounter(np.ones(dataset.vocab_size, dtype=np.int64))
    dataset = dataclasses.replace(dataset, characters=characters)
    network = Run.start(tiny, dataset, Runtime()).network.eval()
    with Waits() as seen:
        evaluate(network, dataset, config, "cpu")
    reads = {at: count for at, count in seen.at.items() if at.startswith("read")}  # arrays of the host are no wait
    assert sum(reads.values()) == (2 if config.mainrun_rows else 1), reads
