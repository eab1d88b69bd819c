"""Systems whose overhead is compared: each searches the same space by the same trainings, in a process of its own.

``main`` prints one line of JSON, which ``overhead.py`` makes a row of. All propose by Optuna's TPE and stop early by
asynchronous halving at the same steps; ``played`` is our driver alone: no Ray, and trials that end at once.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import optuna

from benchmarks.played_search import played_search
from benchmarks.simulated_campaign import SCALE, SPACE, played_result
from results.store.campaign_folder import Store
from search_spaces import load
from search_spaces.space import Space
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from tuner.early_stopping import rungs
from tuner.proposals.sampler import suggest

SLOTS = 2
TINY = {
    "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "data.seq_len": 32,
    "data.batch_tokens": 256, "data.vocab_size": 300, "evaluation.tokens": 512, "evaluation.seq_len": 32,
}  # fmt: skip
STEPS = "OVERHEAD_STEPS"  # of a trial that is not stopped early, in the environment
MOST_STEPS = 12  # unless it says so
WATCH_SECONDS = 1.0
Answer = dict[str, Any]


def make_text(folder: Path) -> Path:
    """A little text of numbers to train on."""
    text = folder / "text"
    text.mkdir(parents=True, exist_ok=True)
    for number in range(30):
        words = " ".join(str((number * 7919 + place * place * 31) % 9973) for place in range(200))
        (text / f"{number}.txt").write_text(words)
    return text


def tiny() -> dict[str, Any]:
    """Overrides of the base; the steps are the environment's, since processes of each system read them."""
    return {**TINY, "budget.steps": int(os.environ.get(STEPS, MOST_STEPS))}


def problem(text: Path) -> tuple[Space, TrainConfig]:
    """The space and its base, small enough to train in a moment."""
    space = load(SPACE)
    base = space.scale(SCALE).base
    assert isinstance(base, TrainConfig)
    return space, with_values(base, {**tiny(), "data.source": str(text)})


class Objective:
    """One training of a point: yields the step and the value at each rung and at the end."""

    def __init__(self, text: Path) -> None:
        from trainable.data.preparation import prepare

        self.space, self.base = problem(text)
        self.dataset = prepare(self.base.data)
        self.milestones = rungs(self.base.budget)

    def reports(self, values: dict[str, Any]) -> Iterator[tuple[int, float, float]]:
        from trainable.run import Run
        from trainable.runtime import Runtime
        from trainable.train import train

        config = self.space.config(self.base, values)
        assert isinstance(config, TrainConfig)
        run = Run.start(config, self.dataset, Runtime.detect(False, config.number_format))
        for report in train(run, self.milestones):
            value = report.val_loss if report.val_loss is not None else 1e9
            yield run.spent.steps, value, run.spent.seconds

    def point(self, trial: optuna.Trial) -> dict[str, Any]:
        """Draw a point of the space, with what is active."""
        values: dict[str, Any] = {}
        for knob in self.space.knobs:
            if self.space.active(knob, values):
                values[knob.path] = suggest(trial, knob.path, knob.domain)
        return values


def peers_tpe(seed: int = 0) -> optuna.samplers.BaseSampler:
    """The sampler of the peers: ours, but by all trials."""
    warnings.simplefilter("ignore")
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=16, multivariate=True, group=True, constant_liar=True)


