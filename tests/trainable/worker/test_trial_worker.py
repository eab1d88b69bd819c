"""The trainable as Ray calls it, without Ray: its methods are called on a bare instance."""

from __future__ import annotations

import dataclasses
import errno
import faulthandler
import gc
import itertools
import json
import os
import uuid
import weakref
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from storage import files, inside
from storage.location import location
from tests.newest_checkpoint import newest
from tests.own_files import EXAMPLES, forgotten
from trainable.component_json import encode
from trainable.own import modules as own_modules
from trainable.own import source as own_source
from trainable.report import validation
from trainable.runtime import Runtime
from trainable.weights import read_weights, run_with
from trainable.worker import attempt, checkpoint, trial_worker
from trainable.worker.attempt import STOP_FILE
from trainable.worker.request import Request
from trainable.worker.trial_worker import TrialWorker
from trainable.worker.watchdog import stall_file


@pytest.fixture
def prepared(monkeypatch, dataset) -> list:
    """Calls of ``prepare``, which finds the made-up data."""
    calls = []

    def prepare(config, train_tokens_needed=None):
        calls.append((config, train_tokens_needed))
        return dataset

    monkeypatch.setattr(trial_worker, "prepare", prepare)
    return calls


@pytest.fixture
def request_for(tmp_path, tiny):
    def make(config=tiny, **settings) -> Request:
        """As the driver makes it: the attempt is put in force."""
        key = config.key("made-up")
        begun = attempt.begin(tmp_path, key, 1)
        settings = {"attempt": begun.number, "checkpoints": begun.names} | settings
        request = {"milestones": [2.0, 4.0], "folder": str(tmp_path), "data_fingerprint": "made-up"} | settings
        return Request(key=key, config=json.dumps(encode(config)), **request)

    return make


@pytest.fixture
def actor(prepared, request_for):
    """An actor that has been given its first trial."""

    def start(request: Request | None = None) -> TrialWorker:
        actor = TrialWorker.__new__(TrialWorker)
        actor.setup(as_config(request or request_for()))
        return actor

    return start


def as_config(request: Request) -> dict:
    return {"key": request.key, "request": request.to_json()}


def finish(actor: TrialWorker) -> list[dict]:
    results = []
    while not results or not results[-1]["done"]:
        results.append(actor.step())
    return results


TIMES = {"seconds", "train_minutes", "wall_seconds", "eval_seconds", "compile_seconds"}


def numbers(result: dict) -> dict:
    return {name: value for name, value in result.items() if name not in TIMES}


def test_each_step_trains_to_the_next_milestone_and_the_last_one_is_done(actor) -> None:
    results = finish(actor())
    assert [(r["milestone"], r["step"], r["status"], r["done"]) for r in results] == [
        (2.0, 2, "running", False),
        (4.0, 4, "running", False),
        (6.0, 6, "completed", True),
    ]


def test_a_result_says_what_the_rows_need_and_is_plain_data(actor) -> None:
    result = finish(actor())[-1]
    json.dumps(result)
    assert result["parameters"] > 1000 and result["precision"] == "fp32" and result["device"].startswith("cpu")
    assert result["muon_precision"] == "fp32" and result["activations_checkpointed"] is False
    assert result["wall_seconds"] >= result["seconds"] > 0 and ":" in result["worker"]
    assert result["peak_memory_bytes"] is None, "a process has no counter of its own on a CPU"
    assert result["peak_reserved_bytes"] is None


def test_a_reused_actor_trains_the_next_trial_as_a_fresh_one_would(actor, request_for, tiny, prepared) -> None:
    second = request_for(dataclasses.replace(tiny, seed=5))
    expected = [numbers(r) for r in finish(actor(second))]
    prepared.clear()
    used = actor()
    used.step()  # stopped early: the rest is never asked for
    assert used.reset_config(as_config(second)) is True
    assert [numbers(r) for r in finish(used)] == expected
    assert len(prepared) == 1, "the data stayed"


