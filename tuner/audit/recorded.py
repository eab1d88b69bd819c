"""A recorded campaign audited: overrides that change nothing, what the published code did not do, and rows run twice.

Replicate groups are what a campaign gives away about its own noise: rows under different names that are one
computation.
They are found by training (shrunken), not from notes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces import load as load_space
from search_spaces import recorded
from search_spaces.recorded import ROOT, RecordedRun, at_scale, recorded_config
from search_spaces.space import Space
from terminal.nearest import nearest
from trainable.component_paths import leaves, with_values
from trainable.config import TrainConfig
from tuner.audit.overrides import (
    AUDIT_SCALE,
    INERT,
    NEARLY,
    Finding,
    audit_overrides,
    inert_paths,
    is_same,
    key_of,
    undo,
)
from tuner.audit.short_runs import QUICK, weights_digest


@dataclass(frozen=True)
class Row:
    """One recorded run in one reading."""

    id: str
    findings: tuple[Finding, ...]  # of its own overrides
    not_acted_on: tuple[str, ...]  # of what the log says it set, what the published code ignored
    instead: tuple[str, ...]  # what that code did beside or instead
    config: TrainConfig  # at the proxy's size
    plain: TrainConfig  # the same without its own overrides that are inert or nearly so
    digest: str  # of its weights after the first steps of a shrunken run: equal ones are worth comparing


@dataclass(frozen=True)
class ReplicateGroup:
    """Rows that are one computation, in the order of the campaign; ``nearly``: those that are it but for rounding."""

    same: tuple[str, ...]
    nearly: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " = ".join(self.same) + "".join(f" ~ {row}" for row in self.nearly)


def audit_recorded(space: Space, reading: str, only: Iterable[str] | None = None) -> list[Row]:
    """Every row that was published (or those of ``only``), in the order of the campaign."""
    runs = {run.id: run for run in recorded.load(space)}
    wanted = set(runs) if only is None else set(only)
    for name in sorted(wanted - runs.keys()):
        raise ValueError(f"space {space.name} has no recorded run {name!r}: {nearest(name, runs, 'ids')}")
    return [audit_row(space, run, runs, reading) for run in runs.values() if run.base is not None and run.id in wanted]


def audit_row(space: Space, run: RecordedRun, runs: Mapping[str, RecordedRun], reading: str) -> Row:
    """One row, its overrides undone one by one on the row that it builds on."""
    base, overrides = start_of(space, run, runs, reading)
    findings = audit_overrides(base, overrides, space)
    plain = overrides
    for finding in findings:
        if finding.status in (INERT, NEARLY):
            plain = undo(plain, finding.path)
    dropped, instead = as_published(space, run, runs)
    full = with_values(base, overrides)
    return Row(run.id, tuple(findings), dropped, instead, full, with_values(base, plain), weights_digest(full))


def start_of(
    space: Space, run: RecordedRun, runs: Mapping[str, RecordedRun], reading: str
) -> tuple[TrainConfig, dict[str, Any]]:
    """Return the config that a recorded row builds on and the overrides it makes there, at the proxy's size."""
    assert run.base is not None, f"{run.id} was never published"
    base = (
        space.scale(AUDIT_SCALE).base
        if run.base == ROOT
        else recorded_config(space, runs, run.base, reading, AUDIT_SCALE)
    )
    return base, at_scale(space, AUDIT_SCALE, run.overrides(reading))


def inert_of_row(space: Space, run_id: str, reading: str) -> list[str]:
    """The overrides that change no bit in a row, those included that it has from the rows it builds on.

    What a trial that replays the row has in its column ``inert``. Asked are the row's own overrides, and again, at a
    quick look, those that change nothing in the row below it; what acts there is taken to act here. The answer is kept.
    """
    return list(_inert_of_row(space.name, run_id, reading))


@functools.cache
def _inert_of_row(name: str, run_id: str, reading: str) -> tuple[str, ...]:
    space = load_space(name)
    run = next(run for run in recorded.load(space) if run.id == run_id)
    own = run.overrides(reading)
    below = () if run.base in (None, ROOT) else _inert_of_row(name, str(run.base), reading)
    base, overrides = space.scale(AUDIT_SCALE).base, all_overrides(space, run_id, reading)
    inherited = [path for path in below if path in overrides and path not in own]
    rest = functools.reduce(undo, inherited, overrides)
    if inherited and not is_same(with_values(base, overrides), with_values(base, rest), looks=(QUICK,)):
        inherited = inert_paths(base, overrides, only=inherited)  # this row wakes one of them
        rest = functools.reduce(undo, inherited, overrides)
    found = {*inherited, *inert_paths(base, rest, only=own)}
    return tuple(path for path in overrides if path in found)


def all_overrides(space: Space, run_id: str, reading: str) -> dict[str, Any]:
    """Collect what a row changes in the space's own base, through all rows it builds on, at the proxy's size."""
    runs = {run.id: run for run in recorded.load(space)}
    chain = [runs[run_id]]
    while chain[-1].base not in (None, ROOT):
        chain.append(runs[str(chain[-1].base)])
    found: dict[str, Any] = {}
    for run in reversed(chain):
        for path, value in at_scale(space, AUDIT_SCALE, run.overrides(reading)).items():
            found = undo(found, path) | {path: value}  # a schedule replaced takes its fields along
    return found


def as_published(
    space: Space, run: RecordedRun, runs: Mapping[str, RecordedRun]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Overrides that the log has and the published code did not act on, and those that only the code had."""
    logged, done = run.overrides_as_logged, run.overrides_as_run
    meant, ran = (leaves(recorded_config(space, runs, run.id, reading, AUDIT_SCALE)) for reading in recorded.READINGS)
    dropped = tuple(path for path in logged if path not in done)
    beside = (path for path in done if done[path] != logged.get(path, ...) and meant.get(path) != ran.get(path))
    return dropped, tuple(beside)


def replicates(rows: Iterable[Row]) -> list[ReplicateGroup]:
    """The groups of two and more rows that are one computation, or are but for rounding."""
    exact: dict[str, list[list[Row]]] = {}  # by what the weights are after the first steps
    for row in rows:
        alike = exact.setdefault(row.digest, [])
        group = next((group for group in alike if is_same(group[0].config, row.config)), None)
        if group is None:
            alike.append([row])
        else:
            group.append(row)
    near: dict[str, list[list[Row]]] = {}  # by what is left without overrides that are inert or nearly so
    for group in (group for alike in exact.values() for group in alike):
        plainest = next((row for row in group if key_of(row.config) == key_of(row.plain)), group[0])
        near.setdefault(key_of(plainest.plain), []).append(group)
    return [_group(key, groups) for key, groups in near.items() if len(groups) > 1 or len(groups[0]) > 1]


def _group(key: str, groups: list[list[Row]]) -> ReplicateGroup:
    """The rows that are the plain config itself first."""
    main = next((group for group in groups if any(key_of(row.config) == key for row in group)), groups[0])
    others = (row.id for group in groups if group is not main for row in group)
    return ReplicateGroup(tuple(row.id for row in main), tuple(others))
