"""All questions to one campaign, by the name of their function."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from results.questions.edges import edges
from results.questions.effects import effects
from results.questions.framed import objectives_of
from results.questions.importance import importance
from results.questions.leaderboard import ranked
from results.questions.next_steps import next_steps
from results.questions.noise import noise
from results.questions.pareto import pareto
from results.questions.progression import progression
from results.questions.readable import Readable
from results.questions.time import slot_seconds, time
from results.questions.transfer import transfer
from results.questions.verdicts import verdicts
from results.questions.winner import winner
from results.store.frames import Results

QUESTIONS: dict[str, Callable[[Readable], pd.DataFrame]] = {
    "leaderboard": ranked,
    "winner": winner,
    "verdicts": verdicts,
    "pareto": pareto,
    "effects": effects,
    "noise": noise,
    "progression": progression,
    "time": time,
    "slots": slot_seconds,
    "importance": importance,
    "edges": edges,
    "next_steps": next_steps,
    "transfer": transfer,
}
ROW_FRAMES = ("trials", "confirmations", "reports")  # what all of them are made of


def answers(campaign: Readable) -> dict[str, pd.DataFrame]:
    """The answer to every question that fits the campaign, all from one reading, and its rows.

    One objective has a winner, two have a front.
    """
    results = campaign.read()
    unfit = _unfit(results)
    found = {name: ask(results) for name, ask in QUESTIONS.items() if name != unfit}
    return found | {name: getattr(results, name) for name in ROW_FRAMES}


def _unfit(results: Results) -> str:
    return "pareto" if len(objectives_of(results)) == 1 else "winner"
