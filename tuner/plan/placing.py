"""Trials on the machines of one start: how many share a GPU, how many fit beside each other, and in which memory."""

from __future__ import annotations

from dataclasses import replace

from tuner.cluster import capacity, gpu_parts
from tuner.cluster.device_memory import check_fits_somewhere
from tuner.cluster.placement import AUTO
from tuner.command import Start
from tuner.plan.checkpointing import Checkpointing, chosen_for
from tuner.question import Question


def placed(question: Question, here: capacity.Cluster, start: Start) -> tuple[capacity.Cluster, Checkpointing]:
    """The machines with as many trials as their memory holds, and whether these checkpoint their activations.

    A ValueError for a model that no machine holds, and for more trials at a time than there is memory for.
    """
    check_fits_somewhere(question.base)
    chosen = chosen_for(question, here, start)
    if question.spec.gpu_fraction == AUTO:
        known = [question.base, *(planned.config for planned in question.planned)]
        here = gpu_parts.settled(here, known, with_choice(question, chosen).spec, start.address)
    if start.address is None and start.slots is None:
        here = capacity.fitted(here, question.base, question.spec.concurrent)
    return here, chosen


def with_choice(question: Question, chosen: Checkpointing) -> Question:
    """The question with the choice as if it had been asked for, as a start's trials and its plan need it."""
    return replace(question, spec=replace(question.spec, checkpoint_activations=chosen.checkpoints))
