"""Decision to checkpoint activations: where a trial would not fit its GPU otherwise, whatever its micro-batch.

It costs time (the blocks' forward pass a second time, a third more arithmetic) and changes no result, so it is no part
of a trial's key: each start of a campaign decides anew, by the GPUs that are there, as it does of compiling.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuner.cluster.capacity import Cluster
from tuner.command import Start
from tuner.plan.micro_batch import memory_of_a_trial
from tuner.question import Question


@dataclass(frozen=True)
class Checkpointing:
    """The choice, and its reason in words; empty where there was none to make."""

    checkpoints: bool
    why: str


def chosen_for(question: Question, here: Cluster, start: Start) -> Checkpointing:
    """The choice for one start of a campaign, or for a plan of one."""
    if (asked := question.spec.checkpoint_activations) is not None:
        return Checkpointing(asked, "yes (--checkpoint-activations)" if asked else "no (--no-checkpoint-activations)")
    memory = memory_of_a_trial(question, here, start)
    return Checkpointing(False, "") if memory is None else by_memory(question, memory)


def by_memory(question: Question, memory: float) -> Checkpointing:
    """Choose for a trial that may have so many bytes of a GPU: only where it helps and nothing else does."""
    from tuner.cluster.device_memory import fits, needed_by  # with torch

    without = needed_by(question.base)
    if fits(without.total, memory):
        return Checkpointing(False, "")
    found = needed_by(question.base, True)
    if not fits(found.total, memory):
        return Checkpointing(False, "")  # what would help is said with what it needs
    need = f"about {found.total / 1e9:,.3g} GB of {memory / 1e9:.3g}, without {without.total / 1e9:,.3g}"
    why = f"a trial then needs {need}"
    return Checkpointing(True, f"yes: {why} (--no-checkpoint-activations for the other)")
