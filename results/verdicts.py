"""The verdicts of a campaign as text: its candidates against the base on fresh seeds, and its winner taken apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from terminal.counted import counted, counted_range
from terminal.short import decimals, in_column, signed

from results.design import Design
from results.plain_rows import Rows, row_views
from results.statistics.ablation import Ablation, PairedDifference, ablation
from results.statistics.between_candidates import Lead, fresh_means, leads, seed_spread
from results.statistics.chance_of_escape import Escapes
from results.statistics.confirmation import Round, rounds, standing
from results.statistics.corrected import corrected
from results.statistics.judgement import MOST_PAIRS, Verdict
from results.statistics.leaderboard import ESTABLISHED
from results.statistics.studentized import FALSE_BETTER, FALSE_WORSE
from results.store.statuses import SEARCH

if TYPE_CHECKING:
    import pandas as pd

    from results.store.frames import Results


def plain_rows_of(results: Results) -> Rows:
    """All runs of a campaign as plain rows, made once for all questions: not to be changed."""
    made: Rows = results.once("plain rows", lambda: row_views(results.rows))
    return made


def searched_rows(results: Results) -> Rows:
    """Its trials of the search alone, likewise."""
    return [row for row in plain_rows_of(results) if row.get("stage") in (None, SEARCH)]


def verdict_lines(results: Results) -> list[str]:
    """Say what the latest confirmation of a campaign found, a line each; nothing where none has begun."""
    rows = plain_rows_of(results)
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
        lines.append(
            f"The winner of confirmation {stands.number + 1} of {len(found)} stands: {_named(stands, numbers)}."
        )
    taken_apart = ablation(stands, rows)
    return lines if taken_apart is None else [*lines, *_ablated(taken_apart)]


def confirmed_in_words(results: Results) -> str:
    """Say whether there are verdicts on fresh seeds behind the differences of single runs."""
    found = rounds(plain_rows_of(results))
    if not found:
        return "not yet a finding"
    return "the verdicts are below" if found[-1].judgement.seeds else "the confirmation has no verdicts yet"


def verdict_table(found: Round | None, rows: Rows) -> pd.DataFrame:
    """Return a confirmation as a data frame, a row a candidate: its trial and what is known of the difference.

    ``difference`` is candidate minus base, ``low`` and ``high`` its interval; ``pairs`` are seeds. Empty for None.
    """
    import pandas as pd

    numbers = {row["key"]: int(row["number"]) for row in rows}
    judgement = None if found is None else found.judgement
    verdicts = {} if judgement is None else judgement.verdicts
    known = None if found is None else seed_spread(found)
    compared = {} if found is None else {lead.arm: lead for lead in leads(found)}
    won = None if judgement is None else judgement.winner
    table = [
        {
            "trial": numbers.get(arm),
            "difference": verdict.difference,
            "low": verdict.low,
            "high": verdict.high,
            "pairs": verdict.pairs,
            "established": verdict.settled,
            "better": verdict.better,
            "verdict": verdict_in_words(verdict),
            "corrected": corrected(found.design, verdict) if found is not None and verdict is won else None,
            **_escapes(verdict.escapes),
            **_behind(compared.get(arm)),
            "base_sd": None if known is None else known.base_sd,
            "candidates_sd": None if known is None else known.candidates_sd,
            "spread_chance": None if known is None else known.chance,
        }
        for arm, verdict in verdicts.items()
    ]
    types = {"trial": "Int64", "difference": "float64", "low": "float64", "high": "float64", "pairs": "int64"}
    types |= {"established": "bool", "better": "bool", "verdict": "str", "corrected": "float64"}
    types |= dict.fromkeys(("escaped", "of_runs", "base_escaped", "of_base_runs"), "Int64")
    types |= dict.fromkeys(("chance_difference", "chance_low", "chance_high"), "float64")
    types |= dict.fromkeys(("behind_winner", "behind_low", "behind_high"), "float64") | {"told_apart": "boolean"}
    types |= dict.fromkeys(("base_sd", "candidates_sd", "spread_chance"), "float64")
    return pd.DataFrame(table, columns=list(types)).astype(types)


def _escapes(found: Escapes | None) -> dict[str, float | int]:
    if found is None:
        return {}
    counts = (found.escaped, found.runs, found.base_escaped, found.base_runs)
    ends = {"chance_difference": found.difference, "chance_low": found.low, "chance_high": found.high}
    return dict(zip(("escaped", "of_runs", "base_escaped", "of_base_runs"), counts, strict=True)) | ends


def _behind(lead: Lead | None) -> dict[str, float | bool | None]:
    if lead is None:
        return {}
    half = lead.half_width
    ends = {} if half is None else {"behind_low": lead.ahead - half, "behind_high": lead.ahead + half}
    return {"behind_winner": lead.ahead, **ends, "told_apart": lead.told_apart}


def _confirmed(found: Round, numbers: Mapping[str, int]) -> list[str]:
    judgement = found.judgement
    if not judgement.seeds:
        return [f"Confirming {found.design}: {ended_in_words(found)}.", meaning_of(found.design)]
    noise = judgement.noise
    degrees = "" if noise is None else counted(noise.degrees_of_freedom, "degree")
    spread = "unknown" if noise is None else f"SD {decimals(noise.sd)} with {degrees} of freedom"
    lines = [
        f"Confirmed on fresh seeds, paired with the base ({found.design}; noise of a run: {spread}):",
        f"{'trial':>7}  {'vs base':>8}  {'95 % interval':>18}  {'pairs':>5}  verdict",
    ]
    judged = judgement.verdicts.values()
    form = in_column([end for verdict in judged for end in (verdict.difference, verdict.low, verdict.high)], signed)
    for arm, verdict in judgement.verdicts.items():
        name = numbers.get(arm, "?")
        interval = "-" if verdict.low is None else f"{form(verdict.low)} .. {form(verdict.high)}"
        words = verdict_in_words(verdict)
        lines.append(f"{name:>7}  {form(verdict.difference):>8}  {interval:>18}  {verdict.pairs:>5}  {words}")
    number = found.design.candidates
    candidates = "the one candidate" if number == 1 else f"all {number} candidates"
    lines.append(meaning_of(found.design))
    lines.append(f"The intervals are right for {candidates} and all looks together.{uneven(found.design)}")
    lines += filter(None, [plateau_in_words(found), spread_in_words(found)])
    winner = judgement.winner
    if winner is not None:
        lines.append(f"Winner: {_named(found, numbers)}{means_in_words(found, winner.arm)}.")
        lines += filter(None, [corrected_in_words(found), lead_in_words(found, numbers)])
    elif judgement.over:
        none = "The one candidate is not" if number == 1 else "No candidate is"
        lines.append(f"{none} established to be better than the base.")
    return lines


def ended_in_words(found: Round) -> str:
    """Say how many runs of a confirmation have ended, of how many there may be."""
    fewest, most = found.design.fewest_runs, found.design.most_runs
    many = counted_range(fewest, most, "run") if len(found.runs) >= fewest else counted(fewest, "run")
    least = "at least " if len(found.runs) < fewest < most else ""
    return f"{len(found.runs)} of {least}{many} ended"


def uneven(design: Design) -> str:
    """Say what makes the intervals as wide as they are, and why not evenly about their differences; empty where it is
    Student's t alone.
    """
    if not design.own_noise:
        return ""
    better, worse = 100 * FALSE_BETTER, 100 * FALSE_WORSE
    return (
        " Simulated campaigns without an effect set their width. They reach farther down than up: "
        f"{better:g} % of error go to calling one better, {worse:g} % to worse."
    )


def meaning_of(design: Design) -> str:
    """Say in a line what the text of a confirmation's design stands for."""
    return f"{design}: {design.meaning}."


