"""The verdicts of a campaign as text: its candidates against the base on fresh seeds, and its winner taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from terminal.counted import counted
from terminal.short import decimals, signed

from results.design import Design
from results.statistics.ablation import Ablation, PairedDifference, ablation
from results.statistics.between_candidates import Lead, fresh_means, leads, seed_spread
from results.statistics.confirmation import MOST_PAIRS, Round, Verdict, rounds, standing
from results.statistics.leaderboard import ESTABLISHED
from results.store.row_types import TRIAL_COLUMNS, TrialRow

if TYPE_CHECKING:
    import pandas as pd

    from results.store.frames import Results

Rows = Sequence[TrialRow]


def plain_rows(runs: pd.DataFrame) -> Rows:
    """A data frame's rows as plain ones, with None for what is null, and counts whole where pandas made them floats."""
    counts = {column.name for column in TRIAL_COLUMNS if column.kind is int}
    plain = runs.astype(object)
    rows = plain.where(plain.notna(), None).to_dict("records")
    for row in rows:
        row.update({name: int(row[name]) for name in counts & row.keys() if row[name] is not None})
    return cast(Rows, rows)


def verdict_lines(results: Results) -> list[str]:
    """Say what the latest confirmation of a campaign found, a line each; nothing where none has begun."""
    rows = plain_rows(results.rows)
    found = rounds(rows)
    if not found:
        return []
    numbers = {row["key"]: int(row["number"]) for row in rows}
    lines, stands = _confirmed(found[-1], numbers), standing(found)
    asked = results.campaign.get("confirm")
    if isinstance(asked, str) and (fewer := found[-1].design.candidates) < Design.parse(asked).candidates:
        only = counted(fewer, "trial")
        lines.append(f"Asked for {asked}, but only {only} beside the base had completed: so {found[-1].design}.")
    if stands is None:
        return lines
    if stands is not found[-1]:
        winner = stands.judgement.winner
        assert winner is not None and winner.difference is not None
        name = f"trial {numbers.get(winner.arm, '?')}, {signed(winner.difference)} against the base"
        lines.append(f"The winner of confirmation {stands.number + 1} of {len(found)} stands: {name}.")
    taken_apart = ablation(stands, rows)
    return lines if taken_apart is None else [*lines, *_ablated(taken_apart)]


def verdict_table(found: Round | None, rows: Rows) -> pd.DataFrame:
    """Return a confirmation as a data frame, a row a candidate: its trial and what is known of the difference.

    ``difference`` is candidate minus base, ``low`` and ``high`` its interval; ``pairs`` are seeds. Empty for None.
    """
    import pandas as pd

    numbers = {row["key"]: int(row["number"]) for row in rows}
    verdicts = {} if found is None else found.judgement.verdicts
    known = None if found is None else seed_spread(found)
    compared = {} if found is None else {lead.arm: lead for lead in leads(found)}
    table = [
        {
            "trial": numbers.get(arm),
            "difference": verdict.difference,
            "low": None if verdict.half_width is None else (verdict.difference or 0.0) - verdict.half_width,
            "high": None if verdict.half_width is None else (verdict.difference or 0.0) + verdict.half_width,
            "pairs": verdict.pairs,
            "established": verdict.finding == ESTABLISHED,
            "better": verdict.better,
            "verdict": verdict_in_words(verdict),
            **_behind(compared.get(arm)),
            "base_sd": None if known is None else known.base_sd,
            "candidates_sd": None if known is None else known.candidates_sd,
            "spread_chance": None if known is None else known.chance,
        }
        for arm, verdict in verdicts.items()
    ]
    types = {"trial": "Int64", "difference": "float64", "low": "float64", "high": "float64", "pairs": "int64"}
    types |= {"established": "bool", "better": "bool", "verdict": "str"}
    types |= dict.fromkeys(("behind_winner", "behind_low", "behind_high"), "float64") | {"told_apart": "boolean"}
    types |= dict.fromkeys(("base_sd", "candidates_sd", "spread_chance"), "float64")
    return pd.DataFrame(table, columns=list(types)).astype(types)


def _behind(lead: Lead | None) -> dict[str, float | bool | None]:
    if lead is None:
        return {}
    half = lead.half_width
    ends = {} if half is None else {"behind_low": lead.ahead - half, "behind_high": lead.ahead + half}
    return {"behind_winner": lead.ahead, **ends, "told_apart": lead.told_apart}


def _confirmed(found: Round, numbers: Mapping[str, int]) -> list[str]:
    judgement = found.judgement
    if not judgement.seeds:
        ended = f"{len(found.runs)} of at least {counted(found.design.fewest_runs, 'run')} ended"
        return [f"Confirming {found.design}: {ended}."]
    noise = judgement.noise
    degrees = "" if noise is None else counted(noise.degrees_of_freedom, "degree")
    spread = "unknown" if noise is None else f"SD {decimals(noise.sd)} with {degrees} of freedom"
    lines = [
        f"Confirmed on fresh seeds, paired with the base ({found.design}; noise of a run: {spread}):",
        f"{'trial':>7}  {'vs base':>8}  {'95 % interval':>18}  {'pairs':>5}  verdict",
    ]
    for arm, verdict in judgement.verdicts.items():
        name = numbers.get(arm, "?")
        interval = _interval(verdict.difference, verdict.half_width)
        words = verdict_in_words(verdict)
        lines.append(f"{name:>7}  {_signed(verdict.difference):>8}  {interval:>18}  {verdict.pairs:>5}  {words}")
    number = found.design.candidates
    candidates = "the one candidate" if number == 1 else f"all {number} candidates"
    lines.append(f"The intervals are right for {candidates} and all looks together.")
    if caution := spread_in_words(found):
        lines.append(caution)
    winner = judgement.winner
    if winner is not None:
        assert winner.difference is not None
        against = f"{signed(winner.difference)} against the base{means_in_words(found, winner.arm)}"
        lines.append(f"Winner: trial {numbers.get(winner.arm, '?')}, {against}.")
        if runner_up := lead_in_words(found, numbers):
            lines.append(runner_up)
    elif judgement.over:
        lines.append("No candidate is established to be better than the base.")
    return lines


