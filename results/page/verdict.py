"""The verdict on a campaign in a sentence: what is known, how well, and how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from terminal.counted import counted
from terminal.short import decimals, signed

from results.page.confirmed import going_on
from results.page.plain import json_number
from results.plain_rows import plain_rows
from results.questions.pareto import front_in_words
from results.replays.comparison import compare
from results.statistics.confirmation import Round, standing
from results.statistics.judgement import Verdict
from results.statistics.leaderboard import CONFIDENCE, begun, leaderboard, searched, without_texts
from results.store.frames import Results
from results.store.row_types import TRIAL_COLUMNS
from results.store.statuses import CONFIRM, UNFINISHED
from results.tally import tally_of
from results.unmet_limits import Nearest, nearest_to_limits
from results.verdicts import (
    corrected_in_words,
    escapes_in_words,
    lead_in_words,
    plateau_in_words,
    spread_in_words,
)


@dataclass(frozen=True)
class Sentence:
    """``tone`` is what it amounts to: confirmed, open (nobody knows yet), none (no difference was found) or failed."""

    sentence: str
    tone: str
    trial: int | None = None  # its number: the winner's, or the best that is known
    confirmed: bool = False
    difference: float | None = None  # against the base; below 0 is better
    low: float | None = None
    high: float | None = None

    def plain(self) -> dict[str, Any]:
        """Convert it to JSON of the page."""
        ends = {name: json_number(getattr(self, name)) for name in ("difference", "low", "high")}
        return {"sentence": self.sentence, "tone": self.tone, "trial": self.trial, "confirmed": self.confirmed, **ends}


def sentence_of(results: Results, trials: pd.DataFrame, found: list[Round]) -> Sentence:
    """The most that can be said of the campaign as it stands."""
    tried, campaign = searched(trials), results.campaign
    running = _running(tried, campaign)
    objectives = campaign.get("objectives") or []
    completed = tried[(tried["status"] == "completed") & tried["value"].notna()]
    if completed.empty:
        unmet = nearest_to_limits(campaign, plain_rows(tried))
        return _of_none(tried, running) if unmet is None else _of_unmet(unmet, running)
    if campaign.get("recorded") is not None:
        return _of_a_replay(results, completed, running)
    if len(objectives) > 1:
        return _of_two(tried, objectives, running)
    if (stands := standing(found)) is not None:
        return _confirmed(stands, trials, running)
    return _unconfirmed(tried, trials, found, running)


def _confirmed(stands: Round, trials: pd.DataFrame, running: str) -> Sentence:
    winner = stands.judgement.winner
    assert winner is not None
    row = trials[trials["key"] == winner.arm].iloc[0]
    others = stands.design.candidates
    right = "the one candidate" if others == 1 else f"all {others} candidates"
    sentence = (
        f"Trial {row['number']} is better than the base: {_by_how_much(winner, row['objective'])}. The interval is "
        f"right for {right} and all looks together."
    )
    numbers = {key: int(number) for key, number in zip(trials["key"], trials["number"], strict=True)}
    more = [
        corrected_in_words(stands),
        plateau_in_words(stands),
        spread_in_words(stands),
        lead_in_words(stands, numbers),
    ]
    sentence = " ".join([sentence, *filter(None, more)]) + running
    return Sentence(sentence, "confirmed", int(row["number"]), True, winner.difference, winner.low, winner.high)


def _by_how_much(winner: Verdict, objective: str) -> str:
    """Say in what the winner differs from the base, with the interval."""
    said = [] if winner.escapes is None or not winner.escapes_more else [escapes_in_words(winner.escapes)]
    if winner.difference is not None and winner.low is not None and winner.high is not None and winner.lower:
        said.append(
            f"{objective}{_unit(objective)} {signed(winner.difference)}, 95 % interval {signed(winner.low)} to "
            f"{signed(winner.high)}, on {counted(winner.pairs, 'fresh seed')} paired with the base"
        )
    return "; ".join(said)


def _unconfirmed(tried: pd.DataFrame, trials: pd.DataFrame, found: list[Round], running: str) -> Sentence:
    best = leaderboard(without_texts(tried)).iloc[0]
    objective, name = best["objective"], int(best["number"])
    against = "" if pd.isna(best["versus_base"]) else f", {signed(best['versus_base'])} against the base"
    if found and found[-1].complete and found[-1].judgement.over:
        noise = found[-1].judgement.noise
        spread = "" if noise is None else f" The noise of a run is SD {decimals(noise.sd)}."
        number = len(found[-1].candidates)
        none = "The one candidate is not" if number == 1 else f"None of {counted(number, 'candidate')} is"
        sentence = f"{none} established to be better than the base on fresh seeds.{spread}{running}"
        return Sentence(sentence, "none", name)
    if best["is_base"]:
        value = decimals(best["value"])
        sentence = f"No trial beats the base config, {objective}{_unit(objective)} {value} on one seed.{running}"
        return Sentence(sentence, "none", name)
    state = "It is one run of one seed, not yet a finding."
    if found:
        rows = [row for row in plain_rows(trials) if row["stage"] == CONFIRM and row["round"] == found[-1].number]
        state = going_on(row["status"] for row in rows)
    lead = "is the best so far" if running else "has the lowest value"
    sentence = (
        f"Trial {name} {lead}: {objective}{_unit(objective)} {decimals(best['value'])}{against}. {state}{running}"
    )
    return Sentence(sentence, "open", name)


def _of_two(tried: pd.DataFrame, objectives: list[str], running: str) -> Sentence:
    board = leaderboard(without_texts(tried), objectives[1])
    number = int(board["front"].eq(True).sum())
    ranked = int(board["rank"].notna().sum())
    verb = "is" if number == 1 else "are"
    sentence = (
        f"{number} of {counted(ranked, 'completed trial')} {verb} on the front of {objectives[0]} and "
        f"{objectives[1]}: {front_in_words(board, *objectives[:2])}. Each is one run of one seed.{running}"
    )
    return Sentence(sentence, "open")


def _of_a_replay(results: Results, completed: pd.DataFrame, running: str) -> Sentence:
    best = int(completed.sort_values(["value", "key"]).iloc[0]["number"])
    comparison = compare(results)
    found, noise = comparison.correlation, comparison.measured_noise
    if found is None:
        runs = int(comparison.runs["measured"].notna().sum())
        return Sentence(
            f"{counted(runs, 'recorded run')} trained again, too few to compare ranks.{running}", "open", best
        )
    spread = "" if noise is None else f" The noise of a run here is SD {decimals(noise.sd)}."
    sentence = (
        f"Trained again, {counted(found.pairs, 'recorded run')} rank as in the log with a correlation of "
        f"{found.value:.2f}, {CONFIDENCE:.0%} interval {found.low:.2f} to {found.high:.2f}.{spread}{running}"
    )
    return Sentence(sentence, "confirmed" if found.low > 0 else "open", best)


def _of_none(tried: pd.DataFrame, running: str) -> Sentence:
    ends = tally_of(tried).in_words
    if running:
        return Sentence(f"No trial has completed yet ({ends or 'none has started'}).{running}", "open")
    return Sentence(f"No trial completed: {ends}." if ends else "No trial has started.", "failed")


def _of_unmet(unmet: Nearest, running: str) -> Sentence:
    if running:
        return Sentence(f"{unmet.fact}.{running}", "open", unmet.trial)
    return Sentence(f"{unmet.fact}. To go on, {unmet.advice}.", "failed", unmet.trial)


def _running(tried: pd.DataFrame, campaign: dict[str, Any]) -> str:
    """Count the trials still to come, in a sentence; empty for a search that is over."""
    unfinished, started = int(tried["status"].isin(UNFINISHED).sum()), len(begun(tried))
    ended, asked = started - unfinished, int(campaign.get("trials") or started)
    if not unfinished and ended >= asked:
        return ""
    interrupted = int(tried["status"].eq("interrupted").sum())
    rest = f"{unfinished - interrupted} under way" + (f", {interrupted} interrupted" if interrupted else "")
    return f" The search is not over: {ended} of {counted(asked, 'trial')} ended, {rest}."


def _unit(objective: str) -> str:
    unit = next((column.unit for column in TRIAL_COLUMNS if column.name == objective), "")
    return f" ({unit})" if unit else ""
