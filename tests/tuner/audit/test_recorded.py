"""Rows of the parameter-golf campaign under the audit: what it says of itself, found by training."""

from __future__ import annotations

import pytest

import search_spaces
from search_spaces import recorded
from search_spaces.recorded import recorded_config
from trainable.component_paths import with_values
from tuner.audit.overrides import INERT, LIVE, NEARLY
from tuner.audit.recorded import ReplicateGroup, all_overrides, audit_recorded, inert_of_row, replicates

# A group of each kind: rows that are one, rows that are nearly one, both, and rows that are alone.
SOME = ("BASE", "N3", "N4", "N2", "W7", "W0b", "W0e", "F8", "F10", "E10", "W0c")
MORE = ("NF8", "NF10", "W1", "W3", "NF14", "W0a", "B4", "C9", "C10", "C11", "C13", "C14", "D3", "D6", "D10", "E8")
NAMED = {
    ("N4", "hooks.WeightPerturbation.scale"): NEARLY,
    ("NF10", "hooks.WeightPerturbation.scale"): NEARLY,
    ("W1", "hooks.Canopy.min_scale"): NEARLY,
    ("W7", "hooks.Canopy.min_scale"): NEARLY,
}


@pytest.fixture(scope="module")
def golf():
    return search_spaces.load("parameter_golf")


@pytest.fixture(scope="module")
def as_run(golf):
    return {row.id: row for row in audit_recorded(golf, "as_run", SOME)}


def test_rows_that_were_run_twice_are_found(as_run) -> None:
    assert replicates(as_run.values()) == [
        ReplicateGroup(("BASE", "N3"), ("N4",)),
        ReplicateGroup(("N2",), ("W7",)),
        ReplicateGroup(("W0b", "W0e")),
        ReplicateGroup(("F8", "F10")),
    ]


@pytest.mark.slow
def test_all_the_rows_that_were_run_twice_are_found(golf) -> None:
    rows = audit_recorded(golf, "as_run", [*SOME, *MORE])
    assert {(row.id, f.path): f.status for row in rows for f in row.findings if f.says_something} == NAMED
    assert replicates(rows) == [
        ReplicateGroup(("BASE", "N3"), ("N4",)),
        ReplicateGroup(("N2", "NF8"), ("NF10", "W7")),
        ReplicateGroup(("NF14", "W0a")),
        ReplicateGroup(("W0b", "W0e")),
        ReplicateGroup(("W3",), ("W1",)),
        ReplicateGroup(("B4", "C9", "C13", "C14")),
        ReplicateGroup(("C10", "C11", "D3", "D10")),
        ReplicateGroup(("D6", "E10")),
        ReplicateGroup(("E8", "F8", "F10")),
    ]


def test_groups_are_written_in_one_line() -> None:
    assert str(ReplicateGroup(("BASE", "N3"), ("N4",))) == "BASE = N3 ~ N4"


def test_the_rows_come_in_the_order_of_the_campaign(golf, as_run) -> None:
    assert list(as_run) == [run.id for run in recorded.load(golf) if run.id in as_run]


def test_nothing_that_acts_is_named(as_run) -> None:
    named = {(row.id, f.path): f.status for row in as_run.values() for f in row.findings if f.says_something}
    assert named == {about: status for about, status in NAMED.items() if about[0] in SOME} and len(named) == 2


@pytest.mark.parametrize(
    ("name", "ignored", "instead"),
    [
        ("N3", ("losses.HeadDiversity.weight",), ()),
        ("W0e", ("losses.HeadDiversity.weight", "optimizer.embed_lr"), ()),
        ("F8", ("schedule.warmup_frac",), ()),
        ("E10", ("model.encoder_layers",), ()),
        ("BASE", (), ("horizon.steps",)),
        ("N2", (), ()),
        ("W0c", (), ()),
    ],
)
def test_what_the_published_code_ignored_or_did_instead_is_told(name, ignored, instead, as_run) -> None:
    assert (as_run[name].not_acted_on, as_run[name].instead) == (ignored, instead)


def test_what_was_swapped_by_the_published_code_is_not_called_ignored(golf) -> None:
    runs = {row.id: row for row in audit_recorded(golf, "as_run", ["3", "NF16", "G1"])}
    assert runs["3"].not_acted_on == ("losses.TargetDropout.prob",)
    assert runs["3"].instead == ("model.stem.TokenDropout.prob",)
    assert runs["NF16"].instead == ("horizon.steps",)
    assert runs["G1"].instead == ()  # it sets again what the rows before had lost


def test_rows_of_one_trajectory_are_grouped_whatever_their_overrides_say(golf) -> None:
    rows = audit_recorded(golf, "as_logged", ["B4", "C9", "C13", "F6"])
    assert replicates(rows) == [ReplicateGroup(("B4", "C9"))]
    statuses = {row.id: [f.status for f in row.findings] for row in rows}
    assert statuses == {"B4": [LIVE], "C9": [INERT], "C13": [LIVE], "F6": [LIVE]}


def test_a_row_that_was_never_published_is_left_out(golf) -> None:
    assert audit_recorded(golf, "as_logged", ["P10-E2..E25"]) == []


def test_a_row_inherits_what_is_inert(golf) -> None:
    assert inert_of_row(golf, "W0e", "as_logged") == ["optimizer.embed_lr"]
    assert inert_of_row(golf, "P10-E1", "as_logged") == ["optimizer.embed_lr"]  # set by W0e


@pytest.mark.slow
def test_what_a_row_wakes_is_no_longer_inert_in_it(golf) -> None:
    assert inert_of_row(golf, "F6", "as_logged") == ["optimizer.embed_lr"]
    assert inert_of_row(golf, "G1", "as_logged") == []  # untied


@pytest.mark.parametrize("reading", recorded.READINGS)
def test_all_the_overrides_of_a_chain_make_the_rows_config(reading, golf) -> None:
    runs = {run.id: run for run in recorded.load(golf)}
    for run in runs.values():
        if run.base is not None:
            found = with_values(golf.scale("proxy").base, all_overrides(golf, run.id, reading))
            assert found.key("data") == recorded_config(golf, runs, run.id, reading, "proxy").key("data"), run.id
