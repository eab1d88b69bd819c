"""A real campaign through a time limit: deploy/slurm.sh with Ray's own `symmetric-run`, in namespaces of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import results

ROOT = Path(__file__).parents[2]
# `ray symmetric-run` ends every Ray process that it sees, and takes port 6379: here it sees its own only.
END_WITH_THE_TEST = ["setpriv", "--pdeathsig", "KILL"]
NODE = [*END_WITH_THE_TEST, "unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
FIRST = """
ip link set lo up
bash "$1"/deploy/slurm.sh "${@:2}" & script=$!
(until [ -e time_limit ]; do sleep 0.2; done; kill -USR1 $script) &
wait $script; code=$?
[ $code -lt 128 ] || { wait $script; code=$?; }
exit $code
"""
STAND_INS = {
    "srun": 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
    "scontrol": 'echo "$*" >> "$SLURM_SUBMIT_DIR/requeued"',
}
TINY = {
    "budget.steps": 800, "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1,
    "data.vocab_size": 300, "data.seq_len": 32, "data.batch_tokens": 128,
    "evaluation.tokens": 256, "evaluation.seq_len": 32,
}  # fmt: skip
QUESTION = [
    "night",
    "--space",
    "parameter_golf",
    "--scale",
    "proxy",
    "--trials",
    "3",
    "--stopper",
    "none",
    "--no-audit",
]
QUESTION += ["--no-confirm", *(part for path, value in TINY.items() for part in ("--set", f"{path}={value}"))]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv", "ip"))),
        reason="needs namespaces: Linux, root, unshare, setpriv and ip",
    ),
]


def sbatch(folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        command = [*NODE, "bash", "-c", FIRST, "first", str(ROOT), *QUESTION]
        return subprocess.Popen(command, cwd=folder, env=os.environ | variables, stdout=log, stderr=log)


def until(happened: str, folder: Path, job: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while happened not in statuses(folder):
        assert job.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.2)


def statuses(folder: Path) -> list[str]:
    campaign = folder / "results" / "runs" / "night"
    return results.load(campaign).rows["status"].tolist() if (campaign / "campaign.json").exists() else []


def test_a_campaign_survives_the_time_limit_of_its_job(tmp_path: Path, stand_in: Callable[..., None]) -> None:
    stand_in(tmp_path / "bin", **STAND_INS)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    variables = {
        "SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_ID": str(os.getpid()), "SLURM_NNODES": "1", "HOME": str(tmp_path),
        "SLURMD_NODENAME": "127.0.0.1", "SLURM_CPUS_PER_TASK": "1", "PYTHONPATH": str(ROOT),
        "RAY_USAGE_STATS_ENABLED": "0",
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    }  # fmt: skip
    job = sbatch(tmp_path, variables)
    until("running", tmp_path, job)
    time.sleep(3)  # so that there is something to write a checkpoint of
    (tmp_path / "time_limit").touch()
    assert job.wait(timeout=300) == 0, (tmp_path / "log").read_text()
    assert (tmp_path / "requeued").read_text() == f"requeue {os.getpid()}\n"
    assert "interrupted" in statuses(tmp_path), (tmp_path / "log").read_text()

    (tmp_path / "time_limit").unlink()
    job = sbatch(tmp_path, variables | {"SLURM_RESTART_COUNT": "1"})
    assert job.wait(timeout=600) == 0, (tmp_path / "log").read_text()
    trials = results.load(tmp_path / "results" / "runs" / "night").trials
    assert trials["status"].tolist() == ["completed"] * 3 and trials["key"].is_unique
    assert trials["attempt"].max() == 2
    assert (tmp_path / "requeued").read_text().count("requeue") == 1
