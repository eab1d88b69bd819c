"""Curves that are not as one expects them, for people: trials that have none, and values that are not finite."""

from __future__ import annotations

from collections.abc import Iterable

from terminal.counted import counted

from results.curves_read import curves_read
from results.store.frames import Results

HAVE_ONE = ("completed", "stopped", "plateaued", "diverged")  # statuses of runs that trained and said their curve
NAMED = 8  # trials


def curve_notes(results: Results) -> list[str]:
    """Say what is lacking in a campaign's training curves; reads those that a page draws. A ValueError as of that."""
    notes = (missing_curves(results), curves_left(results), curves_without_loss(results), not_finite_curves(results))
    return [note for note in notes if note]


def curves_left(results: Results) -> str:
    """Say how many training curves are not read, as the page does not show their trials; empty where all are."""
    found = curves_read(results)
    if found.count == found.of:
        return ""
    of = counted(found.of, "training curve")
    return f"{found.count:,} of {of} are read, those of the trials that the page shows"


def missing_curves(results: Results) -> str:
    """Say how many runs that trained have no training curve: their files are gone. Empty where all have one.

    Empty too of a compacted campaign, which keeps none, and of a train function of the user's own that tells none.
    """
    keys = results.store.curve_keys()
    rows = results.rows
    trained = rows[rows["status"].isin(HAVE_ONE) & rows["steps"].gt(0)]
    without = trained[~trained["key"].isin(keys or ())]
    tells_none = not keys and results.campaign.get("own_train") is not None
    if keys is None or tells_none or without.empty:
        return ""
    of = counted(len(trained), "run")
    has = "has" if len(without) == 1 else "have"
    lacking = f"{len(without)} of {of} that trained {has} no training curve"
    return f"{lacking}: no file in curves/ of {_named(without['number'])}"


def curves_without_loss(results: Results) -> str:
    """Say how many runs have a training curve in which there is no training loss; empty where there is none such."""
    found = curves_read(results)
    numbers = found.without_loss
    if not numbers or results.campaign.get("own_train") is not None:  # which names its curves as it likes
        return ""
    of = f"{len(numbers)} of {counted(found.count, 'training curve')}"
    return f"{of} {'has' if len(numbers) == 1 else 'have'} no values of the training loss: {_named(numbers)}"


def not_finite_curves(results: Results) -> str:
    """Say of how many runs the training curve has values that are not finite, as after a divergence."""
    if not (numbers := curves_read(results).not_finite):
        return ""
    one = len(numbers) == 1
    curves = f"the training curve{'' if one else 's'} of {counted(len(numbers), 'run')}"
    return f"{curves} {'has' if one else 'have'} values that are not finite, which are gaps: {_named(numbers)}"


def _named(numbers: Iterable[int]) -> str:
    found = sorted(map(int, numbers))
    more = f", +{len(found) - NAMED}" if len(found) > NAMED else ""
    return f"trial{'' if len(found) == 1 else 's'} {', '.join(map(str, found[:NAMED]))}{more}"