def test_the_last_trials_network_is_gone_before_the_next_one_is_built(actor, request_for, monkeypatch) -> None:
    used = actor()
    used.step()
    network = weakref.ref(used.fidelity.run.network)
    start = trial_worker.Run.start

    def checked(*args, **settings):
        assert network() is None, "two networks at a time need twice the memory"
        return start(*args, **settings)

    monkeypatch.setattr(trial_worker.Run, "start", checked)
    used.reset_config(as_config(request_for()))


class Held:
    """Something that a trial leaves in a cycle."""

    def __init__(self) -> None:
        self.itself = self


def test_what_stays_is_not_looked_at_between_trials_and_what_a_trial_leaves_in_cycles_is_freed(
    actor, request_for
) -> None:
    imported = [[number] for number in range(1000)]
    worker = actor()
    assert gc.get_freeze_count() >= len(imported)
    for _ in range(3):
        held = Held()
        left = weakref.ref(held)
        del held
        worker.begin(request_for())
        assert left() is None
    loaded = [Held()]
    frozen = gc.get_freeze_count()
    worker.begin(request_for())
    assert gc.get_freeze_count() <= frozen, "of later trials nothing is kept"
    assert loaded


def test_only_as_many_tokens_are_asked_for_as_the_trial_reads(actor, request_for, tiny, prepared) -> None:
    actor(request_for(train_tokens=384))
    assert prepared == [(tiny.data, 384)]


def test_data_that_are_not_the_drivers_are_refused(actor, request_for) -> None:
    with pytest.raises(ValueError, match="have fingerprint made-up, not another"):
        actor(request_for(data_fingerprint="another"))


def test_a_trial_takes_as_many_threads_as_it_is_given(actor, request_for) -> None:
    actor(request_for(threads=2))
    assert torch.get_num_threads() == 2


