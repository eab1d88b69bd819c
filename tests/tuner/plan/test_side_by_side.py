"""The measurement of trainings side by side: real processes on this machine's CPU, and a campaign that asks for it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.gpu.environment import NOT_NEEDED, ROOT
from tests.absent_packages import without
from tests.small_campaign import SET_SMALL, play_in_place_of_ray, work_in
from trainable.losses.z_loss import ZLoss
from tuner.cluster import capacity, device_memory, gpus, mps
from tuner.cluster.sharing import SharedSpeed
from tuner.plan import side_by_side
from tuner.plan.side_by_side import ShortRun, speed_of, trained_briefly
from tuner.run import main

GIB = 2**30


def test_one_process_says_what_it_trained_and_evaluates_for_the_memory_of_it(tiny, monkeypatch) -> None:
    from trainable import report

    scored = []
    validation = report.validation
    monkeypatch.setattr(report, "validation", lambda run: scored.append(run.config.evaluation) or validation(run))
    config = replace(tiny, losses=(ZLoss(weight=0.1),))
    warm, done = trained_briefly(ShortRun(config, checkpoint_activations=True, on_gpu=False, seconds=0.05))
    assert warm == {} and done["steps"] >= 1 and done["seconds"] >= 0.05 and done["reserved_bytes"] is None
    assert [each.tokens for each in scored] == [tiny.evaluation.batch_tokens]


def test_a_task_reads_back_what_it_was(tiny) -> None:
    task = ShortRun(replace(tiny, losses=(ZLoss(weight=0.1),)), True, False, 0.25)
    assert ShortRun.of_json(json.loads(json.dumps(task.to_json()))) == task


@pytest.mark.slow
def test_processes_train_at_the_same_time_and_their_steps_are_added_up(tiny) -> None:
    found = speed_of(ShortRun(tiny, on_gpu=False, seconds=0.5), 2)
    assert found is not None and found.together == 2
    assert found.steps_per_second > 0 and found.reserved_bytes is None


ABSENT = tuple(name for name in NOT_NEEDED if name != "filelock")  # torch needs that one
ON_A_GPUS_IMAGE = f"""
{without(ABSENT)}
from benchmarks.gpu.small import tiny
from tuner.plan.side_by_side import ShortRun, trained_briefly
print(list(trained_briefly(ShortRun(tiny(), on_gpu=False, seconds=0.05)))[-1]["steps"] > 0)
"""


@pytest.mark.slow
def test_it_needs_no_package_that_a_gpus_image_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_A_GPUS_IMAGE], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_a_process_that_cannot_train_is_no_measurement(tiny, monkeypatch) -> None:
    monkeypatch.setattr(side_by_side.sys, "executable", "/bin/false")
    assert speed_of(ShortRun(tiny, on_gpu=False), 2) is None


def test_on_a_gpu_they_share_it_by_mps_as_trials_will_but_not_where_one_runs_alone(tiny, monkeypatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(side_by_side.sys, "executable", "/bin/false")
    monkeypatch.setattr(mps, "runs_already", lambda: False)
    monkeypatch.setattr(mps, "start", lambda folder: begun.append("start") or {mps.PIPES: str(folder)})
    monkeypatch.setattr(mps, "stop", lambda folder: begun.append("stop") or True)
    for together, on_gpu, expected in ((1, True, []), (2, False, []), (2, True, ["start", "stop"])):
        begun.clear()
        speed_of(ShortRun(tiny, on_gpu=on_gpu), together)
        assert begun == expected
    monkeypatch.setattr(mps, "runs_already", lambda: True)
    begun.clear()
    speed_of(ShortRun(tiny), 2)
    assert begun == [], "one that runs already is used"

    def refused(folder: Path) -> dict[str, str]:
        raise FileNotFoundError("there is no nvidia-cuda-mps-control")

    monkeypatch.setattr(mps, "runs_already", lambda: False)
    monkeypatch.setattr(mps, "start", refused)
    assert speed_of(ShortRun(tiny), 2) is None, "without it they take turns"


def test_a_campaign_with_auto_measures_its_base_keeps_what_it_found_and_asks_no_more(
    tmp_path, monkeypatch, play, capsys
) -> None:
    """On a GPU that is made up; the first measurement is a real one, of a process on the CPU."""
    work_in(tmp_path, monkeypatch)
    play_in_place_of_ray(monkeypatch, play)
    monkeypatch.setattr(capacity.gpus, "count", lambda: 1)
    monkeypatch.setattr(capacity, "available_cores", lambda: 16)
    monkeypatch.setattr(gpus, "multiply_bf16", lambda: False)
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [80 * GIB])
    monkeypatch.setattr(device_memory, "needed_by", lambda *config: device_memory.Memory(1000, GIB, 10 * GIB, GIB))
    asked: list[int] = []

    def made_up(task: ShortRun, together: int) -> SharedSpeed | None:
        asked.append(together)
        if together > 1:
            return SharedSpeed(together, 10.0 * together if together < 4 else 1.0, 2 * GIB)
        steps = list(trained_briefly(replace(task, on_gpu=False, seconds=0.05)))[-1]
        assert steps["steps"] >= 1
        return SharedSpeed(1, 10.0, 2 * GIB)

    monkeypatch.setattr(side_by_side, "speed_of", made_up)
    golf = ["--space", "parameter_golf", "--scale", "proxy", "--data", "text", "--no-audit", "--no-confirm", *SET_SMALL]
    auto = ["--gpu-fraction", "auto", "--results", "runs"]
    assert main([*golf, "--name", "shared", *auto, "--trials", "1"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "GPU: 2 trials on each of 80.0 GiB (--gpu-fraction auto): measured 10 steps/s of the base alone, 20" in said
    assert asked == [1, 2, 4]
    kept = SimpleNamespace(**json.loads(Path("runs/shared/campaign.json").read_text()))
    assert kept.gpu_fraction == "auto" and kept.gpu_sharing["trials"] == 2
    assert [each["together"] for each in kept.gpu_sharing["measured"]] == [1, 2, 4]
    assert main(["--resume", "shared", "--results", "runs", "--trials", "2"]) == 0
    assert "2 trials on each of 80.0 GiB (--gpu-fraction auto): as an earlier start measured 10" in " ".join(
        capsys.readouterr().out.split()
    )
    assert asked == [1, 2, 4]
