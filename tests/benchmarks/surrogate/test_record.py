"""Recorded rows: in which order they are drawn, and what becomes of runs that fail."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.surrogate import record, small_spaces
from benchmarks.surrogate.small_spaces import SmallSpace
from trainable.component_paths import with_values
from trainable.config import Budget
from tuner.failures import OUT_OF_MEMORY


@pytest.fixture
def shortest(small, dataset) -> SmallSpace:
    """The small space with runs of 40 steps on made-up tokens."""
    changes = {"data.batch_tokens": 32, "data.seq_len": 16, "data.vocab_size": dataset.vocab_size}
    base = with_values(small.base, changes | {"evaluation.tokens": 64, "evaluation.seq_len": 16})
    sizes = tuple(knob for knob in small.space.knobs if knob.path != "data.batch_tokens")
    return SmallSpace(replace(small.space, knobs=sizes), replace(base, budget=Budget(tokens=40 * 32)), small.most_bytes)


def test_a_run_is_kept_with_its_rungs_its_curve_and_its_seconds(shortest, dataset) -> None:
    row = record.record(shortest, shortest.space.values_of(shortest.base), 1, dataset)
    assert row["status"] == "completed" and row["steps"] == 40
    assert len(row["rungs"]) == len(small_spaces.RUNGS) and len(row["train"]) == record.CURVE_POINTS
    assert row["seconds"] > 0 and row["bytes"] > 0 and row["flops"] > 0
    assert row["train"][0] > row["train"][-1]
    json.dumps(row, allow_nan=False)


def test_a_seed_changes_a_run_and_the_same_seed_does_not(shortest, dataset) -> None:
    values = shortest.space.values_of(shortest.base)
    one, again, other = (record.record(shortest, values, seed, dataset)["rungs"] for seed in (1, 1, 2))
    assert one == again != other


def test_what_does_not_fit_or_is_no_valid_run_is_kept_and_not_trained(small, dataset) -> None:
    base = small.space.values_of(small.base)
    large = base | {"model.num_layers": 6, "model.model_dim": 64, "data.batch_tokens": 1024}
    row = record.record(small, large, 1, dataset)
    assert row["status"] == OUT_OF_MEMORY and row["bytes"] > small.most_bytes and row["rungs"] == []
    row = record.record(small, base | {"model.num_layers": 2, "model.encoder_layers": 4}, 1, dataset)
    assert row["status"] == record.INVALID and row["rungs"] == []


def test_a_space_without_a_small_form_is_refused_and_nothing_is_made(tmp_path, capsys) -> None:
    assert record.main([str(tmp_path / "new"), "--space", "mainrun"]) == 2
    assert "no small form of the space 'mainrun'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def rows(small, count: int) -> list[record.Row]:
    """Made-up rows as the drawer is given them, drawn by it."""
    found: list[record.Row] = []
    drawer = record.Drawer(small)
    for number in range(count):
        kind, values = drawer.next(found)
        end = 3 + float(np.random.default_rng(number).random())
        found.append({"kind": kind, "values": values, "status": "completed", "rungs": [5.0, 4.5, 4.0, end]})
    return found


def test_the_base_comes_first_and_then_every_kind_in_its_turn(small) -> None:
    drawn = rows(small, 60)
    assert [row["kind"] for row in drawn[: record.FIRST]] == ["base"] * record.FIRST
    assert {row["kind"] for row in drawn} == {"base", *record.TURNS}
    known = [row["values"] for row in drawn if row["kind"] != "replicate"]
    assert all(row["values"] in known for row in drawn if row["kind"] == "replicate")


def test_recording_goes_on_where_it_stood(small) -> None:
    drawn = rows(small, record.TPE_FEWEST)
    again = record.Drawer(small).next(drawn[:-1])
    assert again == (drawn[-1]["kind"], drawn[-1]["values"])


def test_a_line_that_was_being_written_is_dropped(tmp_path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text('{"status": "completed"}\n{"stat')
    assert record.read(file) == [{"status": "completed"}]
    assert file.read_text() == '{"status": "completed"}\n'
    assert record.read(tmp_path / "none") == []
