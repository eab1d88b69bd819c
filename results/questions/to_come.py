"""Runs that a campaign's confirmation and ablation have still to make: one account of them for next steps and plans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from results.design import MOST_CANDIDATES, Design
from results.inert_changes import inert_changes
from results.questions.framed import changes_of
from results.questions.pace import RecordedPace
from results.questions.taking_apart import parts_of
from results.statistics.ablation import ablation, num_runs
from results.statistics.confirmation import Round, rounds, standing
from results.statistics.next_round import next_round
from results.statistics.runs_to_come import NO_CONFIRMATION, AblationToCome, ConfirmationToCome
from results.store.frames import Results
from results.store.row_types import TrialRow
from results.store.statuses import ABLATE, ENDED
from results.verdicts import plain_rows_of


def confirmation_to_come(results: Results, design: Design | None, trials: int) -> ConfirmationToCome:
    """The runs of ``design`` to come after ``trials`` more of the search; none without a design."""
    if design is None:
        return NO_CONFIRMATION
    rows = plain_rows_of(results)
    known, best = rounds(rows), _best(results)
    if trials:
        there = len(best) + trials - (not results.trials["is_base"].fillna(False).astype(bool).any())
        if (most := design.among(there)) is None:
            return NO_CONFIRMATION
        # Where the best stay the same there is nothing to confirm. A winner that stands takes part beside them.
        stands = standing(known) is not None
        over = bool(known) and known[-1].complete and known[-1].judgement.over
        candidates = min(MOST_CANDIDATES, there, design.candidates + 1) if stands else most.candidates
        beside = candidates > most.candidates
        return ConfirmationToCome(None if over else most, replace(design, candidates=candidates), beside_winner=beside)
    best = best[: design.candidates]
    if not best:
        return NO_CONFIRMATION
    number, arms = next_round(best, known, set(results.rows["key"]))
    going = known[number] if number < len(known) else None
    if going is not None and going.complete and going.judgement.over:
        return NO_CONFIRMATION
    left = replace(design, candidates=len(arms))
    return ConfirmationToCome(left, left, 0 if going is None else len(going.runs))


def ablation_to_come(results: Results, seeds: int, knobs: int, another: bool) -> AblationToCome:
    """The runs to come of taking the winner apart on so many seeds.

    Where there may be ``another`` winner than the one that stands, it changes up to all ``knobs``.
    """
    rows = plain_rows_of(results)
    stands = standing(rounds(rows))
    if another or stands is None:
        return AblationToCome(0, num_runs(knobs, seeds)[1] if another and knobs > 1 else 0)
    winner = stands.judgement.winner
    assert winner is not None, "it stands"
    row = next((row for row in rows if row["key"] == winner.arm), None)
    trial, changes, inert = None, None, list[str]()
    if row is not None:
        trial, changes, inert = row["number"], len(changes_of(row)), inert_changes(row["inert"])
    parts = parts_of(results, winner.arm)
    fewest, most = num_runs(len(parts), seeds) if len(parts) > 1 else (0, 0)
    members = [row for row in rows if row["stage"] == ABLATE and row["round"] == stands.number]
    if not members:
        return AblationToCome(fewest, most, trial, changes, inert)
    return AblationToCome(*_left(stands, rows, members, most), trial, changes, inert, begun=True)


def _left(stands: Round, rows: Sequence[TrialRow], members: Sequence[TrialRow], most: int) -> tuple[int, int]:
    """Return the runs that are left of an ablation that has begun, at least and at most."""
    taken, first = ablation(stands, rows), stands.design.first
    if taken is None:
        return 0, 0
    ended = [row for row in members if row["status"] in ENDED and row["seed"] is not None]
    if wanted := set(taken.decision.wanted):
        known = sum(tuple(json.loads(row["undone"] or "{}").get("undone", ())) in wanted for row in ended)
        fewest = max(0, len(wanted) * first - known)
        return fewest, max(fewest, most - len(ended))
    if taken.stands is not None or len(taken.decision.kept) == len(taken.changes):
        return 0, 0
    left = max(0, 3 * first - sum(row["seed"] not in stands.seeds for row in ended))  # the whole, base and winner
    return left, left


def seconds_to_come(
    pace: RecordedPace, trials: int, confirmation: ConfirmationToCome, apart: AblationToCome
) -> tuple[float, float] | None:
    """Seconds of all that is to come, at least and at most, at the pace of the campaign's own runs; None before any."""
    searching, whole = pace.of_trials(trials) if trials else 0.0, pace.whole_seconds
    if searching is None or whole is None:
        return None
    confirming, undoing = confirmation.waves(pace.slots), apart.waves(pace.slots)
    return searching + whole * (confirming[0] + undoing[0]), searching + whole * (confirming[1] + undoing[1])


def design_of(results: Results) -> Design | None:
    """The confirmation that a campaign asks for; None without one."""
    text = results.campaign.get("confirm")
    return Design.parse(text) if isinstance(text, str) and text else None


def _best(results: Results) -> list[str]:
    """Keys of the completed trials of the search, best first, without the base."""
    trials = results.trials
    done = trials[(trials["status"] == "completed") & trials["value"].notna()]
    done = done[~done["is_base"].fillna(False).astype(bool)].sort_values(["value", "key"])
    return [str(key) for key in done["key"]]
