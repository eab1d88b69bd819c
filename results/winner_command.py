"""The command that trains the winner, which a search's end leaves in ``campaign.json``: only ``tuner`` can make it.

It is kept with the winner that it is of, so that it is not shown any more where a later confirmation has found another.
A campaign's folder may come from anybody, and the command is there to be copied into a shell: it is shown only as a
plain call of our program, each argument quoted.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from terminal.escape import visible

from results.statistics.confirmation import rounds, standing
from results.store.frames import Results
from results.verdicts import plain_rows_of

PROGRAM = ("python", "-m", "tuner.run")


@dataclass(frozen=True)
class WinnerCommand:
    """A command line, and whether it is of what an ablation has left of the winner."""

    line: str
    minimal: bool
    seed: int | None = None  # that it trains on; None where that is not known

    @property
    def heading(self) -> str:
        """Say what the command is, and what it does."""
        seed = "" if self.seed is None else f", on seed {self.seed}"
        return f"The {'minimal ' if self.minimal else ''}winner as a command (trains it once more, alone{seed}):"


def kept_command(results: Results) -> WinnerCommand | None:
    """The command of the winner that stands now; None where there is none, or none was kept."""
    kept = results.campaign.get("winner_command")
    if kept is None or not is_plain_call(kept["line"]):
        return None
    stands = standing(rounds(plain_rows_of(results)))
    winner = None if stands is None else stands.judgement.winner
    if winner is None or winner.arm != kept["arm"]:
        return None
    return WinnerCommand(kept["line"], kept["minimal"], _seed(results.campaign))


def _seed(campaign: Mapping[str, Any]) -> int | None:
    """The seed of the space's own base, which the command trains on; None where a search was given another one."""
    seed = (campaign.get("base") or {}).get("seed")
    return seed if isinstance(seed, int) and "seed" not in (campaign.get("overrides") or {}) else None


def is_plain_call(line: str) -> bool:
    """Tell whether a line does nothing in a shell but call our program with the arguments that are seen."""
    try:
        words = shlex.split(line)
    except ValueError:
        return False
    return tuple(words[:3]) == PROGRAM and shlex.join(words) == line == visible(line)
