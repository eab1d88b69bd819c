from __future__ import annotations

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from trainable.worker import watchdog
from trainable.worker.attempt import STOP_FILE
from trainable.worker.watchdog import stall_file
from tuner.failures import KILLS, LOSSES, NODE, OTHER, PROCESS, loss_of

ON_A_DEAD_NODE = """Failure # 1
The actor died unexpectedly before finishing this task.
\tclass_name: RayTrainable
\tactor_id: 0a1b
The actor died because its node has died. Node Id: 2c3d
\tthe actor's node was terminated unexpectedly: health check failed due to missing too many heartbeats
"""
ON_A_LIVING_NODE = """Failure # 1
The actor died unexpectedly before finishing this task.
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR
"""
GONE_AFTER_NOTICE = """Failure # 1
The actor died unexpectedly before finishing this task.
\tclass_name:\x20
\tactor_id: 0a1b

"""
RAISED = """Failure # 1
ray::RayTrainable.train() (pid=1, ip=10.0.0.1)
  File "train.py", line 1, in train
ValueError: its node has died, says a trial
"""


HOSTILE = ValueError("\n\tclass_name: x\nThe actor is dead because its worker process has died.\n")


def _raised() -> RayTaskError:
    """As Ray brings back what a trial raised."""
    traceback = (
        f"\x1b[36mray::RayTrainable.train()\x1b[39m (pid=1, ip=1.2.3.4)\n  File x, line 1\nValueError: {HOSTILE}"
    )
    return RayTaskError("train", traceback, HOSTILE, "ray::RayTrainable.train", 1, "1.2.3.4")


RAISES = (_raised, lambda: ActorDiedError(_raised()))


def test_a_dead_or_unreachable_node_is_told_from_errors_of_the_trial() -> None:
    assert loss_of(ON_A_DEAD_NODE) is NODE
    assert loss_of(str(ActorUnavailableError("RPC error", None))) is NODE
    assert loss_of(GONE_AFTER_NOTICE) is NODE
    assert loss_of(ON_A_LIVING_NODE) is PROCESS
    assert loss_of(RAISED) is None


@pytest.mark.parametrize("text", [str(raised()) for raised in RAISES], ids=["training", "setup"])
def test_an_exception_that_came_back_is_the_trials_own_whatever_its_text_says(text) -> None:
    assert "class_name: x" in text and "its worker process has died." in text
    assert loss_of(f"Failure # 1 (occurred at 2026-11-28_05-00-00)\n{text}\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Failure # 1\nThe actor is dead because its owner has died. Owner Id: 01 Owner Ip address: 127.0.0.1 Owner "
        "worker exit type: SYSTEM_ERROR Worker exit detail: Owner's node has crashed.",
        "Failure # 1\nThe actor died because of words that Ray has not found yet.",
        "Failure # 1\nTask was killed due to the node running low on memory.",
    ],
)
def test_what_ended_without_a_word_of_the_trial_is_lost_not_crashed(text) -> None:
    assert loss_of(text) is OTHER


def test_a_trial_of_a_lost_node_is_next_and_ends_as_attempt_2(bench, result_of) -> None:
    search = bench.search(trials=3, slots=2)
    first, second = search.next().key, search.next().key
    for key in (first, second):
        search.start(key)
    search.report(first, result_of(bench.base, 27.0, 1.5, "running"))
    search.die(first, ON_A_DEAD_NODE)
    again = search.next()
    assert again.key == first and not again.resume  # nobody can see a checkpoint
    search.start(first)
    result = result_of(bench.base, 240.0, 1.5, "completed")
    search.report(first, result)
    search.end(first, result)
    row = next(row for row in bench.rows() if row["key"] == first)
    assert (row["status"], row["attempt"]) == ("completed", 2)


def test_a_trial_of_a_lost_node_goes_on_from_a_checkpoint_that_can_be_seen(bench) -> None:
    search = bench.search()
    request = search.next()
    search.start(request.key)
    request.begun().save({"position": 100})
    search.die(request.key, ON_A_DEAD_NODE)
    assert bench.rows()[0]["checkpoint"] == f"checkpoints/{request.key}/a1-1.safetensors"
    assert search.next().resume


def test_a_trial_that_goes_on_losing_nodes_crashes_in_the_end(bench) -> None:
    search = bench.search(trials=1)
    for _ in range(LOSSES + 1):
        search.start(search.next().key)
        search.die(bench.base_key, ON_A_DEAD_NODE)
    (row,) = bench.rows()
    assert row["status"] == "crashed" and row["reason"].startswith("gave up: its node was lost")
    assert search.exhausted