def verdict_in_words(verdict: Verdict) -> str:
    """Say what is known of a candidate, and where nothing is, what would settle it."""
    if verdict.reason:
        return f"not established: {verdict.reason}"
    if verdict.escapes is None:
        return _of_values(verdict)
    said = [_of_values(verdict), escapes_in_words(verdict.escapes)]
    return "; ".join(said[::-1] if verdict.escapes_more or verdict.escapes_less else said)


def _of_values(verdict: Verdict) -> str:
    """Say what is known of its value, of the runs that escaped where some did not."""
    if verdict.difference is None and verdict.escapes is not None:
        return "no value to compare"
    if verdict.finding == ESTABLISHED:
        return f"established: {'better' if verdict.lower else 'worse'}"
    if verdict.going_on:
        return f"{verdict.finding} yet: more seeds are to come"
    settle = verdict.pairs_to_settle
    pairs = f"over {counted(MOST_PAIRS, 'pair')}" if settle is None else f"about {counted(settle, 'pair')}"
    behind = "not ahead of the base; " if (verdict.difference or 0.0) >= 0 else ""
    return f"{verdict.finding}: {behind}{pairs} would settle it"


def escapes_in_words(found: Escapes) -> str:
    """Say how many runs escaped a plateau, of a candidate and of the base, and whether the chances differ."""
    counts = f"{found.escaped} of {found.runs}, the base {found.base_escaped} of {found.base_runs}"
    if found.more or found.less:
        return f"established: escapes {'more' if found.more else 'less'} often ({counts})"
    return f"chance of escaping not told apart ({counts}; {_ends(found.low, found.high)})"


