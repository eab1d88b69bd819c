"""Whole campaigns through the real command, with Ray, on a CPU: they end, they are killed, interrupted, and broken."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

import results
from results.store.statuses import ENDED

SMALL = {
    "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "data.vocab_size": 300, "data.seq_len": 32,
    "data.batch_tokens": 256, "evaluation.tokens": 1024, "evaluation.seq_len": 32,
}  # fmt: skip
SHAPES = [  # every line that a campaign may print
    r"(space|scale|plan|sampler|cores|memory|data|campaign): .+",
    r"starting Ray \.\.\.",
    r"an earlier run was killed \(process \d+\): what is left of its Ray is being ended",
    r"an earlier run was killed \(process \d+\): (ended \d+ Ray process(es)? and )?removed .+",
    r"\[\d+:\d\d\] trial \d+( \(base\))? (completed: val_bpb \d\.\d{4}(, best so far)?|stopped at rung \d+: .+)",
    r"\[\d+:\d\d\] trial \d+( \(base\))? (crashed: .+|diverged: .+|interrupted(: its process was killed)?)",
    r"\[\d+:\d\d\] trial \d+( \(base\))? begins(: steps \d+, first report at \d+)?; .+; a line when one ends, .+",
    r"\[\d+:\d\d\] \d+ of \d+ trials ended.*; (running: .+|none runs); .+",
    r"\[\d+:\d\d\] proposal \d+ infeasible before training: .+",
    r"Time: .+ from the first run's start to the last one's end(, .+)?, on \d slots?; .+ was training\.",
    r"",
    r"\d+ trials?: .+",
    r"rank +trial +val_bpb .+",
    r" +[\d-]+ +\d+ +[\d.-]+ .+",
    r"\[\d+:\d\d\] rung \d+ orders the ends( with rank correlation .+)? over \d+ finished trials.*: "
    r"trials (run on|above .+ stop there)",
    r"Early stopping ended \d+ of \d+ trials and saved \d+% of their training\. .+",
    r"[a-z]+ @N(, [a-z]+ @N)*: .+",
    r"Each difference is .+",
    r"\d+ .*(not listed|not shown|more).*",
    r"What matters: these trials can(not)? tell .+",
    r"  Compared: .+",
    r"What next: .+",
    r"  or: .+; the page has their reasons and commands\.",
    r"Best: .+",
    r" +[a-zA-Z_.0-9]+ .+",  # what changed in the best
    r"(Files|Page): .+",
    r"Weights of .+: python -m tuner\.export .+ writes (them out|out those of trial \d+ \(others: --trial N\))",
    r"(trials|reports|curves) = pandas\.read_parquet\('.+'\)",
    r"\d+ trials? crashed: .+",
    r"python -m tuner\.run: interrupted: stopping(, waits for .+)?; again to end now",
    r"ended early \(interrupted\)\. Go on with: python -m tuner\.run --resume .+",
]

WAITS = '''"""A hook that changes nothing and takes its time while a file is there."""

import time
from dataclasses import dataclass
from pathlib import Path

from trainable.hooks.hook import Hook


@dataclass(frozen=True, kw_only=True)
class Waits(Hook):
    """Steps of so many seconds, from the 61st on, while there is a file."""

    seconds: float = 0.0

    def before_forward(self, step, state):
        if step.index >= 60 and Path("HOLD").exists():
            time.sleep(self.seconds)

    @classmethod
    def neutral(cls):
        return cls()

    @classmethod
    def example(cls):
        return cls(seconds=0.25)
'''
OWN_CODE = [r"own code: .+"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "text").mkdir()
    draw = random.Random(0)
    words = "the cat sat on a mat and then it ran far away from every dog in town".split()  # noqa: SIM905
    for number in range(40):
        (folder / "text" / f"{number:02}.txt").write_text(" ".join(draw.choice(words) for _ in range(400)) + ".\n")
    return folder


@pytest.fixture
def start(workplace) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start the command in a session of its own; whatever of it is left at the end of a test is killed."""
    started: list[subprocess.Popen] = []

    def run(*arguments: object) -> subprocess.Popen:
        variables = os.environ | {"TUNER_CACHE": str(workplace / "cache"), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        log = (workplace / f"log-{len(list(workplace.glob('log-*')))}").open("w")
        command = [sys.executable, "-m", "tuner.run", *map(str, arguments), "--results", "runs", "--concurrent", "2"]
        started.append(
            subprocess.Popen(
                command, cwd=workplace, env=variables, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        )
        started[-1].log = Path(log.name)  # type: ignore[attr-defined]
        log.close()
        return started[-1]

    yield run
    for process in started:
        with suppress(ProcessLookupError):  # nobody is left of most
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def campaign(name: str, trials: int, steps: int, confirmed: bool = False) -> list[object]:
    settings = [part for path, value in SMALL.items() for part in ("--set", f"{path}={value}")]
    settings += ["--set", f"budget.steps={steps}", "--data", "text"]
    space = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", *([] if confirmed else ["--no-confirm"])]
    return [*space, "--name", name, "--trials", trials, *settings]


def output(process: subprocess.Popen, code: int, shapes: Sequence[str] = ()) -> list[str]:
    """The lines of a command that has to end with ``code``: all of a shape that is ours, none of Ray's."""
    ended = process.wait(timeout=480)
    text = process.log.read_text()
    assert ended == code, text
    for line in text.splitlines():
        assert any(re.fullmatch(shape, line) for shape in (*SHAPES, *shapes)), f"{line!r} in:\n{text}"
    return text.splitlines()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    """Until the condition holds; the campaign must still be running then."""
    deadline = time.monotonic() + 420
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, process.log.read_text()
        time.sleep(0.1)


def trials_of(folder: Path) -> pd.DataFrame:
    """The trials so far, those of a campaign that has not begun included."""
    return results.load(folder).rows if (folder / "campaign.json").exists() else pd.DataFrame({"status": []})


def ended_in(folder: Path) -> int:
    return int(trials_of(folder)["status"].isin(ENDED).sum())


def check_whole(folder: Path, trials: int) -> pd.DataFrame:
    """All trials have ended, pandas opens both datasets, and nothing is left over in the study or the folder."""
    table, reports = pd.read_parquet(folder / "trials"), pd.read_parquet(folder / "reports")
    ran = table[table["status"] != "infeasible"]
    assert len(ran) == trials and ran["status"].isin(ENDED).all() and ran["key"].is_unique
    assert ran["is_base"].sum() == 1 and ran.loc[ran["is_base"], "status"].item() == "completed"
    assert set(ran.loc[ran["status"] != "crashed", "key"]) <= set(reports["key"])
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "optuna.journal"))
    study = optuna.load_study(study_name=folder.name, storage=optuna.storages.JournalStorage(backend))
    assert TrialState.RUNNING not in {trial.state for trial in study.trials}
    assert not (folder / ".ray").exists() and not (folder / ".stop").exists()
    return ran.set_index("key")


