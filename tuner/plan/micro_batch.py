"""Micro-batches that fit the memory of the GPUs that a campaign begins on: chosen once, said, and part of its question.

More ``data.grad_accum_steps`` train the same batch in smaller parts. Sums are then rounded in another order, so the
number is a setting of the campaign like any that a user gives: it stands in ``campaign.json`` and in every config, a
resume keeps it, and other nodes train by it. Where the smallest parts are still too large, activations are checkpointed
(``checkpointing.py``: no setting, as it changes no result), and then the cross-entropy is computed in pieces as well
(``loss_chunks``, a setting: its sums are rounded in another order).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tuner.cluster import gpus
from tuner.cluster.capacity import Cluster
from tuner.command import Start
from tuner.plan.known_devices import card, fit_in_words
from tuner.question import Question, ask

MICRO_BATCHES, CHUNKS = "data.grad_accum_steps", "loss_chunks"
FEWER_LOGITS = 8  # pieces of the cross-entropy: an eighth of the logits at a time


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
    if question.replay is not None or _is_chosen(question, MICRO_BATCHES):
        return question
    if (memory := memory_of_a_trial(question, here, start)) is None:
        return question
    from tuner.cluster.device_memory import steps_that_fit  # with torch

    base = question.base
    for checkpointing, chunks in _ways(question):
        steps = steps_that_fit(replace(base, loss_chunks=chunks), memory, checkpointing)
        if steps is not None:
            break
    else:
        asked = bool(question.spec.checkpoint_activations)
        return replace(question, note=f"memory: {fit_in_words(base, memory, asked)}")
    wanted = {MICRO_BATCHES: steps, CHUNKS: chunks}
    was = {MICRO_BATCHES: base.data.grad_accum_steps, CHUNKS: base.loss_chunks}
    changed = {path: value for path, value in wanted.items() if value != was[path]}
    if not changed:
        return question
    found = ask(question.original, replace(question.spec, overrides={**question.overrides, **changed}))
    less = fit_in_words(base, memory).partition(":")[0]
    set_to = ", ".join(f"{path}={value}" for path, value in changed.items())
    others = " ".join(f"--set {path}=N" for path in changed)
    also = " with checkpointed activations" if checkpointing else ""
    with_was = f"with {was[MICRO_BATCHES]} a trial would need {less}"
    note = f"memory: {set_to}, so that a micro-batch fits{also}: {with_was} ({others} for another)"
    return replace(found, sources=question.sources, note=note)


def _ways(question: Question) -> Iterator[tuple[bool, int]]:
    """Ways to need less memory than by small micro-batches alone, the cheapest first: checkpointing, loss chunks."""
    base, asked = question.base, question.spec.checkpoint_activations
    for checkpointing in (False, True) if asked is None else (asked,):
        yield checkpointing, base.loss_chunks
    terms = bool(base.losses) or any(knob.path.startswith("losses.") for knob in question.space.knobs)
    if not (terms or _is_chosen(question, CHUNKS)):
        yield asked is not False, max(FEWER_LOGITS, base.loss_chunks)


def _is_chosen(question: Question, path: str) -> bool:
    """Tell whether a user has set a value, or it is searched."""
    return path in question.overrides or any(knob.path == path for knob in question.space.knobs)