class Workers(threading.Thread):
    """Watches the processes below this one: their processor seconds, and the most memory that a worker had."""

    def __init__(self, is_worker: Callable[[str], bool]) -> None:
        super().__init__(daemon=True)
        self.is_worker, self.mib, self.over = is_worker, 0.0, threading.Event()
        self.cpu: dict[int, float] = {}

    def run(self) -> None:
        while not self.over.wait(WATCH_SECONDS):
            self.look()

    def look(self) -> None:
        parents, names = {}, {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError, ValueError, IndexError):
                    before, _, after = (entry / "stat").read_text().rpartition(")")
                    fields = after.split()
                    parents[int(entry.name)], names[int(entry.name)] = int(fields[1]), before.partition("(")[2]
                    self._note(int(entry.name), parents, fields)
        for pid in names:
            if self._is_below(pid, parents) and self.is_worker(names[pid]):
                with suppress(OSError, StopIteration):
                    status = Path(f"/proc/{pid}/status").read_text().splitlines()
                    peak = next(line for line in status if line.startswith("VmHWM"))
                    self.mib = max(self.mib, int(peak.split()[1]) / 1024)

    def _note(self, pid: int, parents: dict[int, int], fields: list[str]) -> None:
        self.cpu[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _is_below(pid: int, parents: dict[int, int]) -> bool:
        while pid > 1:
            pid = parents.get(pid, 0)
            if pid == os.getpid():
                return True
        return False


@contextmanager
def watched(is_worker: Callable[[str], bool] = lambda name: name.startswith("ray::")) -> Iterator[Answer]:
    """Fill in the driver's processor seconds and memory, and the workers' memory, of what is done in the block."""
    found: Answer = {}
    workers = Workers(is_worker)
    workers.start()
    before = time.process_time()
    yield found
    found["driver_cpu"] = time.process_time() - before
    workers.over.set()
    workers.join()
    found["driver_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["worker_mib"] = workers.mib or None


def ours(trials: int, folder: Path) -> Answer:
    """The product itself, as its users start it from Python."""
    import tuner

    text = make_text(folder)
    with watched() as found:
        campaign = tuner.search(
            SPACE, scale=SCALE, trials=trials, overrides=tiny(), data=str(text), stopper="asha", confirm=False,
            audit=False, keep="none", sampler="tpe-uniform", concurrent=SLOTS, name="campaign",
            results=str(folder / "runs"), display=False,
        )  # fmt: skip
    rows = Store.open(campaign.folder).trials()
    done = [row for row in rows if row["ended_at"] is not None and row["wall_seconds"]]
    found["ends"] = sorted(row["ended_at"].timestamp() for row in done if row["ended_at"])
    found["beyond_training"] = sum((r["wall_seconds"] or 0) - (r["train_seconds"] or 0) for r in done) / len(done)
    found["kept"] = str(campaign.folder)
    return found


def played(trials: int, folder: Path) -> Answer:
    """Our driver alone: its search, sampler, early stopping and files."""
    space, base = problem(make_text(folder))
    described = {"space": SPACE, "scale": SCALE, "objective": space.objective}
    store = Store.create(folder / "campaign", described, space.column_types())
    search = played_search(space, base, store, trials, SLOTS, 0, stopper="predictive", promote=True)
    running: list[Any] = []
    cpu, ends = [], []
    with watched() as found:
        while not search.exhausted or running:
            while not search.exhausted and (request := search.next()) is not None:
                search.start(request.key)
                running.append(request)
            if not running:
                break
            _play(search, running.pop(0))
            ends.append(time.time())
            cpu.append(time.process_time())
        search.abandon()
    found |= {"ends": ends, "cpu_ends": cpu, "kept": str(folder / "campaign")}
    return found


def _play(search: Any, request: Any) -> None:
    config = search.live[request.key].config
    end = 2.5 + crc32(request.key.encode()) / 2**32
    for milestone in (*request.milestones, config.budget.amount):
        done = milestone == config.budget.amount
        value = end + 1 - milestone / config.budget.amount
        result = played_result(config, milestone, value, done)
        stopped = not done and search.stopper.ends(request.key, result)
        search.report(request.key, result)
        if done or stopped:
            search.end(request.key, result)
            return


def ray_defaults(trials: int, folder: Path) -> Answer:
    """Ray Tune as its own pages show it: OptunaSearch and ASHA, all else left as it is."""
    return raw_ray(trials, folder, best=False)


def ray_best(trials: int, folder: Path) -> Answer:
    """Ray Tune with actors reused, its loggers off, as many trials at a time as slots, and a journal."""
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    return raw_ray(trials, folder, best=True)


def raw_ray(trials: int, folder: Path, best: bool) -> Answer:
    """A search by Ray Tune's own parts."""
    os.environ.setdefault("RAY_memory_monitor_refresh_ms", "0")
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    import ray
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    text, ends, beyond = make_text(folder), list[float](), list[float]()
    objective = Objective(text)

    class Ends(tune.Callback):
        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            ends.append(time.time())
            beyond.append((trial.last_result or {}).get("beyond", 0.0))

        def __getstate__(self) -> dict[str, Any]:
            return {}

    ray.init(num_cpus=SLOTS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    more: dict[str, Any] = {"max_concurrent_trials": SLOTS, "reuse_actors": True} if best else {}
    studies: dict[str, Any] = {"storage": journal(folder)} if best else {}
    run = tune.RunConfig(storage_path=str(folder / "runs"), name="campaign", callbacks=[Ends()], verbose=0)
    config = tune.TuneConfig(
        search_alg=OptunaSearch(space=Point(str(text)), metric="loss", mode="min", sampler=peers_tpe(), **studies),
        scheduler=ASHAScheduler(
            time_attr="step", metric="loss", mode="min", max_t=objective.base.budget.steps,
            grace_period=int(objective.milestones[0]), reduction_factor=2,
        ),
        num_samples=trials,
        **more,
    )  # fmt: skip
    try:
        with watched() as found:
            tune.Tuner(tune.with_parameters(train_for_ray, text=str(text)), tune_config=config, run_config=run).fit()
    finally:
        ray.shutdown()
    found |= {"ends": ends, "kept": str(folder / "runs"), "beyond_training": sum(beyond) / max(1, len(beyond))}
    return found


class Point:
    """A point of the space for OptunaSearch, drawn as it is run; it is pickled with the search."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, trial: optuna.Trial) -> None:
        space, _ = problem(Path(self.text))
        values: dict[str, Any] = {}
        for knob in space.knobs:
            if space.active(knob, values):
                values[knob.path] = suggest(trial, knob.path, knob.domain)


_OBJECTIVES: dict[str, Objective] = {}  # of this process


def train_for_ray(config: dict[str, Any], text: str) -> None:
    """Train one trial of raw Ray Tune."""
    from ray import tune

    if text not in _OBJECTIVES:
        import torch

        torch.set_num_threads(1)
        _OBJECTIVES[text] = Objective(Path(text))
    objective, began, trained = _OBJECTIVES[text], time.perf_counter(), 0.0
    try:
        for step, value, trained in objective.reports(config):
            beyond = time.perf_counter() - began - trained
            tune.report({"loss": value, "step": step, "beyond": beyond})
    except ValueError:  # values that make no valid config: ours cost no trial, here the worst value
        tune.report({"loss": 1e9, "step": objective.base.budget.amount, "beyond": 0.0})


def journal(folder: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    kept = folder / "runs"
    kept.mkdir(exist_ok=True)
    return JournalStorage(JournalFileBackend(str(kept / "journal")))


def optuna_pool(trials: int, folder: Path) -> Answer:
    """Plain Optuna: processes that share a study by its journal."""
    text = make_text(folder)
    Objective(text)  # the data are prepared once
    journal(folder)
    context = multiprocessing.get_context("spawn")
    pool = [context.Process(target=in_pool, args=(seed, trials, str(folder), str(text))) for seed in range(SLOTS)]
    with watched(lambda name: name.startswith("python")) as found:
        for process in pool:
            process.start()
        for process in pool:
            process.join()
    study = optuna.load_study(study_name="study", storage=journal(folder))
    ended = [t for t in study.get_trials(deepcopy=False) if t.datetime_complete is not None]
    found["ends"] = sorted(t.datetime_complete.timestamp() for t in ended if t.datetime_complete)
    found["beyond_training"] = sum(t.user_attrs["beyond"] for t in ended) / len(ended)
    found |= {"kept": str(folder / "runs"), "driver_cpu": None, "driver_mib": None}  # there is none
    return found


def in_pool(seed: int, trials: int, folder: str, text: str) -> None:
    """Work of one process of the pool."""
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    objective = Objective(Path(text))
    pruner = optuna.pruners.SuccessiveHalvingPruner(
        min_resource=int(objective.milestones[0]), reduction_factor=2, min_early_stopping_rate=0
    )
    study = optuna.create_study(
        study_name="study", storage=journal(Path(folder)), sampler=peers_tpe(seed), pruner=pruner, load_if_exists=True
    )

    def of(trial: optuna.Trial) -> float:
        began, value, beyond = time.perf_counter(), 1e9, 0.0
        try:
            for step, value, trained in objective.reports(objective.point(trial)):
                beyond = time.perf_counter() - began - trained
                trial.report(value, step)
                if step < objective.base.budget.amount and trial.should_prune():
                    raise optuna.TrialPruned
        except ValueError:  # values that make no valid config
            raise optuna.TrialPruned from None
        finally:
            trial.set_user_attr("beyond", beyond)
        return value

    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED, optuna.trial.TrialState.RUNNING)
    study.optimize(of, callbacks=[optuna.study.MaxTrialsCallback(trials, states=states)])


SYSTEMS: dict[str, Callable[[int, Path], Answer]] = {
    "ours": ours,
    "ours, driver alone": played,
    "Optuna, 2 processes": optuna_pool,
    "raw Ray, best settings": ray_best,
    "raw Ray, defaults": ray_defaults,
}


def main() -> None:
    """Run one system, and print what it took."""
    name, trials, folder = sys.argv[1:]
    os.environ.setdefault("TUNER_CACHE", str(Path(folder) / "cache"))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    out, sys.stdout = sys.stdout, sys.stderr
    found = SYSTEMS[name](int(trials), Path(folder))
    kept = [path for path in Path(found.pop("kept")).rglob("*") if path.is_file()]
    found |= {"files": len(kept), "bytes": sum(path.stat().st_size for path in kept)}
    print(json.dumps(found), file=out)
