"""The command that trains the winner, which a search's end leaves in ``campaign.json``: only ``tuner`` can make it.

It is kept with the winner that it is of, so that it is not shown any more where a later confirmation has found another.
A campaign's folder may come from anybody, and the command is there to be copied into a shell: it is shown only as a
plain call of our program, each argument quoted.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from terminal.escape import visible

from results.statistics.confirmation import rounds, standing
from results.store.frames import Results
from results.verdicts import plain_rows

PROGRAM = ("python", "-m", "tuner.run")


@dataclass(frozen=True)
class WinnerCommand:
    """A command line, and whether it is of what an ablation has left of the winner."""

    line: str
    minimal: bool


def kept_command(results: Results) -> WinnerCommand | None:
    """The command of the winner that stands now; None where there is none, or none was kept."""
    kept = results.campaign.get("winner_command")
    if kept is None or not is_plain_call(kept["line"]):
        return None
    stands = standing(rounds(plain_rows(results.rows)))
    winner = None if stands is None else stands.judgement.winner
    return WinnerCommand(kept["line"], kept["minimal"]) if winner is not None and winner.arm == kept["arm"] else None


def is_plain_call(line: str) -> bool:
    """Tell whether a line does nothing in a shell but call our program with the arguments that are seen."""
    try:
        words = shlex.split(line)
    except ValueError:
        return False
    return tuple(words[:3]) == PROGRAM and shlex.join(words) == line == visible(line)
