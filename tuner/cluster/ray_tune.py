"""Interface of a search to Ray Tune: a searcher, a scheduler, a callback, and one call of ``fit``.

Traps closed here (each has a test): ``Tuner.restore`` is never used and nothing of ours is pickled into Ray's own
files; its loggers, signal handler and change of directory are off; a trial's error reaches the results.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune
from ray.exceptions import RayError
from ray.tune.experiment import Trial
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from results.store.resume_command import RUN_PROGRAM
from storage.location import Url
from terminal.complaint import complain
from terminal.exit_codes import FAILED
from trainable.worker.ray_trainable import RayTrainable
from trainable.worker.request import POLL_SECONDS
from trainable.worker.stop_signal import StopSignal
from tuner.campaign.driver import ray_failure
from tuner.cluster import own_ray
from tuner.cluster.ray_errors import ray_error_line
from tuner.cluster.ray_watch import Watch, watched
from tuner.failures import RayDiedError
from tuner.search_loop import Search

PATIENCE_SECONDS = 60.0  # in which a worker of its own is likely to have started for a trial
LAST_SECONDS = 5.0  # to wait for the main thread to leave the search alone, before the process ends

ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # five files a trial that nobody reads
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # one report without a value must not end the campaign
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # ours asks the trials for checkpoints first
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # Ray's snapshot of the experiment is not what we resume from
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # or it starts trials again by itself, unknown to us
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # relative paths keep their meaning
    "RAY_memory_monitor_refresh_ms": "0",  # its kill ends the whole campaign instead of one trial
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output engine prints tables at any verbosity
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # or `uv run` ships the whole folder to every worker, up to a limit
}


class AskTell(Searcher):
    """Hands the search's requests to Tune. Ends of trials come through the callback, which also sees errors."""

    def __init__(self, search: Search) -> None:
        super().__init__(metric="value", mode="min")
        self.search = search

    def suggest(self, trial_id: str) -> Any:
        if self.search.exhausted:  # but a trial that runs may lose its node, and is then offered again
            return str(Searcher.FINISHED) if self.search.stopping or not self.search.live else None
        with remembered(self.search):
            request = self.search.next()
        return None if request is None else {"key": request.key, "request": request.to_json()}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        pass

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        return True

    def save(self, checkpoint_path: str) -> None:
        pass

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        pass

    def restore(self, checkpoint_path: str) -> None:
        raise RuntimeError("a campaign is resumed from its own rows, never from Ray's files")

    def __getstate__(self) -> dict[str, Any]:
        return {}


KEPT_BY_TUNE = "_stopped_trials", "_failed_trials", "_live_trials", "_trials_to_cache"  # sets of its controller


class EarlyStopping(FIFOScheduler):  # type: ignore[misc]
    """Ends the trials that the search's stopper ends."""

    def __init__(self, search: Search) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.stopper = search.stopper
        self.waiting: dict[Any, float] = {}  # trials that have not begun, and since when
        self._controller: Any = None  # Tune's, which keeps the trials

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        self.waiting[trial] = time.monotonic()
        self._controller = getattr(tune_controller, "_tune_controller", None)  # Tune hands in a wrapper

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Choose the trial that gets the next worker that is free: the newest, since the others have asked for workers
        of their own.

        Tune's own choice is the oldest. It takes a free worker in place of the one that is starting for it, which is
        then ended: where trials are shorter than the start of a worker, one worker trains them all. And Tune looks at
        every trial that ever was. A trial that has waited long, as for a node that does not come, is first.
        """
        for trial in [trial for trial in self.waiting if trial.status != Trial.PENDING]:
            del self.waiting[trial]
        oldest = next(iter(self.waiting), None)
        if oldest is not None and time.monotonic() - self.waiting[oldest] > PATIENCE_SECONDS:
            return oldest
        return next(reversed(self.waiting), None)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        over = self.stopper.ends(trial.config["key"], result)
        return str(TrialScheduler.STOP if over else TrialScheduler.CONTINUE)

    def forget(self, trial: Any) -> None:
        """Take a trial that has ended out of what Tune keeps for a resume and for its results, of which we use none:
        over 50 KB a trial, and a file of all of them at the end.
        """
        for name in KEPT_BY_TUNE:
            getattr(self._controller, name, set()).discard(trial)
        getattr(self._controller, "_trial_metadata", {}).pop(trial.trial_id, None)

    def __getstate__(self) -> dict[str, Any]:
        return {}


_deciding = threading.RLock()  # held while a search decides or writes


@contextmanager
def remembered(search: Search) -> Iterator[None]:
    """Keep what storage says of a failed write: Tune turns it into the text of an error of its own."""
    try:
        with _deciding:
            yield
    except OSError as error:
        search.unwritten = search.unwritten or error
        raise


class Recorder(tune.Callback):
    """Tells the search what happens to trials."""

    def __init__(
        self,
        search: Search,
        tick: Any = None,
        watch: Watch | None = None,
        scheduler: EarlyStopping | None = None,
        signal: StopSignal | None = None,
    ) -> None:
        self.search = search
        self.tick = tick
        self.watch = watch
        self.scheduler = scheduler or EarlyStopping(search)
        self.signal = signal

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        if self.watch is not None:
            self.watch.check()
        with remembered(self.search):
            self.search.check_held()
            self.search.ledger.store.settle()
            _ = self.search.exhausted  # the hours may be over
        if self.signal is not None and self.search.stopping:  # here, since Ray is not called by a handler of signals
            self.signal.send()
        if self.tick is not None:
            self.tick()

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        for trial in [trial for trial in trials if trial.is_finished()]:
            trials.remove(trial)  # the list is Tune's own
            self.scheduler.forget(trial)

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        with remembered(self.search):
            self.search.start(trial.config["key"])

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        with remembered(self.search):
            self.search.report(trial.config["key"], result)
        result.pop("curve", None)  # written: Tune would keep it as long as its trial

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        with remembered(self.search):
            self.search.end(trial.config["key"], trial.last_result or {})

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        if self.watch is not None:  # if Ray is dead, no word of its trials counts
            self.watch.check()
        file = trial.error_file  # Ray writes it before it calls us
        error = Path(file).read_text(errors="replace") if file else ""
        with remembered(self.search):
            self.search.die(trial.config["key"], error)

    def __getstate__(self) -> dict[str, Any]:
        return {}


class NoProgress(TrialProgressCallback):  # type: ignore[misc]
    """Takes the place of the callback that Tune adds by itself where there is none of its kind: that one keeps every
    trial that ever was, with its results (80 KB each), and lays out each result for a line that nobody sees.
    """

    def on_trial_result(self, *arguments: Any, **more: Any) -> None:
        """Keep nothing."""

    def on_trial_error(self, *arguments: Any, **more: Any) -> None:
        """Keep nothing."""

    def on_trial_complete(self, *arguments: Any, **more: Any) -> None:
        """Keep nothing."""


class Silent(tune.ProgressReporter):
    """Reports nothing. In a notebook, Ray's own would clear what the cell has printed, at any verbosity."""

    def setup(self, *arguments: Any, **options: Any) -> None:
        """Ignore what Tune tells."""

    def should_report(self, trials: list[Any], done: bool = False) -> bool:
        return False

    def report(self, trials: list[Any], done: bool, *sys_info: Any) -> None:
        """Say nothing."""


