from __future__ import annotations

import inspect
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray import cloudpickle
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.search import Searcher
from ray.tune.utils.callback import _create_default_callbacks

from storage.location import location
from tuner.cluster import connect, ray_tune
from tuner.cluster.ray_tune import ENVIRONMENT, AskTell, EarlyStopping, Recorder, prepare_environment


def trial(key: str, **attributes) -> SimpleNamespace:
    return SimpleNamespace(config={"key": key}, **attributes)


def test_what_ray_reads_is_set_before_it_starts(monkeypatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    seen = {}
    monkeypatch.setattr(ray, "init", lambda **options: seen.update(options, environment=dict(os.environ)))
    connect.connect(concurrent=1)
    assert seen["environment"].items() >= ENVIRONMENT.items()
    assert seen["include_dashboard"] is False and seen["log_to_driver"] is False


def test_a_value_that_the_user_set_stays(monkeypatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUNE_GLOBAL_CHECKPOINT_S", "7")
    prepare_environment()
    assert os.environ["TUNE_GLOBAL_CHECKPOINT_S"] == "7"
    assert os.environ["RAY_CHDIR_TO_TRIAL_DIR"] == "0"


@pytest.mark.parametrize("part", [AskTell, EarlyStopping, Recorder])
@pytest.mark.parametrize("dumps", [cloudpickle.dumps, pickle.dumps])
def test_nothing_of_ours_is_pickled_into_rays_files(bench, part, dumps) -> None:
    written = dumps(part(bench.search()))
    assert len(written) < 200 and str(bench.folder).encode() not in written
    assert not vars(pickle.loads(written)).keys() & {"search", "stopper"}


def test_the_searcher_hands_on_requests_waits_for_slots_and_ends(bench) -> None:
    search = bench.search(trials=2, slots=1)
    searcher = AskTell(search)
    asked = searcher.suggest("id")
    assert asked["key"] == bench.base_key and f'"key": "{bench.base_key}"' in asked["request"]
    assert searcher.suggest("id") is None
    search.stop("enough")
    assert searcher.suggest("id") == Searcher.FINISHED


def test_the_searcher_writes_no_file_and_restores_none(bench, tmp_path) -> None:
    searcher = AskTell(bench.search())
    searcher.save(str(tmp_path / "searcher"))
    searcher.save_to_dir(str(tmp_path))
    assert not (tmp_path / "searcher").exists()
    with pytest.raises(RuntimeError, match="never from Ray's files"):
        searcher.restore(str(tmp_path))


def test_the_scheduler_ends_what_the_search_s_stopper_ends_and_nothing_at_an_end(bench) -> None:
    search = bench.search()
    scheduler, rung = EarlyStopping(search), search.stopper.milestones[0]
    decisions = [
        scheduler.on_trial_result(None, trial(key), {"milestone": rung, "val_bpb": value})
        for key, value in (("a", 2.0), ("b", 3.0), ("c", 1.0), ("d", None), (bench.base_key, 9.0))
    ]
    assert decisions == ["CONTINUE", "STOP", "CONTINUE", "STOP", "CONTINUE"] and set(search.stopper.stops) == {"b"}
    scheduler.on_trial_complete(None, trial("a"), {"milestone": 240.0, "val_bpb": 0.5})
    assert search.stopper.reached(rung) == 4


class Signal:
    """In place of the driver's end of the signal."""

    name, sent = "stop-made-up", 0

    def send(self) -> None:
        self.sent += 1


def test_trials_wait_for_a_message_where_looking_into_the_folder_is_too_seldom(bench, monkeypatch) -> None:
    monkeypatch.setattr(ray_tune, "StopSignal", Signal)
    few, many = bench.search(slots=100), bench.search(slots=101)
    assert ray_tune.stop_signal(few) is None and few.next().stop_signal is None
    assert ray_tune.stop_signal(many) is not None and many.next().stop_signal == Signal.name
    stored = SimpleNamespace(folder=location("memory://nowhere/night"), requests=few.requests)
    assert ray_tune.stop_signal(stored) is not None and few.requests.stop_signal == Signal.name


def test_the_message_is_sent_from_the_loop_once_the_search_is_stopping(bench) -> None:
    search, signal = bench.search(), Signal()
    recorder = Recorder(search, signal=signal)
    recorder.on_step_begin(0, [])
    assert not signal.sent
    search.stop("enough")
    recorder.on_step_begin(1, [])
    assert signal.sent == 1


class Waits:
    """A trial of Tune, known by itself."""

    status = Trial.PENDING


def test_a_free_worker_is_given_to_the_newest_trial_unless_an_older_one_has_waited_long(bench, monkeypatch) -> None:
    scheduler, now = EarlyStopping(bench.search()), [0.0]
    monkeypatch.setattr(ray_tune.time, "monotonic", lambda: now[0])
    first, second = Waits(), Waits()
    assert scheduler.choose_trial_to_run(None) is None
    for waits in (first, second):
        scheduler.on_trial_add(None, waits)
    assert scheduler.choose_trial_to_run(None) is second
    now[0] = ray_tune.PATIENCE_SECONDS + 1
    assert scheduler.choose_trial_to_run(None) is first
    first.status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(None) is second
    second.status = Trial.TERMINATED
    assert scheduler.choose_trial_to_run(None) is None and not scheduler.waiting


class Finishes(Waits):
    """The same, with what Tune asks of it."""

    trial_id = "made up"

    def is_finished(self) -> bool:
        return self.status == Trial.TERMINATED


def test_tune_keeps_nothing_of_a_trial_that_has_ended(bench) -> None:
    kept = ("_stopped_trials", "_failed_trials", "_live_trials", "_trials_to_cache")
    assert all(f"self.{name}" in inspect.getsource(TuneController) for name in (*kept, "_trial_metadata"))
    ended, runs = Finishes(), Finishes()
    ended.status = Trial.TERMINATED
    controller = SimpleNamespace(**{name: {ended, runs} for name in kept}, _trial_metadata={"made up": "JSON"})
    trials, search = [ended, runs], bench.search()
    scheduler = EarlyStopping(search)
    scheduler.on_trial_add(SimpleNamespace(_tune_controller=controller), runs)
    Recorder(search, scheduler=scheduler).on_step_end(0, trials)
    assert trials == [runs] and not controller._trial_metadata
    assert all(getattr(controller, name) == {runs} for name in kept)


def test_no_callback_of_tunes_own_is_told_of_trials_which_it_would_keep(bench) -> None:
    asked: list[Any] = []

    class Asked(ray_tune.tune.RunConfig):
        def __init__(self, **options: Any) -> None:
            asked.extend(options["callbacks"])
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ray_tune.tune, "RunConfig", Asked)
        search = bench.search()
        scheduler = EarlyStopping(search)
        ray_tune._tuner(search, {}, Path("nowhere"), scheduler, Recorder(search, scheduler=scheduler))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
        found = _create_default_callbacks(list(asked))
    assert found == asked
    ended = Finishes()
    for callback in asked[1:]:
        callback.on_trial_result(0, [], ended, {"done": True})
        callback.on_trial_complete(0, [], ended)
        callback.on_trial_error(0, [], ended)
        assert not any(ended in held for held in vars(callback).values() if isinstance(held, set | dict))


def test_the_recorder_tells_the_search_how_a_trial_goes(bench, result_of) -> None:
    search = bench.search()
    recorder = Recorder(search)
    key = AskTell(search).suggest("id")["key"]
    recorder.on_trial_start(0, [], trial(key))
    for milestone, status in ((27.0, "running"), (240.0, "completed")):
        result = result_of(bench.base, milestone, 1.5, status)
        recorder.on_trial_result(0, [], trial(key), result)
    recorder.on_trial_complete(0, [], trial(key, last_result=result))
    (row,) = bench.rows()
    assert (row["status"], row["value"], row["attempt"]) == ("completed", 1.5, 1)
    assert [r["milestone"] for r in bench.store().reports(key)] == [27, 240]


def test_a_trials_error_reaches_the_results(bench, tmp_path) -> None:
    search = bench.search()
    key = AskTell(search).suggest("id")["key"]
    file = tmp_path / "error.txt"
    file.write_text("Failure # 1\nray::RayTrainable.train() (pid=1)\n  ...\nValueError: made up\n\n")
    Recorder(search).on_trial_error(0, [], trial(key, error_file=str(file)))
    (row,) = bench.rows()
    assert (row["status"], row["reason"]) == ("crashed", "ValueError: made up")


def test_a_trial_that_ends_without_a_report_counts_as_interrupted(bench) -> None:
    search = bench.search()
    recorder, key = Recorder(search), AskTell(search).suggest("id")["key"]
    recorder.on_trial_start(0, [], trial(key))
    recorder.on_trial_complete(0, [], trial(key, last_result=None))
    assert bench.rows()[0]["status"] == "interrupted"


def test_every_step_of_tune_looks_at_the_clock_and_ticks(bench) -> None:
    search, ticks = bench.search(hours=1.0), []
    recorder = Recorder(search, tick=lambda: ticks.append(1))
    recorder.on_step_begin(0, [])
    assert not search.stopping
    bench.now = 3600.0
    recorder.on_step_begin(1, [])
    assert search.stopping == "the 1 hours are over" and len(ticks) == 2


def test_the_campaign_is_closed_and_rays_folder_removed_even_if_tune_fails(bench, monkeypatch) -> None:
    search = bench.search(slots=1)

    def broken(tuner) -> None:
        search.start(search.next().key)
        raise RuntimeError("made up")

    scratch: list[Path] = []

    def remember(tuner, *args, run_config, **options) -> None:
        scratch.append(Path(run_config.storage_path))
        assert scratch[0].is_dir() and not scratch[0].is_relative_to(search.folder)

    monkeypatch.setattr(ray_tune.tune.Tuner, "__init__", remember)
    monkeypatch.setattr(ray_tune.tune.Tuner, "fit", broken)
    with pytest.raises(RuntimeError, match="made up"):
        ray_tune.fit(search, {"cpu": 1.0})
    assert bench.rows()[0]["status"] == "interrupted"
    assert not scratch[0].exists()


NODE_DIED = """Failure # 1 (occurred at 2026-01-01_00-00-00)
The actor died unexpectedly before finishing this task.
	class_name: RayTrainable
	ip: 10.0.0.3
The actor died because its node has died. Node Id: 0a1b
"""


def test_a_trial_whose_node_died_is_offered_again_though_all_trials_have_been_asked_for(bench, tmp_path) -> None:
    search = bench.search(trials=1, slots=1)
    searcher, recorder = AskTell(search), Recorder(search)
    key = searcher.suggest("first")["key"]
    recorder.on_trial_start(0, [], trial(key))
    assert search.exhausted and searcher.suggest("second") is None  # not FINISHED: it may come back
    file = tmp_path / "error.txt"
    file.write_text(NODE_DIED)
    recorder.on_trial_error(0, [], trial(key, error_file=str(file)))
    (row,) = bench.rows()
    assert (row["status"], row["reason"]) == ("interrupted", "its node was lost")
    assert searcher.suggest("third")["key"] == key


def test_a_searcher_whose_trials_have_all_ended_is_finished(bench, result_of) -> None:
    search = bench.search(trials=1, slots=1)
    searcher, recorder = AskTell(search), Recorder(search)
    key = searcher.suggest("first")["key"]
    recorder.on_trial_start(0, [], trial(key))
    result = result_of(bench.base, 240.0, 1.5, "completed")
    recorder.on_trial_result(0, [], trial(key), result)
    recorder.on_trial_complete(0, [], trial(key, last_result=result))
    assert searcher.suggest("second") == Searcher.FINISHED
