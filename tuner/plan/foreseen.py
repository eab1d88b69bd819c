"""Expectations of a plan, of a trial like the base and of the campaign, held against its limits and its hours.

Trials may be quicker than the base, or smaller. So nothing is refused: whoever set the limits is told the number that
is expected, the limit, and what will happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search_spaces.constraints import Constraint
from terminal.duration import duration, durations
from terminal.short import decimals
from trainable.config import TrainConfig
from tuner.plan.already_measured import AsMeasured
from tuner.plan.cost import Plan

IS_LEFT = "is left for --resume"


@dataclass(frozen=True)
class Foreseen:
    """Numbers that are expected; None where nothing tells.

    Of a trial like the base its measures by their names, and the seconds until its end; of the campaign the seconds of
    the search, and those of all of it at least and at most. ``measured`` is what trials have measured already, which
    goes before what is expected.
    """

    measures: dict[str, float]
    trial: float | None = None
    search: float | None = None
    whole: tuple[float, float] | None = None
    measured: Mapping[str, AsMeasured] = field(default_factory=dict)


def measures_of(
    config: TrainConfig, cost: Plan, tokens_per_second: float | None, memory: float | None
) -> dict[str, float]:
    """The measures of a trial that limits may be on, as far as a plan has them; ``memory`` in bytes of a device."""
    found: dict[str, float] = {}
    if tokens_per_second:
        found["step_seconds"] = config.data.batch_tokens / tokens_per_second
    if cost.seconds is not None:
        found |= {"train_seconds": cost.seconds, "train_minutes": cost.seconds / 60}
    if memory is not None:
        found["peak_memory_bytes"] = memory
    return found


def beyond_limits(limits: Sequence[Constraint], foreseen: Foreseen) -> list[str]:
    """Say in a line each which limits a trial like the base is beyond, as measured where it was, else as expected."""
    lines = []
    for limit in limits:
        known = foreseen.measured.get(limit.measure)
        value = foreseen.measures.get(limit.measure) if known is None else known.value
        if value is None or limit.excess(value) <= 0:
            continue
        said = f"{value:,.0f}" if value >= 1000 else decimals(value)
        if known is None:
            whose, would = f"about {said} is expected of a trial like the base", "it would be"
        else:
            whose, would = f"{said} was measured {known.of}", "that is"
        lines.append(
            f"limit: {limit}, and {whose}, {_times(value / limit.bound)} times that: {would} infeasible; "
            "where all are, nothing is won or confirmed"
        )
    return lines


def _times(factor: float) -> str:
    """A factor in 3 digits, or in as many as tell it from 1: ``1.001``."""
    if factor >= 999.5:
        return f"{factor:,.0f}"
    texts = (f"{factor:.{digits}g}" for digits in range(3, 18))
    return next((text for text in texts if float(text) != 1), "1")


def too_few_hours(hours: float, foreseen: Foreseen) -> str:
    """Say what so few hours will cut off of what is expected; empty where nothing is known to be."""
    seconds, whole = 3600 * hours, foreseen.whole
    given, undone = f"--hours {hours:g} is {duration(seconds)}, and", f"what is not done {IS_LEFT}"
    if foreseen.trial is not None and seconds < foreseen.trial:
        takes = duration(foreseen.trial)
        return f"{given} a whole trial takes about {takes}: none will have completed; what runs {IS_LEFT}"
    if foreseen.search is not None and seconds < foreseen.search:
        after = "" if whole is None or whole[1] <= foreseen.search else ", and no confirmation begins"
        return f"{given} the search takes about {duration(foreseen.search)}: it is cut{after}; {undone}"
    if whole is not None and seconds < whole[1]:
        may = "is" if seconds < whole[0] else "may be"
        return f"{given} all of it takes about {durations(*whole)}: the confirmation {may} cut; {undone}"
    return ""
