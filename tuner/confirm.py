"""Confirmation after the search: the best configs and the base on fresh seeds, then the ablation of the winner.

The decisions are functions of the rows (confirmation.py and ablation.py in results/statistics). Here they become
trials, so that these go through the same book, slots, Ray and resume as those of the search. Nothing of it is told to
the sampler or counted as a trial, and nothing is stopped early.

A campaign may be searched on after it was confirmed. If other configs are then the best, they are confirmed in a new
round, on seeds of its own, so that each round is a test by itself. The winner of an earlier round takes part again,
beside them; if none of a round is established to be better than the base, it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

from results.design import MOST_SEEDS, Design
from results.inert_changes import inert_changes
from results.statistics.ablation import Ablation, ChangeGroup, ablation
from results.statistics.confirmation import Round, rounds, standing
from results.statistics.next_round import next_round
from results.store.campaign_folder import Store
from results.store.row_types import TrialRow
from results.store.statuses import ABLATE, CONFIRM, ENDED, Stage
from search_spaces.domains import Value
from storage.location import Location
from trainable.seeds import SEEDS, place_in
from trainable.training import Training as Config
from tuner.campaign.entry import Entry
from tuner.campaign.trials import Ledger

T = TypeVar("T")
ROUND_SEEDS = 2 * MOST_SEEDS  # each round's own: the first half to confirm, the second for what an ablation leaves
ROOM = 1000 * ROUND_SEEDS  # seeds that are kept free for a campaign's confirmations, however often it goes on


@dataclass(frozen=True)
class WantedRun:
    """One run that is wanted."""

    values: Mapping[str, Value]
    config: Config  # at its seed
    label: str
    columns: TrialRow


class Confirmation:
    """The stages after the search of one campaign. To be asked only once the search's trials have ended."""

    def __init__(self, ledger: Ledger, design: Design, ablate: bool = False, first_seed: int | None = None) -> None:
        """``first_seed`` is where seeds begin that nothing has seen; without it, after the search's own."""
        self.ledger, self.design, self.ablate = ledger, design, ablate
        self.first_seed = ledger.base.seed + 1 if first_seed is None else first_seed
        self._offered: set[str] = set()  # keys of runs handed out in this start
        self._seen, self._wanted = -1, list[WantedRun]()  # what was wanted as the book was then
        self._known = -1, dict[str, Any]()  # what follows from the rows as the book was then
        self._refuse_another_design()

    def _refuse_another_design(self) -> None:
        found = self._rounds()
        was = found[-1].design if found else self.design
        if (was.first, was.last, was.alone) != (self.design.first, self.design.last, self.design.alone):
            raise ValueError(
                f"--confirm {self.design} cannot follow {was}: a design that changes after its first results are known "
                "would no longer be right in 95 % of the cases"
            )

    def _rows(self) -> list[TrialRow]:
        """Rows of the runs after the search: no other decides here, but for the search's best."""
        return [entry.row for entry in list(self.ledger.entries.after_search.values())]

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """Return what ``make`` makes of the rows, made once as long as no trial begins or ends."""
        version = self.ledger.entries.version
        if self._known[0] != version:
            self._known = version, {}
        known = self._known[1]
        if name not in known:
            known[name] = make()
        found: T = known[name]
        return found

    def _rounds(self) -> list[Round]:
        return self._once("rounds", lambda: rounds(self._rows()))

    @property
    def over(self) -> bool:
        """Tell whether nothing more is wanted."""
        return not self.wanted()

    def next(self) -> Entry | None:
        """The next run to start; None while those that run decide what comes next."""
        for training in self.wanted():
            key = self.ledger.key(training.config)
            entry = self.ledger.entries.get(key)
            if entry is None:
                entry = self.ledger.open_again(training.values, training.config, training.columns)
            if key not in self._offered:
                self._offered.add(key)
                entry.label = training.label
                return entry
        return None

    def wanted(self) -> list[WantedRun]:
        """Runs that the next decision needs and that have not ended."""
        version = self.ledger.entries.version
        if version != self._seen:
            self._wanted = list(self._plan())
            self._seen = version
        return self._wanted

    @property
    def num_wanted(self) -> int:
        """Count the runs that were wanted when that was last worked out; for a display, which must not decide."""
        return len(self._wanted)

    @property
    def best(self) -> list[Entry]:
        """The best completed trials of the search, best first, without the base."""
        tried = (entry for entry in self.ledger.entries.ranked() if not entry.row["is_base"])
        return list(islice(tried, self.design.candidates))

    @property
    def round(self) -> Round | None:
        """The confirmation of the candidates as they stand; None where there are none."""
        return self._once("round", self._round)

    def _round(self) -> Round | None:
        best = tuple(entry.key for entry in self.best)
        if not best:
            return None
        base, known = self.ledger.key(self.ledger.base), self._rounds()
        number, arms = next_round(best, known, self.ledger.entries)
        seeds = tuple(self._seed(number, index) for index in range(self.design.final))
        begun = number < len(known)  # it then goes on by the rule that it was begun with
        runs, own_noise = (known[number].runs, known[number].design.own_noise) if begun else ({}, True)
        design = replace(self.design, candidates=len(arms), own_noise=own_noise)
        return Round(number, design, base, arms, seeds, runs, len(runs))

    def _seed(self, number: int, index: int) -> int:
        return (self.first_seed + number * ROUND_SEEDS + index) % SEEDS

    def _plan(self) -> Iterator[WantedRun]:
        found = self.round
        if found is None:
            return
        for arm, seed in found.judgement.wanted:
            entry = self.ledger.entries.get(arm)
            assert entry is not None or arm == found.base, arm
            values = self.ledger.base_values if entry is None else entry.values
            config = self.ledger.base if entry is None or entry.config is None else entry.config
            yield self._training(found, CONFIRM, values, config, seed)
        if self.ablate and found.judgement.over and (won := self._won()) is not None:
            yield from self._ablation(won[0], won[1])

    def _training(
        self,
        found: Round,
        stage: Stage,
        values: Mapping[str, Value],
        config: Config,  # at the search's seed
        seed: int,
        plan: Mapping[str, object] | None = None,
    ) -> WantedRun:
        arm = self.ledger.key(config)
        trial = self.ledger.entries.get(arm)
        name = (
            "the base" if arm == found.base else f"trial {trial.number}" if trial else "the winner with changes undone"
        )
        columns: TrialRow = {
            "stage": stage,
            "arm": arm,
            "round": found.number,
            "design": found.design.in_row,
            "undone": None if plan is None else json.dumps(plan),
        }
        return WantedRun(values, replace(config, seed=seed), f"{name} on seed {seed}", columns)

    def _ablation(self, found: Round, winner: Entry) -> Iterator[WantedRun]:
        changes = units(self.ledger, winner.values)
        known = self.ablation(found, changes)
        assert known is not None
        valid = [
            (group, *made) for group in known.decision.wanted if (made := self._made(found, winner, changes, group))
        ]
        if len(valid) < len(known.decision.wanted):  # what was refused is known now, and may settle what comes next
            yield from self._ablation(found, winner)
            return
        for group, values, config in valid:
            for seed in found.seeds[: found.design.first]:
                training = self._training(found, ABLATE, values, config, seed, {"changes": changes, "undone": group})
                if not self._ended(training):
                    yield training
        if not known.decision.wanted and known.stands is None and len(known.decision.kept) < len(changes):
            yield from self._whole(found, winner, changes, known)

    def ablation(self, found: Round, changes: ChangeGroup) -> Ablation | None:
        """Return the winner's ablation as far as it has come."""
        return ablation(found, self._rows(), changes)

    def _won(self) -> tuple[Round, Entry, Ablation] | None:
        """The round whose winner is known, that trial, and how far it was taken apart."""
        return self._once("won", self._winner)

    def _winner(self) -> tuple[Round, Entry, Ablation] | None:
        found = standing(self._rounds())
        if found is None or found.judgement.winner is None or found.judgement.winner.arm not in self.ledger.entries:
            return None
        winner = self.ledger.entries[found.judgement.winner.arm]
        known = self.ablation(found, units(self.ledger, winner.values))
        assert known is not None
        return found, winner, known

    def found(self) -> Config | None:
        """The winner's config, or of what an ablation left of it where that stands; None without a winner."""
        won = self._won()
        if won is None:
            return None
        _, winner, known = won
        undone = tuple(change for change in known.changes if change not in known.decision.kept)
        return self.without(winner, undone)[1] if known.stands else winner.config

    @property
    def winner(self) -> str | None:
        """The arm of the winner; None without one."""
        won = self._won()
        return None if won is None else won[1].key

    @property
    def minimal(self) -> bool:
        """Tell whether the winner was taken apart, and fewer changes do as well."""
        won = self._won()
        return won is not None and won[2].stands is True

    @property
    def ablated(self) -> bool:
        """Tell whether the winner was taken apart to the end."""
        won = self._won()
        return won is not None and not won[2].decision.wanted

    @property
    def num_changes(self) -> int:
        """Count the values of the winner that are not the base's: those that the leaderboard lists."""
        won = self._won()
        return 0 if won is None else len(self.ledger.changes(won[1].values))

    @property
    def inert_changes(self) -> list[str]:
        """Name the changes that have no effect in the winner."""
        won = self._won()
        return [] if won is None else inert_changes(won[1].row["inert"])

    @property
    def num_parts(self) -> int:
        """Count the changes that can be undone alone; the others go with one of them."""
        won = self._won()
        return 0 if won is None else len(won[2].changes)

    def _whole(self, found: Round, winner: Entry, changes: ChangeGroup, known: Ablation) -> Iterator[WantedRun]:
        """Yield the last runs of an ablation: what is left, the base and the winner on fresh seeds."""
        undone = tuple(change for change in changes if change not in known.decision.kept)
        for index in range(found.design.first):
            seed = self._seed(found.number, MOST_SEEDS + index)
            for group in (changes, (), undone):
                values, config = self.without(winner, group)
                training = self._training(found, ABLATE, values, config, seed, {"changes": changes, "undone": group})
                if not self._ended(training):
                    yield training

    def _ended(self, training: WantedRun) -> bool:
        entry = self.ledger.entries.get(self.ledger.key(training.config))
        return entry is not None and entry.status in ENDED

    def without(self, winner: Entry, group: ChangeGroup) -> tuple[dict[str, Value], Config]:
        """The winner with some of its changes undone; a ValueError where that makes no valid config."""
        values = with_base_values(self.ledger, winner.values, group)
        return values, self.ledger.space.config(self.ledger.base, values)

    def _made(
        self, found: Round, winner: Entry, changes: ChangeGroup, group: ChangeGroup
    ) -> tuple[dict[str, Value], Config] | None:
        """The winner with a group undone; None where that makes no valid config, which is then written down."""
        try:
            return self.without(winner, group)
        except ValueError as error:
            plan = json.dumps({"changes": changes, "undone": group})
            row: TrialRow = {"stage": ABLATE, "round": found.number, "design": found.design.in_row, "undone": plan}
            label = f"trial {winner.number} without {', '.join(group)}"
            self.ledger.refuse_again(f"{found.number} {plan}", str(error), row, label)
            return None


