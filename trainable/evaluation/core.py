"""CORE, the aggregate of 22 in-context tasks that nanochat reports: accuracies above chance, and their mean.

Source: DCLM (arXiv 2406.11794), as nanochat's core_eval.py computes it: ``core_score.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainable.component import Component
from trainable.ranges import Every

SD_OF_A_RUN = 0.0052  # of CORE over seven runs of one recipe, by nanochat's log: search_spaces/nanochat/README.md


@dataclass(frozen=True, kw_only=True)
class Core(Component):
    """Scores CORE when a run has ended, on the published questions (``eval_bundle``, downloaded once by name).

    A prompt that is longer than the longest row that the network is built for (data.seq_len or evaluation.seq_len)
    keeps its last tokens. With ``max_per_task`` the number is another one than the published CORE, which is of all
    questions, and a noisier one.
    """

    kind: ClassVar[str] = "Core"

    max_per_task: Every | None = None  # questions of each task, the first of one drawn order; null: all, as published


@dataclass(frozen=True)
class CoreScore:
    """CORE of a network, and what it is the mean of."""

    accuracies: dict[str, float]  # label of a task -> part of its questions answered right
    centred: dict[str, float]  # label -> that above chance

    @property
    def value(self) -> float:
        """CORE: 0 is chance, 1 all right."""
        return sum(self.centred.values()) / len(self.centred)
