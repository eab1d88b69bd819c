"""The latest confirmation: what fresh seeds say of each candidate."""

from __future__ import annotations

import pandas as pd

from results.questions.readable import Readable
from results.statistics.confirmation import rounds
from results.verdicts import plain_rows_of, verdict_table


def verdicts(campaign: Readable) -> pd.DataFrame:
    """Which candidates are better than the base on fresh seeds? A row a candidate of the latest confirmation.

    Empty before one has begun.

    - ``trial`` (its number)
    - ``difference``: candidate minus base, the mean of ``pairs`` (count) on fresh seeds, with the interval ``low`` to
      ``high``, which is right for all candidates and looks together in 95 % (unit of the objective)
    - ``established``: whether a difference is; ``better``: whether it is established to be better
    - ``verdict`` in words, and where nothing is established what would settle it
    - ``corrected``: of the winner, the difference that is to be expected again, without the luck of the best of several
      and of the look that ended it (unit of the objective); null for the others
    - ``escaped`` of ``of_runs``, ``base_escaped`` of ``of_base_runs`` (counts): where some runs stayed on a plateau or
      diverged, those that did not. ``difference`` is then of runs that escaped. ``chance_difference``: the candidate's
      share minus the base's (fractions; above 0 is better), with the interval ``chance_low`` to ``chance_high``, which
      is right together with all others. Null where no config had runs of both kinds
    - ``behind_winner``: candidate minus winner, the mean on the seeds of both, with the interval ``behind_low`` to
      ``behind_high``, which is right for all pairs of candidates and looks together in 95 % (unit of the objective);
      ``told_apart``: whether it leaves out 0. Null for the winner itself, and without one
    - ``base_sd`` and ``candidates_sd``, the same in each row: the base's standard deviation over the seeds, and that of
      all candidates together (unit of the objective). ``spread_chance``: how likely a ratio as far from 1 is where both
      are alike (F test, two-sided). Intervals allow for it, but for those of campaigns from before each difference had
      a noise of its own: up to 0.05 these may be too narrow, where the base varies more, or too wide
    """
    rows = plain_rows_of(campaign.read())
    found = rounds(rows)
    return verdict_table(found[-1] if found else None, rows)
