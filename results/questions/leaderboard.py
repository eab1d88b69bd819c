"""The best trials first, with the base among them."""

from __future__ import annotations

import pandas as pd

from results.questions.framed import changes_of, changes_text, second_objective_of
from results.questions.readable import Readable
from results.statistics.leaderboard import leaderboard

_FIRST = ("rank", "trial", "key", "status", "value", "versus_base", "rung", "last_value", "is_base", "front", "changes")


def ranked(campaign: Readable) -> pd.DataFrame:
    """Which trials are the best? A row a trial worth comparing: completed by value, then stopped by how far they came.

    - ``rank`` from 1, of a completed trial; ``trial`` (its number), ``key``, ``status``
    - ``value``: the objective at its end (in its unit; lower is better), null unless completed
    - ``versus_base``: that minus the base's, single runs of one seed and so no finding (unit of the objective)
    - ``rung`` at which it was stopped (unit of the budget), ``last_value`` that it had there (unit of the objective)
    - ``is_base``; ``front``: whether no other trial beats it in both objectives, null where there is one
    - ``changes`` from the base, as ``path=value``
    - every other column of the trials: results/store/row_types.py, and one a knob
    """
    results = campaign.read()
    board = leaderboard(results.trials, second_objective_of(results))
    board = board.rename(columns={"number": "trial"})
    board["changes"] = pd.Series([changes_text(changes_of(row)) for row in board.to_dict("records")], dtype="string")
    return board[[*_FIRST, *(name for name in board if name not in _FIRST)]]