def test_a_campaign_ends_with_its_results_and_without_rays_noise(workplace, start) -> None:
    lines = output(start(*campaign("plain", trials=4, steps=12)), code=0)
    ran = check_whole(workplace / "runs" / "plain", trials=4)
    assert ran["train_loss"].notna().all() and (ran["attempt"] == 1).all()
    assert (ran.loc[ran["status"] == "completed", "steps"] == 12).all()
    assert sum(bool(re.match(r"\[[\d:]+\] trial \d.* (completed|stopped)", line)) for line in lines) == 4
    assert not list((workplace / "runs" / "plain" / "checkpoints").glob("*"))
    (ahead,) = (place for place, line in enumerate(lines) if line.startswith("What next: Confirm ("))
    assert "--resume plain" in lines[ahead + 1] and "--confirm 3x3..5..30" in lines[ahead + 1]
    assert sum("--confirm" in line for line in lines) == 1, "said once"
    assert sum(line.startswith("What matters: ") for line in lines) == 1
    kept = ran["weights"].dropna()
    assert len(kept) == 2 and all((workplace / "runs" / "plain" / path).is_file() for path in kept)


def test_a_killed_driver_leaves_readable_results_and_a_resume_runs_nothing_twice(workplace, start) -> None:
    folder = workplace / "runs" / "killed"
    process = start(*campaign("killed", trials=5, steps=60))
    wait_for(lambda: ended_in(folder) >= 1, process)
    process.kill()
    process.wait()
    before = trials_of(folder)
    pd.read_parquet(folder / "reports")
    done = before[before["status"].isin(ENDED)].set_index("key")
    assert 1 <= len(done) < 5

    output(start("--resume", "killed"), code=0)
    after = check_whole(folder, trials=5)
    assert after.loc[done.index, ["attempt", "ended_at", "value"]].equals(done[["attempt", "ended_at", "value"]])
    assert set(before["key"]) <= set(pd.read_parquet(folder / "trials")["key"])


