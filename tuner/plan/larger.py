"""The larger scale to which a search's best are carried over: its base, its settings, and what moves on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from results.design import CARRY
from results.store.larger import name_at
from results.store.names import check_name
from search_spaces.other_scale import factors_between, settings_at
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.data.preparation import check_source
from tuner.plan import preflight
from tuner.plan.cost import tokens_of
from tuner.question import Question


@dataclass(frozen=True)
class Larger:
    """A scale beside a search's own, with the search's settings as that scale has them."""

    scale: str
    base: TrainConfig
    settings: Mapping[str, Any]
    factors: Mapping[str, float]  # knob -> factor of its searched values
    left: tuple[str, ...]  # settings and limits of the search that are the scale's own there
    carry: int


def larger_of(question: Question) -> Larger | None:
    """The scale that a search asks to be confirmed at; None where it asks for none.

    A ValueError for settings that make no valid run there.
    """
    wanted = question.spec.confirm_scale
    if wanted is None:
        return None
    space = question.original
    own, chosen = space.constraints, space.scale(wanted).base
    limits = [text for text in question.spec.constraints if text not in map(str, own)]
    try:
        settings, _ = settings_at(space, question.scale, wanted, question.overrides, {})
        factors = factors_between(space, question.base, with_values(chosen, settings))
        settings, left = settings_at(space, question.scale, wanted, question.overrides, factors)
        base: TrainConfig = with_values(chosen, settings)
    except ValueError as error:
        raise ValueError(f"--confirm-scale {wanted}: {error}") from None
    base = replace(base, precision=question.base.precision)
    carry = question.spec.carry or CARRY
    return Larger(wanted, base, settings, factors, (*left, *(f"--constraint {text}" for text in limits)), carry)


def check_larger(question: Question, name: str | None, download_now: bool) -> None:
    """Raise a ValueError, before a search begins, for what would refuse its best at the larger scale."""
    larger = larger_of(question)
    if larger is None:
        return
    if name is not None:
        check_name(name_at(name, larger.scale), "campaign name")
    try:
        check_source(larger.base.data, tokens_of(larger.base), download_now)
        preflight.look(larger.base, tokens_of(larger.base), lambda line: None, {})
    except ValueError as error:
        raise ValueError(f"--confirm-scale {larger.scale}: {error}") from None
