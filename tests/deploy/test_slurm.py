"""deploy/slurm.sh at its time limit: stand-ins play Slurm, Ray and the driver, and note what reaches them and when."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "slurm.sh"
SOCKET_PATH_BYTES = 107
RAYS_OWN_PART = "/ray/session_2026-11-28_12-34-56_123456_1234567/sockets/plasma_store.12"
STAND_INS = {
    "srun": 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
    "scontrol": 'echo "scontrol $*" >> "$EVENTS"',
    "ray": """
        echo "RAY_TMPDIR=$RAY_TMPDIR" >> "$EVENTS"
        (trap 'echo "raylet: TERM" >> "$EVENTS"; exit' TERM; while tested; do :; done) &
        raylet=$!
        while [ "$1" != -- ]; do shift; done; shift
        code=0; "$@" || code=$?
        kill -9 $raylet; exit $code
    """,
    "python": """
        [ "$1" != -c ] || { printf secret; exit; }
        [ "$2" != tuner.status ] || exec test -f "$3/campaign.json"
        shift 2; echo "driver: $*" >> "$EVENTS"
        trap 'echo "driver: TERM" >> "$EVENTS"; [ -z "$ON_TERM" ] || exit $ON_TERM' TERM
        [ -z "$ENDS" ] || exit $ENDS
        mkdir -p results/runs/night; touch results/runs/night/campaign.json
        echo "driver: trains" >> "$EVENTS"
        while tested; do :; done
    """,
}


@dataclass
class Job:
    """A job of which the test plays the time limit."""

    folder: Path
    script: subprocess.Popen[bytes]

    def events(self) -> list[str]:
        return (self.folder / "events").read_text().splitlines()

    def reach(self, event: str) -> None:
        deadline = time.monotonic() + 120
        while event not in self.events():
            assert time.monotonic() < deadline, self.events()
            assert self.script.poll() is None, self.events()
            time.sleep(0.05)

    def time_limit(self) -> None:
        """Signal as the script's own --signal asks of Slurm: with B: the script alone, else all of the job."""
        asked = re.search(r"^#SBATCH --signal=(B:)?(\w+)@\d+$", SCRIPT.read_text(), re.MULTILINE)
        assert asked is not None
        number = signal.Signals[f"SIG{asked.group(2)}"]
        if asked.group(1):
            self.script.send_signal(number)
        else:
            os.killpg(self.script.pid, number)

    def end(self) -> tuple[int, str]:
        return self.script.wait(timeout=120), (self.folder / "said").read_text()


@dataclass
class Cluster:
    """A checkout with stand-ins in its virtual environment, and every job that was started in it."""

    folder: Path
    jobs: list[Job] = field(default_factory=list)

    def sbatch(self, *arguments: str, **variables: str) -> Job:
        """What Slurm starts on the first node; ``ON_TERM`` and ``ENDS`` say with which codes the driver ends when."""
        (self.folder / "events").write_text("")
        slurm = {
            "SLURM_SUBMIT_DIR": str(self.folder), "SLURM_JOB_ID": "77", "SLURM_NNODES": "1", "SLURMD_NODENAME": "node1",
            "SLURM_CPUS_PER_TASK": "2", "HOME": str(self.folder), "EVENTS": str(self.folder / "events"),
            "ON_TERM": "130", "ENDS": "", "PATH": os.environ["PATH"],
        }  # fmt: skip
        command = ["bash", str(SCRIPT), *arguments]
        with (self.folder / "said").open("w") as said:  # no pipe: what outlives the script would hold it open
            script = subprocess.Popen(command, env=slurm | variables, stderr=said, start_new_session=True)
        self.jobs.append(Job(self.folder, script))
        return self.jobs[-1]


@pytest.fixture
def cluster(tmp_path: Path, stand_in: Callable[..., None]) -> Iterator[Cluster]:
    stand_in(tmp_path / ".venv" / "bin", **STAND_INS)
    made = Cluster(tmp_path)
    yield made
    for job in made.jobs:
        with suppress(ProcessLookupError):
            os.killpg(job.script.pid, signal.SIGKILL)
        job.script.wait()


QUESTION = ("--space", "parameter_golf", "--scale", "full")


@pytest.mark.parametrize("code", ["130", "143"])
def test_at_the_time_limit_the_driver_alone_is_asked_and_then_the_job_is_requeued(cluster, code) -> None:
    job = cluster.sbatch("night", *QUESTION, ON_TERM=code)
    job.reach("driver: trains")
    job.time_limit()
    assert job.end()[0] == 0
    after = job.events()[job.events().index("driver: trains") + 1 :]
    assert after == ["driver: TERM", "scontrol requeue 77"]  # no raylet before the checkpoints are written