def test_an_interrupted_campaign_finishes_trials_that_lost_their_checkpoint_or_process(workplace, start) -> None:
    """A worker is killed. Then Ctrl-C reaches the whole process group, as from a terminal, and a checkpoint is damaged.

    Trials pass their first rung at once and then wait, in steps of a quarter of a second, while there is a file: so
    they are there to be cut, and are over soon after.
    """
    folder, hold = workplace / "runs" / "cut", workplace / "hold"
    hold.touch()
    (workplace / "waits.py").write_text(WAITS.replace("HOLD", str(hold)))
    held = ["--import", "waits.py", "--set", "hooks.Waits.seconds=0.25", "--stopper", "none"]
    process = start(*campaign("cut", trials=3, steps=240), *held)
    wait_for(lambda: len(_workers(folder)) == 2, process)  # both have passed a rung
    (victim,) = (key for key, trial in trials_of(folder).set_index("key").iterrows() if not trial["is_base"])
    killed = _workers(folder)[victim]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: _workers(folder).get(victim, killed) != killed, process)  # it passed a rung again, elsewhere
    os.killpg(process.pid, signal.SIGINT)
    lines = output(process, 130, OWN_CODE)
    assert any("its process was killed" in line for line in lines)
    again = "python -m tuner.run --resume cut --results runs --trust-sources"
    assert lines[-1] == f"ended early (interrupted). Go on with: {again}"
    cut = trials_of(folder).set_index("key")
    assert (cut["status"] == "interrupted").all() and len(cut) == 2
    for checkpoint, steps in zip(cut["checkpoint"], cut["steps"], strict=True):
        assert (folder / checkpoint).is_file() and 0 < steps < 240
    (folder / cut.loc[victim, "checkpoint"]).write_bytes(b"nothing")

    hold.unlink()
    output(start("--resume", "cut", "--trust-sources"), 0, OWN_CODE)
    ran = check_whole(folder, trials=3)
    assert (ran["status"] == "completed").all() and (ran["steps"] == 240).all()
    base, broken, fresh = ran[ran["is_base"]].iloc[0], ran.loc[victim], ran[~ran.index.isin(cut.index)].iloc[0]
    assert (base["attempt"], broken["attempt"], fresh["attempt"]) == (2, 3, 1)
    assert pd.isna(base["note"]) and "checkpoint" in broken["note"]  # it began again


@pytest.mark.slow
def test_what_a_search_finds_is_confirmed_and_taken_apart_after_a_kill_too(workplace, start) -> None:
    folder = workplace / "runs" / "sure"
    process = start(*campaign("sure", trials=4, steps=20, confirmed=True), "--confirm", "2x2..3", "--stopper", "none")
    wait_for(lambda: "confirm" in set(trials_of(folder).get("stage", [])), process)
    process.kill()
    process.wait()
    shapes = [r"confirm(ing)?: .+", r"\[[\d:]+\] (confirm|ablate): (trial \d+|the .+) on seed \d+ .+", r"Confirm.+"]
    shapes += [r" *trial +vs base .+", r"The .+", r"Winner: .+", r"  python -m tuner\.run .+", r"No candidate .+"]
    shapes += [
        r"[\dx.]+: the best (one|\d+) and the base on .+",
        r"Expect [+-].+",
        r"\d+ of \d+ runs .+",
        r"But the base .+",
        r"Trial \d+ is .+",
    ]
    shapes += [r"Which of .+", r"Ablation: .+", r"Minimal winner: .+", r"\d+ of \d+ changes .+", r"Each of .+"]
    shapes += [r"  [+-]\d\.\d{4,6} \(.+\)  without .+", r"  [a-zA-Z_.0-9]+"]  # the second: a change that is left
    output(start("--resume", "sure", "--ablate"), 0, shapes)
    table = trials_of(folder)
    rest = table[table["stage"] != "search"]
    assert (table["stage"] == "search").sum() == 4 and table["key"].is_unique
    assert rest["status"].isin(ENDED).all() and (rest["status"] == "completed").any()
    confirmed = rest[rest["stage"] == "confirm"]
    assert confirmed["arm"].nunique() == 3 and confirmed["seed"].nunique() >= 2
    assert (confirmed.loc[confirmed["status"] == "completed", "steps"] == 20).all()
    assert any(row["is_base"] for _, row in confirmed.iterrows())


def _workers(folder: Path) -> dict[str, int]:
    """Trial key -> process that trains it now, as its row says."""
    table = trials_of(folder)
    running = table[table["status"] == "running"]
    found = zip(running.get("key", []), running.get("worker", []), strict=True)
    return {key: int(worker.rsplit(":", 1)[1]) for key, worker in found if isinstance(worker, str)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stopper", "fidelity"),
    [
        ("predictive", "truncate"), ("hyperband", "truncate"), ("median", "complete"), ("asha", "branch"),
        ("asha", "complete"), ("none", "truncate"),
    ],
)  # fmt: skip
def test_every_stopper_and_fidelity_ends_a_real_campaign(workplace, start, stopper, fidelity) -> None:
    name = f"{stopper}-{fidelity}"
    output(start(*campaign(name, 12, 45), "--stopper", stopper, "--fidelity", fidelity), 0)
    found = results.load(workplace / "runs" / name)
    trials, reports, record = found.trials, found.reports, found.campaign
    assert (record["stopper"], record["fidelity"]) == (stopper, fidelity)
    assert len(trials) == 12 and set(trials["status"]) <= {"completed", "stopped", "diverged"}
    base, stopped = trials[trials["is_base"]], trials[trials["status"] == "stopped"]
    assert list(base["status"]) == ["completed"] and base["spent"].item() == 45
    assert len(stopped) > 0 if stopper not in ("predictive", "none") else stopper == "predictive" or stopped.empty
    for trial in stopped.to_dict("records"):
        (last,) = reports[(reports["key"] == trial["key"]) & (reports["milestone"] == trial["rung"])]["val_bpb"]
        assert last > trial["cutoff"] and trial["spent"] == trial["rung"] < 45
    trained_more = base["extra_spent"].item() > 0  # a schedule of its own for each rung, or a decay beside the run
    assert trained_more == (fidelity != "truncate")
