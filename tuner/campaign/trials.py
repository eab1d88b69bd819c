"""The campaign's book: which trials there are, how each stands, and the only writer of the results.

The store is the truth. Budget, duplicates and what a resume does are decided from the rows here, never from Ray's
counters or Optuna's study.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from results.store import row_parts
from results.store.campaign_folder import Store
from results.store.no_collections import no_collections
from results.store.row_parts import given, measured_at, with_all_columns, with_knobs
from results.store.row_types import NEVER_A_TRIAL, TrialRow
from results.store.statuses import ENDED, SEARCH, Status
from search_spaces import constraints
from search_spaces.domains import Value
from search_spaces.objectives import cost_of
from search_spaces.space import Space
from terminal.type_words import as_set
from trainable.alike_configs import AlikeConfigs
from trainable.component import switched_off
from trainable.component_json import encode, fingerprint
from trainable.component_paths import difference
from trainable.config import TrainConfig
from trainable.training import Training
from tuner.campaign.book import Book
from tuner.campaign.entry import Entry
from tuner.campaign.finished import Finished
from tuner.campaign.planned import Planned
from tuner.campaign.reported import report_row, spent_at, token_speeds
from tuner.campaign.row_config import to_json, training_of
from tuner.campaign.running_curves import RunningCurves
from tuner.campaign.trial_end import TrialEnd
from tuner.failures import LONGEST_CELL, LONGEST_REASON, OUT_OF_MEMORY, is_out_of_memory, without_middle

EXTRA = ("steps", "tokens", "seconds", "spent")


class Ledger:
    """All trials of one campaign, in the order in which they were first started."""

    def __init__(
        self,
        store: Store,
        space: Space,
        base: Training,
        data_fingerprint: str,
        code_version: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store, self.space, self.base, self.data_fingerprint = store, space, base, data_fingerprint
        self.base_values = space.values_of(base)
        self.campaign: Mapping[str, Any] = store.campaign
        self.code_version, self.now = code_version, now
        self.inert: Sequence[str] | None = None  # knobs that the audit found to change nothing
        self.entries = Book()
        self.refused: list[Callable[[Entry], None]] = []  # told of each row that was infeasible before training
        self._curves = RunningCurves(store)

    def key(self, config: Training) -> str:
        return config.key(self.data_fingerprint)

    def open(self, values: Mapping[str, Value], config: Training, optuna_number: int | None) -> Entry:
        """A new trial of the space; its row is written when it starts."""
        changes = self.changes(values)
        row = self._row(config, self.data_fingerprint, changes)
        if self.inert is not None:
            idle = {*self.inert, *(switched_off(config) if isinstance(config, TrainConfig) else ())}
            row["inert"] = json.dumps([path for path in changes if path in idle])
        row["optuna_number"] = optuna_number
        return self._opened(with_knobs(row, values), dict(values), config, optuna_number)

    def changes(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Select those of ``values`` that are not the base's."""
        return {path: value for path, value in values.items() if self.base_values.get(path, ...) != value}

    def open_again(self, values: Mapping[str, Value], config: Training, columns: TrialRow) -> Entry:
        """A run after the search, on a seed that was not used there; ``columns`` say which and why."""
        entry = self.open(values, config, None)
        entry.row.update({**columns, "is_base": not self.changes(values)})
        self.entries.changed(entry.key)
        return entry

    def open_planned(self, planned: Planned) -> Entry:
        """A new trial that replays a recorded run."""
        assert isinstance(self.base, TrainConfig), "a replay is of recorded runs"
        same_seed = replace(self.base, seed=planned.config.seed)
        changes = {path: there for path, (_, there) in difference(same_seed, planned.config).items()}
        row = self._row(planned.config, planned.data, changes)
        row["inert"] = None if planned.inert is None else json.dumps(planned.inert)
        row.update({"recorded_id": planned.recorded_id, "reading": planned.reading, "is_base": not changes})
        return self._opened(row, {}, planned.config, None)

    def _opened(self, row: TrialRow, values: dict[str, Value], config: Training, optuna_number: int | None) -> Entry:
        key = row["key"]
        assert key not in self.entries, f"trial {key} is in the book already"
        self.entries[key] = Entry(key, values, config, row, optuna_number)
        return self.entries[key]

    def _row(self, config: Training, data: str, changes: Mapping[str, Any]) -> TrialRow:
        key, campaign = config.key(data), self.campaign
        row: TrialRow = {
            "key": key,
            "stage": SEARCH,
            "campaign": self.store.folder.name,
            "space": campaign["space"],
            "scale": campaign["scale"],
            "seed": config.seed,
            "is_base": key == self.key(self.base),
            "number": self._next_number(),
            "status": "running",
            "objective": campaign["objective"],
            "config": json.dumps(to_json(config)),
            "overrides": json.dumps(encode(dict(changes))),
            "data": data,
            "budget": config.budget.amount,
            "budget_unit": config.budget.unit,
            "attempt": 0,
            "code_version": self.code_version,
        }
        return with_all_columns(row)

    def refuse(
        self, values: Mapping[str, Value], reason: str, optuna_number: int | None, parameters: int | None = None
    ) -> Entry:
        """Write down values that make no valid run, or one that is too large: they cost a row, not a trial."""
        row: TrialRow = {"stage": SEARCH, "overrides": json.dumps(dict(values)), "parameters": parameters}
        return self._refuse(values, reason, with_knobs({**row, "optuna_number": optuna_number}, values))

    def refuse_again(self, name: str, reason: str, columns: TrialRow, label: str) -> None:
        """Write down a run after the search that would make no valid one; ``label`` is as that of a run's entry."""
        self._refuse({"run": name}, reason, {"overrides": "{}", **columns}, label)

    def _refuse(self, named: Mapping[str, Value], reason: str, columns: TrialRow, label: str = "") -> Entry:
        key = f"infeasible-{fingerprint(dict(named))}"
        if key in self.entries:
            return self.entries[key]
        row: TrialRow = {
            "key": key,
            "campaign": self.store.folder.name,
            "space": self.campaign["space"],
            "scale": self.campaign["scale"],
            "number": self._next_number(),
            "is_base": False,
            "status": "infeasible",
            "reason": reason,
            "objective": self.campaign["objective"],
            "config": NEVER_A_TRIAL,
            "code_version": self.code_version,
            **columns,
        }
        entry = Entry(key, dict(named), None, with_all_columns(row), columns.get("optuna_number"), label=label)
        self.entries[key] = entry
        self._write(entry.row)
        for tell in self.refused:
            tell(entry)
        return entry

    def _write(self, row: TrialRow, durable: bool = True) -> None:
        """Store the row of a trial; texts that others wrote (an error, a worker) are brought to what a row may have.

        Of a trial that runs it need not be ``durable``: after a power cut it does not run, and goes on from an earlier
        report. To wait for the disk each time is half of what a trial of a second costs its driver.
        """
        row.update({"reason": _of_a_cell(row["reason"]), "note": _of_a_cell(row["note"])})
        self.entries.changed(row["key"])
        self.store.write_trial(row, durable=durable)

    def _next_number(self) -> int:
        last = next(reversed(self.entries.values()), None)  # there may be gaps before it: never started, lost
        return 0 if last is None else last.number + 1

    def start(self, key: str) -> None:
        """An attempt at the trial begins."""
        entry, row = self.entries[key], self.entries[key].row
        entry.started = True
        number = given(row["attempt"]) + 1
        if number == 1:  # a start that was killed may have begun to reuse it
            self.store.replace_reports(key, [])
        self._curves.begin(key)
        row.update({"status": "running", "attempt": number, "reason": None})
        row.update({"started_at": self.now(), "ended_at": None})
        self._write(row, durable=False)

    def report(self, key: str, result: Mapping[str, Any], is_followed: bool = False) -> None:
        """Write down what a trial says of itself at a milestone or at its end.

        Its curve too where the trial ``is_followed``, else now and then (running_curves.py).
        """
        entry, status = self.entries[key], result["status"]
        runs = status == "running"
        row, value = entry.row, row_parts.value_of(result, entry.row["objective"])
        extra = result.get("extra") or dict.fromkeys(EXTRA, 0)  # training beside the run, by its fidelity
        steps, total = result["step"] + extra["steps"], result["seconds"] + extra["seconds"]
        tokens = None if result["tokens"] is None else result["tokens"] + extra["tokens"]
        speed, recent = token_speeds(row, tokens, total)
        row.update(row_parts.of_trial(result))
        row.update({"steps": steps, "tokens": tokens, "train_seconds": total, "tokens_per_second": speed})
        row["extra_seconds"] = extra["seconds"]
        here = spent_at(result, given(row["budget_unit"]))
        spent = max(here, row["spent"] or 0.0)  # a run of its own for a rung begins at 0 again
        row.update({"spent": spent, "extra_spent": max(0.0, here + extra["spent"] - spent)})
        if value is not None or (status == "completed" and row["objective"] in row_parts.ON_THE_WAY):
            row["last_value"] = value
        if runs and value is not None:
            entry.milestones[result["milestone"]] = value
        if status != "interrupted":
            reported = report_row(key, row, result, extra["spent"], recent, self.now())
            self.store.append_report(reported, durable=False)  # with the row, once it ends
        if (curve := result.get("curve")) is not None:
            self._curves.reported(entry, curve, here / given(row["budget"]), at_once=is_followed)
        if runs:
            self._write(row, durable=False)

    def reuse(self, key: str, found: Finished, status: Status, reason: str = "") -> None:
        """Take over a trial that an earlier campaign has finished, with the end that it has here.

        Its row is written first, so that whoever reads now finds the trial of each report, and as one that has not
        begun: should we be killed before the reports are there, the next start reuses it again.
        """
        entry, objective = self.entries[key], self.entries[key].row["objective"]
        self._write({**entry.row, "status": "running", "attempt": 0, "started_at": self.now()})
        self.store.replace_reports(key, found.reports)
        if found.curve is not None:
            self.store.write_curve(key, entry.number, found.curve)
        entry.row.update(found.columns(objective))
        entry.milestones.update(found.milestones(objective))
        entry.row.update({"status": status, "reason": reason or None})
        entry.row["value"] = entry.row["last_value"] if entry.status == "completed" else None
        self._write(entry.row)

    def note(self, key: str, text: str) -> None:
        """Add a fault that the trial got over to its row, which is written with what comes next."""
        found = self.entries[key].row["note"] or ""
        if text not in found:
            self.entries[key].row["note"] = f"{found}; {text}" if found else text

    def close(self, key: str, status: Status, reason: str = "", columns: TrialRow | None = None) -> None:
        """The attempt is over; ``columns`` are further cells of the row."""
        entry = self.entries[key]
        value = entry.row["last_value"] if status == "completed" else None
        entry.row.update({"status": status, "reason": reason or None, "value": value, "ended_at": self.now()})
        entry.row.update(columns or {})
        self._curves.close(entry)  # first: an end that is durable has its curve
        self._write(entry.row)

    def without(self, entry: Entry, what: Literal["weights", "checkpoint"]) -> None:
        """A file that the trial's row names is about to be removed."""
        entry.row[what] = None
        self._write(entry.row)

    @no_collections()
    def restore(self, planned: Sequence[Planned] = ()) -> None:
        """Take the rows of the campaign's earlier starts into the book, their data (known by the fingerprint) where the
        base and ``planned`` have them now.
        """
        sources = {p.data: p.config.data.source for p in planned}
        if isinstance(self.base, TrainConfig):
            sources[self.data_fingerprint] = self.base.data.source
        rows, reports, alike = self.store.trials(), self.store.reports_by_key(), AlikeConfigs()
        for row in sorted(rows, key=lambda r: r["number"]):
            try:
                config = _at(training_of(row, self.base, alike), sources.get(str(row["data"])))
                values = self._refused_values(row) if config is None else self.space.values_of(config)
            except ValueError as error:
                raise ValueError(f"{self.store.folder} cannot be resumed: {error}") from None
            milestones: dict[float, float] = {}
            for report in reports.get(row["key"], ()):
                value = measured_at(report, row["objective"])  # None too where it is known at the end only
                at, spent = report["milestone"], row["spent"] or 0.0  # less than by an attempt before the last
                if value is not None and at is not None and at <= spent and at < given(row["budget"]):
                    milestones[at] = value
            self.entries[row["key"]] = Entry(row["key"], values, config, row, None, milestones)

    def _refused_values(self, row: TrialRow) -> dict[str, Value]:
        """The values of a row whose config is none; a ValueError for what no sampler can have asked for."""
        values: dict[str, Value] = json.loads(row["overrides"])
        for path, value in values.items():
            if value not in (domain := self.space.knob(path).domain):
                raise ValueError(f"trial {row['key']!r} has {path} {as_set(value)}: outside {domain}")
        return values

    def unfinished(self) -> list[Entry]:
        """Trials that were under way when the campaign last stopped, in order; and the base of a search if it crashed,
        since all others are measured against it: it is tried again as soon as the cause may be gone.
        """
        return [e for e in self.entries.values() if e.status not in ENDED or self.is_failed_base(e)]

    def is_failed_base(self, entry: Entry) -> bool:
        """Tell whether this is the base of a search, and it crashed. In a replay the base is a row like any other."""
        return (
            entry.status == "crashed"
            and entry.stage == SEARCH
            and bool(entry.row["is_base"])
            and self.campaign.get("replay") is None
        )

    def end_of(self, entry: Entry) -> TrialEnd:
        """A trial as the sampler wants to know it."""
        row, whole = entry.row, entry.status in ("completed", "infeasible")  # else its costs are of a part of a run
        second = self.space.second_objective
        config = entry.config if isinstance(entry.config, TrainConfig) else None
        no_memory = entry.status == "crashed" and is_out_of_memory(row["reason"])
        return TrialEnd(
            entry.values,
            OUT_OF_MEMORY if no_memory else entry.status,
            row["last_value"] if entry.status == "infeasible" else row["value"],
            dict(entry.milestones),
            cost_of(second, row) if second is not None and whole else None,
            constraints.excesses(self.space.constraints, row, config) if whole else {},
            attributes_of(entry),
            row["started_at"],
            row["ended_at"],
        )

    def ends(self) -> list[TrialEnd]:
        """Every ended trial of the search, as the sampler wants to know it."""
        ended = [e for e in self.entries.values() if e.status in ENDED and not self.is_failed_base(e)]
        return [self.end_of(e) for e in ended if e.stage == SEARCH]

    def replicates(self) -> list[TrialEnd]:
        """Ends of configs of the search on other seeds: of runs after it that differ from a trial in nothing else."""
        after = [e for e in self.entries.values() if e.stage != SEARCH and e.status == "completed" and e.config]
        return [self.end_of(e) for e in after if self._is_of_the_search(e)]

    def _is_of_the_search(self, entry: Entry) -> bool:
        try:
            trial = self.space.config(self.base, entry.values)
        except ValueError:
            return False
        return entry.config is not None and replace(trial, seed=entry.config.seed) == entry.config

    def counts(self) -> dict[str, int]:
        """Number of trials by status."""
        return {str(status): number for status, number in self.entries.counts().items()}

    def best(self) -> Entry | None:
        """The completed trial of the search with the lowest value."""
        return self.entries.best()

    def completed(self) -> list[Entry]:
        """The completed trials of the search, the best first."""
        return list(self.entries.ranked())

    def base_value(self) -> float | None:
        """The base config's value, once it is there."""
        base = next(iter(list(self.entries.bases.values())), None)
        return None if base is None else base.row["value"]


def attributes_of(entry: Entry) -> dict[str, Any]:
    """Collect what a study keeps of a trial beside its parameters: its place in our files, its end and the reason."""
    named: tuple[str, ...] = ("key", "number", "seed", "status", "rung", "train_seconds")
    cells: Mapping[str, Any] = entry.row
    found = {name: value for name in named if (value := cells.get(name)) is not None}
    reason = without_middle((entry.row["reason"] or "").partition("\n")[0], LONGEST_REASON)
    return found | ({"reason": reason} if reason else {})


def _at(config: Training | None, source: str | None) -> Training | None:
    """The config with its data read from there: which place they lie at is no part of what a trial is."""
    if not isinstance(config, TrainConfig) or source in (None, config.data.source):
        return config
    return replace(config, data=replace(config.data, source=source))


def _of_a_cell(text: str | None) -> str | None:
    """The text without what no file has: half a character, as a file's name may have it, and a middle of any size."""
    return None if text is None else without_middle(text.encode(errors="backslashreplace").decode(), LONGEST_CELL)
