"""Ablation of a winner: groups of its changes are undone, halves first, to find those it owes its gain to.

Undoing each change in turn costs as many comparisons as there are changes. Most of what a search changes along with
its finds does nothing, so whole groups are undone first: a group whose undoing does no harm falls off at once, and only
a group that is missed is taken apart. Each group is undone from the whole winner, paired with it on the seeds of the
confirmation, so that the winner trains no further. Where a group is missed but none of its parts is, all of it stays:
its changes help too little each to be told apart.

"No harm was established" is not "no harm", and parts that did none may do some together: what is left is therefore
trained once more as a whole, on fresh seeds, beside the base and the winner.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from results.statistics.confirmation import Round, ended_runs
from results.statistics.judgement import EndedRun
from results.statistics.leaderboard import ESTABLISHED, Noise, verdict
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import ABLATE

SINGLES = 3  # groups of up to so many are taken apart at once

ChangeGroup = tuple[str, ...]


@dataclass(frozen=True)
class PairedDifference:
    """Runs of one config against those of another on the same seeds. The difference is above zero where it is worse."""

    difference: float | None
    half_width: float | None
    pairs: int
    finding: str
    reason: str = ""

    @property
    def worse(self) -> bool:
        return bool(self.reason) or (self.finding == ESTABLISHED and (self.difference or 0.0) > 0)

    @property
    def better(self) -> bool:
        return not self.reason and self.finding == ESTABLISHED and (self.difference or 0.0) < 0


@dataclass(frozen=True)
class Decision:
    """State of an ablation: the groups undone with their effects, what stays, and what is still to be tried."""

    tried: dict[ChangeGroup, PairedDifference]
    kept: ChangeGroup
    wanted: tuple[ChangeGroup, ...]


def paired_difference(
    arm: Mapping[int, EndedRun], other: Mapping[int, EndedRun], noise: Noise | None
) -> PairedDifference:
    """The mean difference on the seeds that both completed; one that failed anywhere is worse, whatever its values."""
    failed = [f"{run.status} on seed {seed}" for seed, run in arm.items() if run.value is None]
    values = {seed: run.value for seed, run in arm.items() if run.value is not None}
    others = {seed: run.value for seed, run in other.items() if run.value is not None}
    pairs = sorted(values.keys() & others.keys())
    if failed or not pairs:
        return PairedDifference(None, None, len(pairs), "", failed[0] if failed else "the other completed on no seed")
    difference = fmean(values[seed] - others[seed] for seed in pairs)
    half_width = None if noise is None else noise.smallest_difference(len(pairs), len(pairs))
    return PairedDifference(difference, half_width, len(pairs), verdict(difference, noise, len(pairs), len(pairs)))


def decide(changes: Sequence[str], tried: Callable[[ChangeGroup], PairedDifference | None]) -> Decision:
    """Take the winner's changes apart; ``tried`` gives the effect of undoing a group, None while it is not known."""
    found: dict[ChangeGroup, PairedDifference] = {}
    kept: set[str] = set()
    wanted: list[ChangeGroup] = []
    missed: list[ChangeGroup] = [tuple(changes)]  # to undo all of it is the base, which is known to be worse
    while missed:
        group = missed.pop(0)
        if len(group) == 1:
            kept.update(group)
            continue
        parts = _parts(group)
        known = {part: tried(part) for part in parts}
        found.update({part: effect for part, effect in known.items() if effect is not None})
        wanted += [part for part, effect in known.items() if effect is None]
        worse = [part for part, effect in known.items() if effect is not None and effect.worse]
        if not worse and len(found.keys() & known.keys()) == len(parts):
            kept.update(group)
        missed += worse
    return Decision(found, tuple(change for change in changes if change in kept), tuple(wanted))


def _parts(group: ChangeGroup) -> list[ChangeGroup]:
    if len(group) <= SINGLES:
        return [(change,) for change in group]
    middle = len(group) // 2
    return [group[:middle], group[middle:]]


def num_runs(changes: int, seeds: int) -> tuple[int, int]:
    """Runs of an ablation, the last look at what is left included: where one change matters, and where all do."""

    def most(size: int) -> int:
        return sum(1 + most(len(part)) for part in _parts(tuple(map(str, range(size))))) if size > 1 else 0

    def least(size: int) -> int:
        parts = _parts(tuple(map(str, range(size)))) if size > 1 else []
        return len(parts) + min((least(len(part)) for part in parts), default=0)

    return (least(changes) + 3) * seeds, (most(changes) + 3) * seeds


@dataclass(frozen=True)
class Ablation:
    """Ablation of a confirmed winner, as the rows of a campaign tell it."""

    winner: str  # arm
    changes: ChangeGroup
    decision: Decision
    versus_base: PairedDifference | None = None  # of what is left, on seeds of its own; None while not known
    versus_winner: PairedDifference | None = None

    @property
    def stands(self) -> bool | None:
        """Tell whether what is left is a winner by itself; None while not known."""
        if self.versus_base is None or self.versus_winner is None:
            return None
        return self.versus_base.better and not self.versus_winner.worse


def ablation(found: Round, rows: Sequence[TrialRow], changes: Sequence[str] | None = None) -> Ablation | None:
    """The ablation of a round's winner; None without a winner, and where none was begun and ``changes`` are not given.

    ``rows`` are all trials of the campaign, ``changes`` what the winner changed, in the order to take it apart by.
    """
    judgement = found.judgement
    winner, noise = judgement.winner, judgement.noise
    members = [row for row in rows if row["stage"] == ABLATE and row["round"] == found.number]
    plans = [json.loads(given(row["undone"])) for row in members]
    if changes is None and plans:
        changes = plans[0]["changes"]
    if winner is None or changes is None or not judgement.over:
        return None
    groups = {tuple(plan["undone"]): row for plan, row in zip(plans, members, strict=True)}
    runs = found.runs | ended_runs(row for row in members if row["seed"] is not None)
    paired = found.seeds[: found.design.first]

    def on(arm: str, seeds: Sequence[int]) -> dict[int, EndedRun]:
        return {seed: runs[arm, seed] for seed in seeds if (arm, seed) in runs}

    def effect(group: ChangeGroup) -> PairedDifference | None:
        row = groups.get(group)
        if row is None:
            return None
        if row["seed"] is None:  # it makes no valid config
            return PairedDifference(None, None, 0, "", str(row["reason"]))
        its = on(given(row["arm"]), paired)
        return paired_difference(its, on(winner.arm, paired), noise) if len(its) == len(paired) else None

    decision = decide(changes, effect)
    undone = tuple(change for change in changes if change not in decision.kept)
    fresh = list(dict.fromkeys(row["seed"] for row in members if row["seed"] is not None))
    fresh = [seed for seed in fresh if seed not in found.seeds]
    left = on(given(groups[undone]["arm"]), fresh) if undone in groups else {}
    if decision.wanted or not undone or min(map(len, (left, on(found.base, fresh), fresh))) < found.design.first:
        return Ablation(winner.arm, tuple(changes), decision)
    if len(on(winner.arm, fresh)) < len(fresh):
        return Ablation(winner.arm, tuple(changes), decision)
    against = [paired_difference(left, on(arm, fresh), noise) for arm in (found.base, winner.arm)]
    return Ablation(winner.arm, tuple(changes), decision, *against)
