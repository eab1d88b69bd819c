"""Trials on the machines of one start: how many share a GPU, how many fit beside each other, and in which memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tuner.cluster import capacity, gpu_parts
from tuner.cluster.counted_shapes import Shapes, kept_or_counted
from tuner.cluster.device_memory import check_fits_somewhere
from tuner.cluster.placement import AUTO
from tuner.cluster.sharing import Sharing
from tuner.command import Start
from tuner.plan import side_by_side
from tuner.plan.checkpointing import Checkpointing, chosen_for
from tuner.question import Question
from tuner.search_methods import GP


@dataclass(frozen=True)
class Placed:
    """Choices of one start that change no result."""

    checkpointing: Checkpointing
    shapes: Shapes  # of the base
    sharing: Sharing | None = None  # None where no number of trials was to be chosen

    def to_json(self) -> dict[str, Any]:
        """Convert it to what ``campaign.json`` keeps; a number of trials that was measured earlier stays."""
        shared = {} if self.sharing is None else {"gpu_sharing": self.sharing.to_json()}
        return {"checkpointed": self.checkpointing.checkpoints, "shapes": self.shapes.to_json(), **shared}

    def of(self, question: Question) -> Question:
        """The question with the choice as if it had been asked for, as a start's trials and its plan need it."""
        checkpoints = self.checkpointing.checkpoints
        return replace(question, spec=replace(question.spec, checkpoint_activations=checkpoints))


def placed(
    question: Question, here: capacity.Cluster, start: Start, was: Mapping[str, Any]
) -> tuple[capacity.Cluster, Placed]:
    """The machines with as many trials as are worth it and their memory holds, and what was chosen for that.

    ``was`` is what ``campaign.json`` keeps of an earlier start. A ValueError for a model that no machine holds, and for
    more trials at a time than there is memory for.
    """
    # What an audit, a plan or a Gaussian process does needs torch here anyway.
    apart = (bool(was) or not start.audit) and start.planning is None and question.spec.sampler != GP
    shapes = kept_or_counted(question.base, was.get("shapes"), apart)
    check_fits_somewhere(question.base, shapes)
    found = Placed(chosen_for(question, here, start), shapes)
    if question.spec.gpu_fraction == AUTO:
        known = [question.base, *(planned.config for planned in question.planned)]
        task = side_by_side.ShortRun(question.base, found.checkpointing.checkpoints)
        measure = partial(side_by_side.speed_of, task) if start.address is None else None
        kept = None if was.get("gpu_sharing") is None else Sharing.of_json(was["gpu_sharing"])
        here, sharing = gpu_parts.settled(here, known, found.of(question).spec, start.address, measure, kept)
        found = replace(found, sharing=sharing)
    if start.address is None and start.slots is None:
        here = capacity.fitted(here, question.base, question.spec.concurrent, shapes)
    return here, found
