"""CUDA's Multi-Process Service (MPS): processes on one GPU compute at the same time, where without it they take turns.

Its control daemon is started for a campaign whose trials share a GPU, with files of its own, and ended with it. One
that this machine's user or administrator runs already is left alone, and used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROGRAM = "nvidia-cuda-mps-control"
PIPES, LOGS = "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"
USUAL_PIPES = Path("/tmp/nvidia-mps")
SECONDS = 20.0  # for the daemon to come up, and to end
CLIENT_SECONDS = 5  # for processes that still compute when it is to end


def runs_already() -> bool:
    """Tell whether a daemon of somebody else's is in force for this process."""
    return PIPES in os.environ or (USUAL_PIPES / "control").exists()


def start(folder: Path, marks: Mapping[str, str] | None = None) -> dict[str, str]:
    """Start a daemon with its files in ``folder``; returns the variables by which processes find it.

    ``marks`` are further variables of its own. An OSError says why it does not start: nothing of it is left then.
    """
    if shutil.which(PROGRAM) is None:
        raise FileNotFoundError(f"there is no {PROGRAM}")
    found = _variables(folder)
    for place in found.values():
        Path(place).mkdir(parents=True)
    # It numbers the GPUs that it sees anew; Ray gives trials the numbers that the machine has.
    environment = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"} | found | dict(marks or {})
    said = folder / "said"  # a file: the daemon would hold a pipe open, and whoever reads it would wait
    try:
        with said.open("w") as file:
            subprocess.run(
                [PROGRAM, "-d"], env=environment, check=True, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                timeout=SECONDS,
            )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        stop(folder)
        lines = said.read_text(errors="replace").strip().splitlines()
        raise OSError(lines[-1] if lines else str(error)) from None
    return found


def stop(folder: Path) -> bool:
    """End the daemon with its files in ``folder``; returns whether it took the order."""
    order, environment = f"quit -t {CLIENT_SECONDS}\n", os.environ | _variables(folder)
    try:
        run = subprocess.run(
            [PROGRAM], input=order, text=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return run.returncode == 0


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Run a daemon for the time of the block, which is given the variables by which processes find it."""
    found = start(folder)
    try:
        yield found
    finally:
        stop(folder)


def _variables(folder: Path) -> dict[str, str]:
    return {PIPES: str(folder / "pipes"), LOGS: str(folder / "logs")}
