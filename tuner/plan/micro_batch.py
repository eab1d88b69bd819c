"""Micro-batches that fit the memory of the GPUs that a campaign begins on: chosen once, said, and part of its question.

More ``data.grad_accum_steps`` train the same batch in smaller parts. Sums are then rounded in another order, so the
number is a setting of the campaign like any that a user gives: it stands in ``campaign.json`` and in every config, a
resume keeps it, and other nodes train by it.
"""

from __future__ import annotations

from dataclasses import replace

from tuner.cluster import gpus
from tuner.cluster.capacity import Cluster
from tuner.command import Start
from tuner.plan.known_devices import card, fit_in_words
from tuner.question import Question, ask

STEPS = "data.grad_accum_steps"


def memory_of_a_trial(question: Question, here: Cluster, start: Start) -> float | None:
    """Bytes that a trial may have: of the card that a plan names, or its part of the smallest GPU that is there.

    None where trials run on CPUs, or on nodes that are still to come.
    """
    planning = start.planning
    if planning is not None and planning.is_elsewhere:
        return None if planning.device is None else card(planning.device).memory_gb * 1e9
    if not here.has_gpu or (smallest := _smallest(start.address)) is None:
        return None
    part = question.spec.gpu_fraction
    return smallest * (part if isinstance(part, float) else 1.0)


def _smallest(address: str | None) -> int | None:
    """The bytes of the smallest GPU here, or on the nodes of the cluster that was joined at ``address``, if any."""
    if address is not None:
        from tuner.cluster import nodes  # with Ray

        return nodes.smallest_gpu(nodes.alive())
    try:
        return min(gpus.memory_of_each(), default=None)
    except OSError as error:
        raise ValueError(f"the GPUs of this machine do not say what memory they have: {error}") from None


def fitted(question: Question, here: Cluster, start: Start) -> Question:
    """The question of a new search with as many micro-batches a step as fit, and a line for the plan.

    A number that a user sets, or that is searched, stays: the plan says where it does not fit.
    """
    chosen = STEPS in question.overrides or any(knob.path == STEPS for knob in question.space.knobs)
    if question.replay is not None or chosen or (memory := memory_of_a_trial(question, here, start)) is None:
        return question
    from tuner.cluster.device_memory import steps_that_fit  # with torch

    was, steps = question.base.data.grad_accum_steps, steps_that_fit(question.base, memory)
    if steps == was:
        return question
    if steps is None:
        return replace(question, note=f"memory: {fit_in_words(question.base, memory)}")
    settings = {**question.overrides, STEPS: steps}
    found = replace(ask(question.original, replace(question.spec, overrides=settings)), sources=question.sources)
    less = f"with {was} a trial would need {fit_in_words(question.base, memory).partition(':')[0]}"
    return replace(
        found, note=f"memory: {STEPS}={steps}, so that a micro-batch fits: {less} (--set {STEPS}=N for another)"
    )