def test_a_trial_is_run_in_the_ways_that_its_campaign_asks_for(actor, request_for, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = actor(request_for(compile=True, compile_blocks=True)).fidelity.run
    assert run.runtime == Runtime(compile=True, compile_blocks=True)
    for name in ("cuda_graphs", "flex_attention"):
        with pytest.raises(ValueError, match=f"{name} needs a CUDA device, and the device is 'cpu'"):
            actor(request_for(compile=True, **{name: True}))


def test_the_stop_file_makes_a_trial_save_itself_and_end_and_it_goes_on_from_there(
    actor, request_for, tmp_path, monkeypatch
) -> None:
    expected = [numbers(r) for r in finish(actor())]
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    cut = actor()
    assert cut.step()["milestone"] == 2.0
    (tmp_path / STOP_FILE).touch()
    last = cut.step()
    assert (last["status"], last["done"], last["step"]) == ("interrupted", True, 2)
    assert newest(cut.attempt).exists()

    (tmp_path / STOP_FILE).unlink()
    assert [numbers(r) for r in finish(actor(request_for()))] == expected[1:]


def test_a_running_trial_saves_itself_now_and_then(actor, request_for, monkeypatch) -> None:
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    rare = actor(request_for())
    finish(rare)
    assert not rare.attempt.names
    often = actor(request_for(checkpoint_seconds=0.0))
    finish(often)
    assert newest(often.attempt).exists()


@pytest.mark.parametrize("asked", [{"checkpoint_steps": 2}, {"checkpoint_at_reports": True}], ids=["steps", "reports"])
@pytest.mark.parametrize("fidelity", ["truncate", "complete", "branch"])
def test_checkpoints_are_written_where_they_are_asked_for_and_gone_on_from(
    asked, fidelity, actor, request_for, monkeypatch
) -> None:
    def timeless(result: dict) -> dict:
        return numbers(result) | {"extra": {n: v for n, v in result["extra"].items() if "seconds" not in n}}

    saved: list[int] = []
    save_state = TrialWorker.save_state

    def noted(self: TrialWorker) -> None:
        saved.append(self.fidelity.run.spent.steps)
        save_state(self)

    monkeypatch.setattr(TrialWorker, "save_state", noted)
    expected = [timeless(r) for r in finish(actor(request_for(fidelity=fidelity)))]
    assert not saved, "none is asked for"
    broken = actor(request_for(fidelity=fidelity, **asked))
    broken.step(), broken.step()
    resumed = actor(request_for(fidelity=fidelity, **asked))
    assert resumed.attempt.names, "it goes on from one"
    found = [timeless(r) for r in finish(resumed)]
    assert found == expected[-len(found) :] and len(found) >= 1
    assert len(resumed.attempt.names) <= attempt.CHECKPOINTS_KEPT
    if fidelity == "truncate":
        assert saved == [2, 4], "broken at the second report: the first went on from 2"


def test_an_attempt_that_another_has_followed_ends_and_writes_nothing_more(actor, request_for, monkeypatch) -> None:
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    cut_off = actor(request_for(checkpoint_seconds=0.0))
    cut_off.step()
    before = set(cut_off.attempt.folder.iterdir())
    second = request_for()
    last = cut_off.step()
    assert (last["status"], last["done"], last["step"]) == ("interrupted", True, 2)
    assert set(cut_off.attempt.folder.iterdir()) == before
    assert finish(actor(second))[-1]["status"] == "completed"


def test_an_attempt_whose_trial_has_ended_elsewhere_ends_too(actor, request_for, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    request = request_for(checkpoint_seconds=0.0)
    cut_off = actor(request)
    cut_off.step()
    attempt.remove(tmp_path, request.key)
    assert cut_off.step()["status"] == "interrupted" and not cut_off.attempt.folder.exists()


def test_in_an_object_store_a_trial_looks_seldom_and_goes_on_from_its_checkpoint_there(
    actor, request_for, tiny, monkeypatch
) -> None:
    campaign = location(f"memory://{uuid.uuid4().hex}/night")
    inside.write(campaign, "campaign.json", b"{}")

    def request() -> Request:
        begun = attempt.begin(campaign, tiny.key("made-up"), 1)
        return request_for(folder=str(campaign), attempt=begun.number, checkpoints=begun.names)

    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    inside.write(campaign, STOP_FILE, b"")
    expected = [numbers(r) for r in finish(actor(request()))]
    assert expected[-1]["status"] == "completed", "it was too short for a single look"

    monkeypatch.setattr(trial_worker, "STORE_POLL_SECONDS", 0.0)
    inside.remove(campaign, STOP_FILE)
    cut = actor(request())
    assert cut.step()["milestone"] == 2.0
    inside.write(campaign, STOP_FILE, b"")
    assert cut.step()["status"] == "interrupted"
    inside.remove(campaign, STOP_FILE)
    again = request()
    assert len(again.checkpoints) == 1
    assert [numbers(r) for r in finish(actor(again))] == expected[1:]


def test_one_of_many_trials_looks_into_the_campaign_s_folder_less_often(
    actor, request_for, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    inside.write(tmp_path, STOP_FILE, b"")
    assert actor(request_for()).step()["status"] == "interrupted"
    assert finish(actor(request_for(look_seconds=1000.0)))[-1]["status"] == "completed", "too short for a single look"


class Told:
    """In place of a trial's end of the signal: hears what the test says, under names that it keeps."""

    made: ClassVar[list[str]] = []
    hears, connected = False, True

    def __init__(self, name: str) -> None:
        self.name = name
        self.made.append(name)

    @property
    def is_connected(self) -> bool:
        return self.connected

    def heard(self) -> bool:
        return self.hears


def test_a_trial_that_is_told_through_ray_looks_into_the_folder_only_where_no_message_can_come(
    actor, request_for, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(trial_worker, "StopListener", Told)
    monkeypatch.setattr(Told, "made", [])
    inside.write(tmp_path, STOP_FILE, b"")
    worker = actor(request_for(stop_signal="night"))
    assert finish(worker)[-1]["status"] == "completed", "too short for a look once a minute"
    worker.reset_config(as_config(request_for(stop_signal="night")))
    assert Told.made == ["night"], "a worker waits once for all its trials"
    monkeypatch.setattr(Told, "connected", False)
    assert worker.step()["status"] == "interrupted"
    inside.remove(tmp_path, STOP_FILE)
    monkeypatch.setattr(Told, "hears", True)
    worker.reset_config(as_config(request_for(stop_signal="morning")))
    assert Told.made == ["night", "morning"] and worker.step()["status"] == "interrupted"
    worker.reset_config(as_config(request_for()))
    assert worker.step()["milestone"] == 2.0, "not asked to listen, it does not"


def test_a_campaign_in_a_store_that_a_node_does_not_see_is_named(actor, request_for) -> None:
    with pytest.raises(ValueError, match="does not see the campaign's folder 'memory://nowhere/night'"):
        actor(request_for(folder="memory://nowhere/night"))


def test_a_damaged_checkpoint_is_named_and_the_trial_begins_again(actor, request_for) -> None:
    request_for().begun().save({})
    request = request_for()
    newest(request.begun()).write_bytes(b"nothing")
    *_, last = finish(actor(request))
    assert last["status"] == "completed" and last["step"] == 6
    assert f"{request.key}/a1-1.safetensors cannot be read" in last["note"] and "from the first step" in last["note"]


def test_a_trial_goes_on_from_the_checkpoint_before_a_damaged_one_to_the_same_end(actor, request_for) -> None:
    straight = actor()
    results = [straight.step()]
    straight.save_state()
    results.append(straight.step())
    straight.save_state()
    results.append(straight.step())
    request = request_for()
    file = newest(request.begun())
    file.write_bytes(file.read_bytes()[:-1])
    again = finish(actor(request))
    assert [r["step"] for r in again] == [4, 6]  # on from step 2
    assert [r["val_loss"] for r in again] == [r["val_loss"] for r in results[1:]]
    assert "went on from the one before" in again[-1]["note"]


def test_a_checkpoint_that_cannot_be_written_costs_a_note_and_not_the_trial(actor, request_for, monkeypatch) -> None:
    def full(*args, **kwargs) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint, "save_file", full)
    found = actor()
    found.step()
    found.save_state()
    *_, last = finish(found)
    assert (last["status"], last["note"]) == ("completed", "a checkpoint was not written: No space left on device")
    assert [path.name for path in found.attempt.folder.iterdir()] == [attempt.SIGN]


def test_a_folder_that_cannot_be_read_for_a_while_costs_a_note_and_not_the_trial(actor, monkeypatch) -> None:
    found = actor()
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    read, looks = files.read, itertools.count()

    def away(path: Path, most_bytes: int | None = None) -> bytes:
        if next(looks) % 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path, most_bytes)

    monkeypatch.setattr(files, "read", away)
    *_, last = finish(found)
    assert next(looks) > 2
    assert (last["status"], last["note"]) == (
        "completed",
        "the campaign's folder could not be read: Input/output error",
    )


def test_a_trial_is_watched_while_it_trains_and_at_no_other_time(actor, request_for, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda seconds, **options: calls.append(seconds))
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: calls.append("rest"))
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    request = request_for(stall_seconds=7.0)
    found = actor(request)
    file = Path(request.folder) / stall_file(request.key, request.attempt)
    assert calls[0] == 7.0 and calls[-1] == "rest" and file.read_text() == ""
    calls.clear()
    found.step()
    assert calls.count(7.0) >= 3 and calls[-1] == "rest"  # as the step begins, and at each look at the campaign
    finish(found)
    assert calls[-1] == "rest" and not file.exists()


def test_a_request_survives_its_way_through_json(request_for) -> None:
    request = request_for(checkpoints=["a1-1.safetensors"], train_tokens=5)
    assert Request(**json.loads(request.to_json())) == request


def test_code_of_the_users_own_is_executed_from_its_text_before_the_config_is_read(actor, request_for, tiny) -> None:
    source = own_source.read(str(EXAMPLES / "sawtooth.py"))
    with forgotten():
        (module,) = own_modules.load([source])
        config = dataclasses.replace(tiny, schedule=module.Sawtooth())
        own, plain = request_for(config, sources=[source.to_json()]), request_for(sources=[source.to_json()])
    with forgotten():
        worker = actor(plain)
        finish(worker)
        assert worker.reset_config(as_config(own))
        assert finish(worker)[-1]["multiplier"] == config.schedule(5 / 6)
    broken = {"name": "own_broken", "files": {"own_broken.py": "import no_such_module"}}
    with (
        forgotten(),
        pytest.raises(ValueError, match=r"^node \S+ cannot load .*: own_broken.py, line 1"),
    ):
        actor(request_for(sources=[broken]))


def kept_of(request: Request) -> Path:
    return Path(request.folder) / "weights" / request.key


def test_a_trial_that_completes_leaves_its_weights_where_that_is_asked(actor, request_for, tiny, dataset) -> None:
    request = request_for(keep=True)
    *on_the_way, last = finish(actor(request))
    assert {result["weights"] for result in on_the_way} == {None}
    assert last["weights"] == f"weights/{request.key}/a1.safetensors" and last["note"] == ""
    tensors = read_weights(Path(request.folder) / last["weights"], request.key)
    again = validation(run_with(tiny, tensors, dataset, Runtime()), final=True)
    assert again.bpb == last["val_bpb"]
    assert finish(actor(request_for(dataclasses.replace(tiny, seed=3))))[-1]["weights"] is None


@pytest.mark.parametrize("fidelity", ["complete", "branch"])
def test_whatever_judges_it_on_the_way_the_weights_are_the_trials_own(
    fidelity, actor, request_for, tiny, dataset
) -> None:
    request = request_for(keep=True, fidelity=fidelity)
    last = finish(actor(request))[-1]
    tensors = read_weights(Path(request.folder) / last["weights"], request.key)
    assert validation(run_with(tiny, tensors, dataset, Runtime()), final=True).bpb == last["val_bpb"]
    assert len(list(kept_of(request).iterdir())) == 1, "runs beside it leave none"


def test_a_trial_that_was_cut_off_or_stopped_leaves_no_weights(actor, request_for) -> None:
    request = request_for(keep=True)
    cut_off = actor(request)
    for _ in request.milestones:
        cut_off.step()
    attempt.begin(Path(request.folder), request.key, 2)
    cut_off.step()
    assert not kept_of(request).exists()


def test_weights_that_cannot_be_written_are_told_of_and_cost_no_trial(actor, request_for) -> None:
    request = request_for(keep=True)
    (Path(request.folder) / "weights").write_text("a file in the folder's place")
    last = finish(actor(request))[-1]
    assert (last["status"], last["weights"]) == ("completed", None)
    assert last["note"].startswith("its weights were not written: ")


def test_a_trial_that_may_be_stopped_at_a_milestone_leaves_a_checkpoint_there_and_goes_on_as_if_it_never_was(
    actor, request_for, tmp_path
) -> None:
    whole = [numbers(result) for result in finish(actor(request_for()))]
    request = request_for(checkpoint_at=[4.0])
    stopped = actor(request)
    stopped.step()
    assert not attempt.checkpoints(tmp_path, request.key), "it is not stopped there"
    stopped.step()
    (kept,) = attempt.checkpoints(tmp_path, request.key)
    attempt.begin(tmp_path, request.key, 0, most=1)  # as the driver pauses it
    stopped.save_state()
    assert attempt.checkpoints(tmp_path, request.key) == [kept], "who still trains it writes what nobody reads"
    begun = attempt.begin(tmp_path, request.key, 2)
    later = finish(actor(request_for(attempt=begun.number, checkpoints=begun.names)))
    assert [numbers(result) for result in later] == [{**whole[-1], "note": later[-1]["note"]}]
    assert later[-1]["note"] == ""