def prepare_environment() -> None:
    """Set what Ray reads when it is imported and started; values of the user's own stay."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def fit(search: Search, resources: dict[str, float], tick: Any = None) -> None:
    """Run the search to its end on the connected cluster. A RayDiedError where that ends first."""
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", str(search.here.slots))  # fill every slot at once
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # errors of trials are in the results, not in its log
    # Ray insists on a folder; nothing in it is ever read again. Not the campaign's: Ray would make that anew.
    scratch = Path(tempfile.mkdtemp(prefix="tuner-", dir=own_ray.folder()))
    with watched(partial(leave, search)) as watch:
        scheduler, signal = EarlyStopping(search), stop_signal(search)
        tuner = _tuner(search, resources, scratch, scheduler, Recorder(search, tick, watch, scheduler, signal))
        try:
            tuner.fit()
        except BaseException as error:
            over = search.over
            with suppress(OSError), _deciding:  # the results cannot be written: that is what is already on its way
                search.abandon()
            if search.unwritten is not None:
                raise search.unwritten from None
            if over and watch.died:  # it has taken nothing with it
                return
            watch.check()  # Tune wraps what its callbacks raise
            if (failure := _failure_of_ray(error)) is not None:
                raise RayDiedError(ray_error_line(failure)) from error
            raise
        else:
            search.abandon()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def stop_signal(search: Search) -> StopSignal | None:
    """Make the signal that trials wait for where they would look for the sign to end too seldom; else None.

    It is a process more, which a campaign of few trials beside each other in a folder of this machine does without.
    """
    if not isinstance(search.folder, Url) and search.requests.look_seconds <= POLL_SECONDS:
        return None
    signal = StopSignal()
    search.requests.stop_signal = signal.name
    return signal


def leave(search: Search, why: str) -> None:
    """End this process, whose main thread hangs in a dead Ray: what runs is closed as interrupted."""
    with suppress(OSError):
        if _deciding.acquire(timeout=LAST_SECONDS):
            search.abandon()
    complain(RUN_PROGRAM, ray_failure(why, search.folder))
    os._exit(FAILED)


def _failure_of_ray(error: BaseException | None) -> RayError | None:
    """Find Ray's own error among the causes of an exception, after which Tune does not go on; None where none is."""
    while error is not None and not isinstance(error, RayError):
        error = error.__cause__ or error.__context__
    return error


def _tuner(
    search: Search, resources: dict[str, float], scratch: Path, scheduler: EarlyStopping, recorder: Recorder
) -> tune.Tuner:
    return tune.Tuner(
        tune.with_resources(RayTrainable if search.here.worker is None else search.here.worker(), resources),
        tune_config=tune.TuneConfig(
            search_alg=AskTell(search),
            scheduler=scheduler,
            num_samples=-1,  # the book counts, not Ray
            reuse_actors=search.here.worker is None,  # of what a user's function leaves behind nothing is known
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name="campaign",
            storage_path=str(scratch.resolve()),
            callbacks=[recorder, NoProgress()],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
            progress_reporter=Silent(),
        ),
    )


def _name(trial: Any) -> str:
    return str(trial.config["key"])
