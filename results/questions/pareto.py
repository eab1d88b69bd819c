"""Two objectives at once: the trials that no other one beats."""

from __future__ import annotations

import pandas as pd

from results.questions.framed import COUNT, NUMBER, WORDS, changes_of, changes_text, framed, objectives_of
from results.questions.readable import Readable
from results.statistics.pareto import costs, front

_TYPES = {
    "trial": COUNT, "key": WORDS, "value": NUMBER, "second_value": NUMBER, "second_objective": WORDS, "changes": WORDS,
}  # fmt: skip


def front_in_words(board: pd.DataFrame, objective: str, second: str) -> str:
    """Say of a leaderboard's front what puts a trial there, or why none is there."""
    if not board["front"].eq(True).any():
        return f"empty, since no completed trial has both {objective} and {second}"
    return f"no other trial is as good in both {objective} and {second}"


def pareto(campaign: Readable) -> pd.DataFrame:
    """Which trials does no other one beat in both objectives? A row a trial of the front, by the first objective.

    A ValueError for a campaign of one objective.

    - ``trial`` (its number), ``key``
    - ``value``: the first objective (in its unit), ``second_value``: the second, called ``second_objective`` (in its
      unit; train_seconds are those of the run itself, without what its fidelity trained beside it)
    - ``changes`` from the base, as ``path=value``
    """
    results = campaign.read()
    objectives = objectives_of(results)
    if len(objectives) < 2:
        raise ValueError(f"a campaign of one objective ({objectives[0]}) has no front: ask for its winner")
    trials, second = results.trials, objectives[1]
    best = trials[front(trials, second)].sort_values(["value", "key"])
    second_values = costs(best, second)
    return framed(
        [
            {
                "trial": row["number"],
                "key": row["key"],
                "value": row["value"],
                "second_value": cost,
                "second_objective": second,
                "changes": changes_text(changes_of(row)),
            }
            for row, cost in zip(best.to_dict("records"), second_values, strict=True)
        ],
        _TYPES,
    )