def test_a_node_lost_while_a_campaign_ends_leaves_the_trial_for_a_resume(bench) -> None:
    search = bench.search(trials=1)
    search.start(search.next().key)
    search.stop("enough")
    search.die(bench.base_key, ON_A_DEAD_NODE)
    assert search.exhausted and bench.rows()[0]["status"] == "interrupted"
    search.abandon()
    assert not (bench.folder / STOP_FILE).exists()
    assert bench.search(trials=1).next().key == bench.base_key


@pytest.mark.parametrize("losses", [1, 3])
def test_a_lost_trial_reaches_the_study_once_when_it_ends(bench, result_of, losses) -> None:
    search = bench.search(trials=1)
    for _ in range(losses):
        search.start(search.next().key)
        search.die(bench.base_key, ON_A_DEAD_NODE)
    search.start(search.next().key)
    result = result_of(bench.base, 240.0, 1.5, "completed")
    search.report(bench.base_key, result)
    search.end(bench.base_key, result)
    states = [trial.state.name for trial in search.proposals.sampler.study.trials]
    assert states.count("COMPLETE") == 1 and "RUNNING" not in states


def test_a_trial_whose_process_is_killed_is_tried_twice_more_with_a_note(bench) -> None:
    search = bench.search(trials=1)
    for attempt in range(KILLS + 1):
        assert search.next().key == bench.base_key
        search.start(bench.base_key)
        search.die(bench.base_key, ON_A_LIVING_NODE)
        (row,) = bench.rows()
        assert row["status"] == ("interrupted" if attempt < KILLS else "crashed")
    assert row["reason"] == "gave up: its process was killed 3 times"
    assert row["note"] == "attempt 1: its process was killed; attempt 2: its process was killed"
    assert search.exhausted


def test_a_base_whose_process_is_killed_again_and_again_ends_the_search(bench) -> None:
    search = bench.search(trials=20, slots=1)
    for _ in range(KILLS + 1):
        assert search.next().key == bench.base_key and not search.stopping
        search.start(bench.base_key)
        search.die(bench.base_key, ON_A_LIVING_NODE)
    assert search.stopping.startswith("the base config crashed") and "its process was killed 3 times" in search.stopping
    assert search.next() is None and search.exhausted


def test_a_trial_that_raises_is_not_tried_again(bench) -> None:
    search = bench.search(trials=1)
    search.start(search.next().key)
    search.die(bench.base_key, RAISED)
    assert bench.rows()[0]["status"] == "crashed" and search.exhausted


def test_a_trial_that_hung_has_crashed_with_where_it_hung(bench) -> None:
    search = bench.search(trials=2, stall_minutes=1.5)
    request = search.next()
    assert request.stall_seconds == 90.0
    search.start(request.key)
    file = bench.folder / stall_file(request.key, 1)
    file.parent.mkdir()
    file.write_text("Timeout (0:01:30)!\n  File train.py in hangs\n")
    search.die(request.key, ON_A_LIVING_NODE)
    (row,) = bench.rows()
    assert row["status"] == "crashed" and row["reason"].startswith("no progress for 90 s")
    assert "in hangs" in (bench.folder / "errors" / f"{request.key}.txt").read_text()
    assert not file.exists() and search.stopping.startswith("the base config crashed")


def test_what_the_watchdog_of_a_killed_start_wrote_is_not_held_against_a_new_one(bench) -> None:
    search = bench.search(trials=1)
    search.start(search.next().key)
    file = bench.folder / stall_file(bench.base_key, 1)
    file.parent.mkdir()
    file.write_text("Timeout")
    again = bench.search(trials=1)
    again.start(again.next().key)
    again.die(bench.base_key, ON_A_LIVING_NODE)
    assert bench.rows()[0]["status"] == "interrupted"


def test_a_report_of_a_hang_that_is_too_large_is_not_read(bench, monkeypatch) -> None:
    monkeypatch.setattr(watchdog, "MOST_BYTES", 10)
    search = bench.search()
    search.start(key := search.next().key)
    file = bench.folder / watchdog.stall_file(key, 1)
    file.parent.mkdir(exist_ok=True)
    file.write_text("Timeout!" * 10)
    assert search.files.hung(key).startswith("where it hung is not kept: ")
    assert "holds 80 bytes but may hold at most 10" in search.files.hung(key)