def plateau_in_words(found: Round) -> str:
    """Say that some runs stayed on a plateau or diverged, and what is compared then; empty where none did."""
    plateau = found.judgement.plateau
    if plateau is None:
        return ""
    where = (
        "diverged" if plateau.above is None else f"stayed on a plateau (above {decimals(plateau.above)}) or diverged"
    )
    compared = "Values are those of the runs that escaped; the chance of escaping is judged by itself"
    return f"{plateau.stayed} of {counted(plateau.runs, 'run')} {where}. {compared}."


def corrected_in_words(found: Round) -> str:
    """Give the winner's difference that is to be expected again; empty without a winner by value."""
    winner = found.judgement.winner
    again = None if winner is None or not winner.lower else corrected(found.design, winner)
    if winner is None or again is None or winner.difference is None or signed(again) == signed(winner.difference):
        return ""  # of one candidate and one look nothing is lucky
    if found.design.candidates == 1:
        return f"Expect {signed(again)} in new runs, corrected for luck: the look that ends it is a lucky one."
    lucky = "the best of several is lucky, and so is the look that ends it"
    return f"Expect {signed(again)} in new runs, corrected for a winner's luck: {lucky}."


def _named(found: Round, numbers: Mapping[str, int]) -> str:
    """Name a round's winner, with what it is ahead of the base by."""
    winner = found.judgement.winner
    assert winner is not None
    said = [f"trial {numbers.get(winner.arm, '?')}"]
    if winner.difference is not None:
        said.append(f"{signed(winner.difference)} against the base")
    if winner.escapes is not None and winner.escapes_more:
        said.append(escapes_in_words(winner.escapes))
    return ", ".join(said)


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
    if found.design.own_noise:
        return f"The base varies {more} than its candidates: {sds} {test}. The intervals allow for it."
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


def _ends(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{signed(low)} .. {signed(high)}"


def _interval(middle: float | None, half: float | None) -> str:
    return "-" if middle is None or half is None else f"{signed(middle - half)} .. {signed(middle + half)}"


def _ablated(found: Ablation) -> list[str]:
    lines = ["Ablation: what the winner loses without some of its changes (paired on the same seeds):"]
    tried_alone = found.decision.tried.values()
    form = in_column([number for effect in tried_alone for number in _numbers_of(effect)], signed)
    for group, effect in found.decision.tried.items():
        lines.append(f"  {_effect(effect, form)}  without {', '.join(group)}")
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


def _numbers_of(effect: PairedDifference) -> list[float]:
    """The numbers that a line on an effect has."""
    if effect.reason or effect.difference is None:
        return []
    half = effect.half_width
    return [effect.difference] + ([] if half is None else [effect.difference - half, effect.difference + half])


def _effect(effect: PairedDifference, form: Callable[[Any], str] | None = None) -> str:
    """Say what is known of an effect, with the digits of its column where it stands in one."""
    if effect.reason:
        return f"impossible: {effect.reason}"
    said = "worse" if effect.worse else "better" if effect.better else "no difference established"
    shown = form or in_column(_numbers_of(effect), signed)
    middle, *ends = [shown(number) for number in _numbers_of(effect)] or ["-"]
    return f"{middle} ({' .. '.join(ends) or '-'}, {said})"
