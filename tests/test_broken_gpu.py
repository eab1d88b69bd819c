"""A whole campaign on Ray whose GPU fails, by errors that are made up: who is tried again, and in which process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from results import Store
from tests.small_campaign import SET_SMALL, work_in

TESTS = Path(__file__).parent


@pytest.mark.slow
def test_a_broken_gpu_gets_another_process_and_memory_that_ran_out_ends_no_campaign(tmp_path, monkeypatch) -> None:
    work_in(tmp_path, monkeypatch)
    log = tmp_path / "attempts"
    log.mkdir()
    variables = os.environ | {"BROKEN_GPU_FOLDER": str(log), "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    arguments = ["--space", "parameter_golf", "--scale", "proxy", "--data", "text", *SET_SMALL, "--name", "broken"]
    arguments += [
        "--no-audit",
        "--no-confirm",
        "--stopper",
        "none",
        "--trials",
        "7",
        "--concurrent",
        "1",
        "--results",
        "runs",
    ]
    command = [sys.executable, "-c", "import sys, broken_gpu; sys.exit(broken_gpu.main())", *arguments]
    ended = subprocess.run(
        command, env=variables | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=900, check=False
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr  # done, but some trials crashed
    rows = [row for row in Store.open(tmp_path / "runs" / "broken").trials() if row["attempt"]]
    numbers = {key: int((log / key).read_text().split()[0]) for key in (row["key"] for row in rows)}
    processes = {key: (log / key).read_text().split()[1:] for key in numbers}
    by_number = {numbers[row["key"]]: row for row in rows}
    assert sorted(by_number) == list(range(7)), "no error ended the campaign"
    for number, why in ((1, "its GPU's context was broken"), (2, "a neighbour took its memory of the GPU")):
        row = by_number[number]
        assert (row["status"], row["attempt"], row["note"]) == ("completed", 2, f"attempt 1: {why}")
        first, second = processes[row["key"]]
        assert first != second, "a process that raised is replaced"
    for number in (3, 4, 5):
        row = by_number[number]
        assert (row["status"], row["attempt"]) == ("crashed", 1)
        assert row["reason"].startswith("out of memory: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate")
    assert by_number[6]["status"] == "completed"
