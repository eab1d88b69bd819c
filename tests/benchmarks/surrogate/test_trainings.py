"""The table of recorded trainings says what the lines of the recording said."""

from __future__ import annotations

import json

import pytest

from benchmarks.surrogate import hold_out, trainings

ROW = {
    "kind": "near",
    "values": {"optimizer.matrix_lr": 0.04, "schedule": "Cosine", "hooks.GradientClip.max_norm": None},
    "seed": 3,
    "status": "completed",
    "rungs": [5.0, 4.0, 3.5, 3.25],
    "train": [5.5, None, 3.0],
    "seconds": 2.5,
    "steps": 80,
    "flops": 1e9,
    "bytes": 1000,
}
FAILED = {"kind": "random", "values": {"schedule": "Tidal"}, "seed": 4, "status": "infeasible"}


def test_packed_rows_read_as_the_lines_do(tmp_path) -> None:
    lines = tmp_path / "parameter_golf.jsonl"
    failed = FAILED | {"rungs": [], "train": [], "seconds": 0.0}
    lines.write_text("".join(json.dumps(row) + "\n" for row in (ROW, failed)))
    assert trainings.pack(tmp_path, tmp_path / "table.parquet") == {"parameter_golf": 2}
    packed = trainings.read("parameter_golf", tmp_path / "table.parquet")
    for one, other in zip(packed, trainings.read("parameter_golf", lines), strict=True):
        assert (one.values, one.rungs, one.status, one.seed) == (other.values, other.rungs, other.status, other.seed)
        assert one.config == other.config
    assert packed[0].train == pytest.approx((5.5, float("nan"), 3.0), nan_ok=True)
    assert packed[0].completed and not packed[1].completed


def test_what_is_no_table_of_trainings_is_refused_in_a_line(tmp_path, capsys) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"kind": "near", "values": {}}\n')
    for file, said in (("lines.jsonl", "it has no column 'seed'"), ("nowhere", "nowhere")):
        assert hold_out.main(["--file", str(tmp_path / file)]) == 2
        assert said in capsys.readouterr().err


def test_a_recording_that_goes_on_is_packed_without_the_line_that_is_being_written(tmp_path) -> None:
    lines = tmp_path / "parameter_golf.jsonl"
    lines.write_text(json.dumps(ROW) + "\n" + json.dumps(ROW)[:50])
    assert trainings.pack(tmp_path, tmp_path / "table.parquet") == {"parameter_golf": 1}
    assert len(trainings.read("parameter_golf", lines)) == 1


def test_a_space_without_runs_and_a_folder_without_a_recording_are_refused(tmp_path, capsys) -> None:
    assert trainings.main([str(tmp_path)]) == 2
    assert "has no recording" in capsys.readouterr().err
    (tmp_path / "ngpt.jsonl").write_text(json.dumps(ROW) + "\n")
    trainings.pack(tmp_path, tmp_path / "table.parquet")
    with pytest.raises(ValueError, match="no run of the space 'parameter_golf'"):
        trainings.read("parameter_golf", tmp_path / "table.parquet")
