"""The section ``packing``: proxy trials side by side on one device, in turns by its driver and through CUDA's MPS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.gpu.context import Context
from benchmarks.gpu.environment import ROOT
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.golf import golf
from benchmarks.gpu.packed_worker import END, READY, RESULT, ROUND, put
from tuner.cluster import mps

PROCESSES, QUICK_PROCESSES = (1, 2, 4, 8), (1, 2)  # that train at the same time, a round each
ROUND_SECONDS, QUICK_ROUND_SECONDS = 4.0, 2.0
START_SECONDS, QUICK_START_SECONDS = 90, 300  # a quick check runs on a machine that is busy
LATE_SECONDS, END_SECONDS = 60, 15


def packing(context: Context) -> Figures:
    """Tokens a second of 1, 2, 4 and 8 processes, together and each."""
    found: Figures = {"time slices": attempt(_rounds, context, {})}
    if not context.cuda or shutil.which(mps.PROGRAM) is None:
        return found | {"mps": {"skipped": f"no {mps.PROGRAM}"}}
    return found | {"mps": attempt(_through_mps, context)}


def _through_mps(context: Context) -> Figures:
    """Measure packing through MPS, with a control daemon of our own, which is ended again."""
    with mps.running(context.scratch / "mps") as extra:
        return _rounds(context, extra)


def _rounds(context: Context, extra: Mapping[str, str]) -> Figures:
    """Start as many processes as any round needs, and in each round let so many of them train."""
    plan = QUICK_PROCESSES if context.quick else PROCESSES
    folder = Path(tempfile.mkdtemp(prefix="workers.", dir=context.scratch))
    began = time.perf_counter()
    processes = [_started(context, folder, number, extra) for number in range(max(plan))]
    try:
        _wait_until_ready(folder, processes, QUICK_START_SECONDS if context.quick else START_SECONDS)
        found: Figures = {"start_seconds": round(time.perf_counter() - began, 1)}
        for index, active in enumerate(plan):
            found[f"{active} processes"] = _round(context, folder, len(processes), index, active)
        if context.cuda:
            found["nvidia_smi_with_all_alive"] = _used()
        return found
    finally:
        (folder / END).touch()
        for process in processes:
            _end(process)


def _started(context: Context, folder: Path, number: int, extra: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", context.device, "--worker", str(folder)]
    command += ["--number", str(number)] + (["--quick"] if context.quick else [])
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, **extra, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    with _errors(folder, number).open("w") as errors:
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)


def _errors(folder: Path, number: int) -> Path:
    return folder / f"errors.{number}"


def _wait_until_ready(folder: Path, processes: list[subprocess.Popen[bytes]], seconds: float) -> None:
    """Return when all have warmed up; a RuntimeError with what one wrote that has ended, or when it takes too long."""
    limit = time.monotonic() + seconds
    while len(list(folder.glob(f"{READY}.*"))) < len(processes):
        dead = [number for number, process in enumerate(processes) if process.poll() is not None]
        if dead or time.monotonic() > limit:
            said = "".join(_errors(folder, number).read_text(errors="replace")[-400:] for number in dead or [0])
            raise RuntimeError(f"workers did not start: {said}")
        time.sleep(0.05)


def _round(context: Context, folder: Path, workers: int, index: int, active: int) -> Figures:
    """Let some of the processes train for a while, and add up what they did."""
    span = QUICK_ROUND_SECONDS if context.quick else ROUND_SECONDS
    put(folder / f"{ROUND}.{index:03d}", [active, time.time() + span])
    results = [folder / f"{RESULT}.{index}.{number}" for number in range(workers)]
    limit = time.monotonic() + span + LATE_SECONDS
    while not all(result.exists() for result in results):
        if time.monotonic() > limit:
            late = sum(not result.exists() for result in results)
            raise RuntimeError(f"{late} of {workers} workers did not answer in the round of {active}")
        time.sleep(0.02)
    done = [json.loads(result.read_text()) for result in results]
    rates = [steps / seconds for steps, seconds in done if steps]
    return {
        "tokens_a_second_in_all": round(sum(rates) * golf(context, "proxy").data.batch_tokens),
        "steps_a_second_each": [round(rate, 1) for rate in rates],
    }


def _used() -> str:
    """Memory and utilisation of the device, as the driver says it."""
    command = ["nvidia-smi", "--query-gpu=memory.used,utilization.gpu", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