def test_a_requeued_job_goes_on_with_its_campaign_and_ends_with_it(cluster) -> None:
    first = cluster.sbatch("night", *QUESTION, "--", "--gpu-fraction", "0.5")
    first.reach("driver: trains")
    first.time_limit()
    first.end()
    (begun,) = [line for line in first.events() if line.startswith("driver: --")]
    again = cluster.sbatch("night", *QUESTION, "--", "--gpu-fraction", "0.5", SLURM_RESTART_COUNT="1", ENDS="0")
    assert again.end()[0] == 0
    (resumed,) = [line for line in again.events() if line.startswith("driver: --")]
    runs = f"--results {cluster.folder}/results/runs --address auto --gpu-fraction 0.5"
    assert begun == f"driver: --space parameter_golf --scale full --name night {runs}"
    assert resumed == f"driver: --resume night {runs}"
    assert not [line for line in again.events() if line.startswith("scontrol")]


def test_a_campaign_that_ends_as_the_limit_comes_is_not_requeued(cluster) -> None:
    job = cluster.sbatch("night", *QUESTION, ON_TERM="0")
    job.reach("driver: trains")
    job.time_limit()
    assert job.end()[0] == 0
    assert "scontrol requeue 77" not in job.events()


@pytest.mark.parametrize("code", ["1", "2", "130"])
def test_a_driver_that_ends_by_itself_gives_the_job_its_exit_code_and_no_second_life(cluster, code) -> None:
    job = cluster.sbatch("night", *QUESTION, ENDS=code)
    assert job.end()[0] == int(code)
    assert "scontrol requeue 77" not in job.events()


def test_a_job_that_is_cancelled_writes_its_checkpoints_and_does_not_come_back(cluster) -> None:
    job = cluster.sbatch("night", *QUESTION)
    job.reach("driver: trains")
    job.script.send_signal(signal.SIGTERM)
    assert job.end()[0] == 130
    assert "driver: TERM" in job.events() and "scontrol requeue 77" not in job.events()


def test_a_driver_that_does_not_end_in_time_is_requeued_all_the_same_and_is_not_signalled_twice(cluster) -> None:
    job = cluster.sbatch("night", *QUESTION, ON_TERM="", PATIENCE_SECONDS="2")
    job.reach("driver: trains")
    job.time_limit()
    job.reach("driver: TERM")
    job.time_limit()
    assert job.end()[0] == 0
    assert job.events().count("driver: TERM") == 1  # the second would end it at once
    assert job.events()[-1] == "scontrol requeue 77"


def test_requeues_have_an_end(cluster) -> None:
    job = cluster.sbatch("night", *QUESTION, SLURM_RESTART_COUNT="3", MAX_REQUEUES="3")
    job.reach("driver: trains")
    job.time_limit()
    code, said = job.end()
    assert code == 1 and "requeued 3 times" in said and "scontrol requeue 77" not in job.events()


@pytest.mark.parametrize(
    ("given", "said"),
    [((), "which campaign?"), (QUESTION, "not '--space'"), (("night",), "there is no campaign 'night'")],
)
def test_a_job_without_a_name_or_a_question_ends_before_anything_starts(cluster, given, said) -> None:
    job = cluster.sbatch(*given)
    code, line = job.end()
    assert code == 2 and said in line and line.count("\n") == 1
    assert job.events() == []


@pytest.mark.parametrize("given", ["/tmp", "/scratch/local/projects/a-long-name-of-a-group/user/job-temporary-files"])
def test_the_names_of_rays_sockets_fit_whatever_the_temporary_folder(cluster, given) -> None:
    job = cluster.sbatch("night", *QUESTION, ENDS="0", TMPDIR=given, SLURM_JOB_ID="1234567890")
    job.end()
    (folder,) = [line.partition("=")[2] for line in job.events() if line.startswith("RAY_TMPDIR=")]
    assert len(folder + RAYS_OWN_PART) <= SOCKET_PATH_BYTES
    assert not list(Path("/tmp").glob("t1234567890*"))


def test_the_stand_ins_end_with_the_test_that_started_them(cluster) -> None:
    test = subprocess.Popen(["sleep", "600"])
    job = cluster.sbatch("night", *QUESTION, TEST_PID=str(test.pid))
    job.reach("driver: trains")
    playing = psutil.Process(job.script.pid).children(recursive=True)
    assert len([one for one in playing if one.name() in ("python", "ray", "bash")]) >= 2
    test.kill()
    test.wait()
    job.end()
    _, left = psutil.wait_procs(playing, timeout=120)
    assert not left
