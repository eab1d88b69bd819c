"""A campaign is read while it is written, and its writer is killed with -9: nothing is lost and nothing is torn."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

import results
from results import Store, load
from tests.results.conftest import WHOLE

WRITER = """
import sys
from pathlib import Path
from results import Store
from results.store.curves import TrainingCurve
from tests.results.conftest import WHOLE
store = Store.open(Path(sys.argv[1]))
for number in range(100_000):
    key = f"{number % 50:016x}"
    row = {**WHOLE, "key": key, "number": number % 50, "attempt": number}
    row |= {"config": '{"x": "%s"}' % ("x" * (number % 4000))}
    store.write_trial({**row, "status": "running"})
    print("trial", key, number, flush=True)
    for _ in range(2):
        store.append_report({"key": key, "attempt": number, "step": 1})
        print("report", key, number, flush=True)
    steps = list(range(1, 2 + number % 300))
    store.write_curve(key, number % 50, TrainingCurve(steps, steps, {"loss": [number] * len(steps)}, {"loss": "s"}))
    print("curve", key, number, flush=True)
    store.write_trial({**row, "status": "completed"})
    print("trial", key, number, flush=True)
"""

READER = """
import sys
from pathlib import Path
import pandas
folder = Path(sys.argv[1])
seen = 0
while not (folder / ".enough").exists():
    trials, reports = pandas.read_parquet(folder / "trials"), pandas.read_parquet(folder / "reports")
    curves = pandas.read_parquet(folder / "curves")
    assert trials["key"].is_unique, "two rows of one trial"
    for _, curve in curves.groupby("key"):
        number = int(curve["value"].iloc[0])
        assert (curve["value"] == number).all() and len(curve) == 1 + number % 300, "parts of two curves"
    assert len(trials) >= seen, "a trial disappeared"
    assert reports["attempt"].notna().all() and trials["attempt"].notna().all(), "half a row"
    seen = len(trials)
    print(seen, flush=True)
"""


def _python(script: str, folder: Path) -> subprocess.Popen[str]:
    root = Path(results.__file__).parents[1]
    command = [sys.executable, "-W", "error", "-c", script, str(folder)]
    return subprocess.Popen(command, cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_writer_killed_at_any_moment_leaves_every_row_it_wrote(tmp_path: Path) -> None:
    folder = Store.create(tmp_path / "killed", {}, {}).folder
    with _python(WRITER, folder) as writer, _python(READER, folder) as reader:
        try:
            assert reader.stdout is not None and reader.stderr is not None
            while (line := reader.stdout.readline()) and int(line) < 3:  # until both are at work
                pass
            assert line, reader.stderr.read()
            time.sleep(random.uniform(0.0, 1.0))
            writer.kill()
            written, _ = writer.communicate(timeout=60)
            (folder / ".enough").touch()
            _, errors = reader.communicate(timeout=60)
        finally:
            writer.kill()
            reader.kill()
    assert reader.returncode == 0, errors

    trials: dict[str, int] = {}
    curves: dict[str, int] = {}
    reports = 0
    for line in written.splitlines():
        kind, key, number = line.split()
        trials |= {key: int(number)} if kind == "trial" else {}
        reports += kind == "report"
        curves |= {key: int(number)} if kind == "curve" else {}
    found = load(folder)
    stored = dict(zip(found.trials["key"], found.trials["attempt"], strict=True))
    # The kill may fall between a rename and the line that tells of it: then there is one row more than we were told of.
    assert all(stored[key] >= number for key, number in trials.items())
    assert len(stored) - len(trials) in (0, 1) and len(found.reports) - reports in (0, 1)
    assert len(pd.read_parquet(folder / "reports")) <= len(found.reports)  # as of the last second
    Store.open(folder).set_damaged_aside(lambda place, why: None)
    assert len(pd.read_parquet(folder / "reports")) == len(found.reports)
    drawn = found.curves.groupby("key")["value"].agg(["min", "max"])
    assert (drawn["min"] == drawn["max"]).all()
    assert all(drawn.loc[key, "min"] >= number for key, number in curves.items()) and len(drawn) - len(curves) in (0, 1)
    Store.open(folder).write_trial({**WHOLE, "key": "after", "number": 50, "status": "completed"})
    assert "after" in set(pd.read_parquet(folder / "trials")["key"])