def verdict_in_words(verdict: Verdict) -> str:
    """Say what is known of a candidate, and where nothing is, what would settle it."""
    if verdict.reason:
        return f"not established: {verdict.reason}"
    if verdict.finding == ESTABLISHED:
        return f"established: {'better' if verdict.better else 'worse'}"
    if verdict.going_on:
        return f"{verdict.finding} yet; goes on"
    settle = verdict.pairs_to_settle
    pairs = f"over {counted(MOST_PAIRS, 'pair')}" if settle is None else f"about {counted(settle, 'pair')}"
    behind = "not ahead of the base; " if (verdict.difference or 0.0) >= 0 else ""
    return f"{verdict.finding}: {behind}{pairs} would settle it"


def means_in_words(found: Round, arm: str) -> str:
    """Give the means that a candidate's difference is made of: its own and the base's, on the seeds of both."""
    means = fresh_means(found, arm)
    return "" if means is None else f" (means on fresh seeds: {decimals(means[0])}, the base {decimals(means[1])})"


def spread_in_words(found: Round) -> str:
    """Say that the base varies otherwise than its candidates, and what follows; empty where no test shows that."""
    known = seed_spread(found)
    if known is None or not known.differs:
        return ""
    more, narrow = ("more", "narrow") if known.base_is_noisier else ("less", "wide")
    sds = f"SD {decimals(known.base_sd)} beside {decimals(known.candidates_sd)} over {counted(known.seeds, 'seed')}"
    test = f"(F test, p = {known.chance:.2g})"
    taken = f"The intervals take both to be alike, and may be too {narrow}."
    return f"But the base varies {more} than its candidates: {sds} {test}. {taken}"


def lead_in_words(found: Round, numbers: Mapping[str, int]) -> str:
    """Compare a round's winner with the candidate that comes next; empty without a winner or another candidate."""
    winner, compared = found.judgement.winner, leads(found)
    if winner is None or not compared:
        return ""
    near = compared[0]
    names = [f"trial {numbers.get(arm, '?')}" for arm in (winner.arm, near.arm)]
    side = "ahead of" if near.ahead >= 0 else "behind"
    seeds = f"on the same {counted(near.seeds, 'fresh seed')}"
    lead = f"{names[0].capitalize()} is {side} {names[1]} by {decimals(abs(near.ahead))} {seeds}"
    if near.half_width is None:
        return f"{lead}. Nothing tells the noise between them: either may be the better one."
    interval = f"95 % interval {_interval(near.ahead, near.half_width)}, right for all pairs of candidates"
    said = "they are told apart" if near.told_apart else "they are not told apart, either may be the better one"
    return f"{lead} ({interval}): {said}."


def _interval(middle: float | None, half: float | None) -> str:
    return "-" if middle is None or half is None else f"{signed(middle - half)} .. {signed(middle + half)}"


def _signed(value: float | None) -> str:
    return "-" if value is None else signed(value)


def _ablated(found: Ablation) -> list[str]:
    if len(found.changes) == 1:
        return ["Ablation: the winner has one change only, so there is nothing to take apart."]
    lines = ["Ablation: what the winner loses without some of its changes (paired on the same seeds):"]
    for group, effect in found.decision.tried.items():
        lines.append(f"  {_effect(effect)}  without {', '.join(group)}")
    if found.decision.wanted:
        return [*lines, f"  still to be undone: {counted(len(found.decision.wanted), 'group')} of changes"]
    left, parts = len(found.decision.kept), f"{counted(len(found.changes), 'change')} that can be undone alone"
    if left == len(found.changes):
        return [*lines, f"Each of the winner's {parts} is missed, or only together with others: all stay."]
    if found.versus_base is None or found.versus_winner is None:
        return [*lines, f"Left: {left} of {parts}; to be tried as a whole on fresh seeds."]
    tried = f"vs base {_effect(found.versus_base).strip()}, vs the winner {_effect(found.versus_winner).strip()}"
    if found.stands:
        lines.append(f"Minimal winner: {left} of {parts}, on fresh seeds {tried}:")
        return [*lines, *(f"  {path}" for path in found.decision.kept)]
    alone = "change that is left does not hold by itself"
    rest = alone if left == 1 else f"{left} changes that are left do not hold by themselves"
    return [*lines, f"The {rest} ({tried}): the whole winner stands."]


def _effect(effect: PairedDifference) -> str:
    if effect.reason:
        return f"impossible: {effect.reason}"
    said = "worse" if effect.worse else "better" if effect.better else "no difference established"
    return f"{_signed(effect.difference)} ({_interval(effect.difference, effect.half_width)}, {said})"