def first_fresh_seed(seed: int, earlier: Sequence[Location]) -> int:
    """Choose where a confirmation's seeds begin: after the search's own and all that ``earlier`` campaigns trained on.

    What a search starts from or reuses has helped to choose its candidates, so its seeds are not fresh. Where nothing
    is left above them, the seeds begin at a place drawn from all that were seen, which no campaign has come to.
    """
    seen = [seed]
    for folder in earlier:
        store = Store.open(folder)
        seen += [int(row["seed"]) for row in store.trials() if row["seed"] is not None]
        seen.append(int(store.campaign.get("fresh_seed") or 0) - 1)  # what that campaign started from itself
    first = max(seen) + 1
    return first if first + ROOM <= SEEDS else place_in(SEEDS - ROOM, "fresh seeds", sorted(set(seen)))


def with_base_values(ledger: Ledger, values: Mapping[str, Value], group: ChangeGroup) -> dict[str, Value]:
    """``values`` with the knobs of ``group`` at the base's; what is then no longer active goes, what becomes so is the
    base's, too.
    """
    mixed: dict[str, Value] = {}
    for knob in ledger.space.knobs:
        if ledger.space.active(knob, mixed):
            source = ledger.base_values if knob.path in group or knob.path not in values else values
            if knob.path in source:
                mixed[knob.path] = source[knob.path]
    return mixed


def units(ledger: Ledger, values: Mapping[str, Value]) -> ChangeGroup:
    """The changes that can be undone alone, each by its path: those that go with another one are part of it."""
    changes, parts = ledger.changes(values), set[str]()
    for path in changes:
        if path not in parts:
            left = ledger.changes(with_base_values(ledger, values, (path,)))
            parts |= changes.keys() - left.keys() - {path}
    return tuple(path for path in changes if path not in parts)
