"""When a training by a user's own function is told to end, from what its worker sees of the campaign's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search_spaces.own_train import OwnConfig
from storage import files
from trainable.config import Budget
from trainable.worker import attempt
from trainable.worker.attempt import STOP_FILE
from trainable.worker.request import Request
from tuner.own.worker import Ends, task_of

KEY = "0123456789abcdef"


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    return Ends(tmp_path, attempt.begin(tmp_path, KEY, 1))


def test_a_training_goes_on_while_its_attempt_is_in_force(ends) -> None:
    assert not ends() and not ends()


def test_the_sign_to_stop_another_attempt_and_the_end_of_the_trial_end_it(tmp_path, ends) -> None:
    other = Ends(tmp_path, ends.attempt)
    (tmp_path / STOP_FILE).touch()
    assert ends()
    (tmp_path / STOP_FILE).unlink()
    assert ends(), "once is enough"
    assert not other()
    attempt.begin(tmp_path, KEY, 2)
    assert other()
    over = Ends(tmp_path, attempt.begin(tmp_path, KEY, 3))
    attempt.remove(tmp_path, KEY)
    assert over()


class Told:
    """A listener that hears what it is told to."""

    def __init__(self, hears: bool = False, connected: bool = True) -> None:
        self.hears, self.is_connected = hears, connected

    def heard(self) -> bool:
        return self.hears


def test_where_the_message_comes_through_ray_the_folder_is_looked_at_once_it_cannot_come(tmp_path, ends) -> None:
    told = Told()
    waits = Ends(tmp_path, ends.attempt, told)
    (tmp_path / STOP_FILE).touch()
    assert not waits(), "it looks once a minute"
    told.is_connected = False
    assert waits()
    assert Ends(tmp_path, ends.attempt, Told(hears=True))()


def test_a_folder_that_cannot_be_read_ends_no_training(ends, monkeypatch) -> None:
    def fails(place) -> bool:
        raise OSError("gone")

    monkeypatch.setattr(files, "exists", fails)
    assert not ends()


def test_a_folder_in_an_object_store_is_not_asked_all_the_time(ends) -> None:
    ends.seconds = 1000.0
    (ends.folder / STOP_FILE).touch()
    assert not ends()


def test_a_request_of_the_search_says_what_the_function_gets() -> None:
    config = OwnConfig({"lr": 0.1}, Budget(steps=20), 7)
    request = Request(KEY, json.dumps(config.to_json()), "f", "folder", [5.0, 10.0])
    task = task_of(json.loads(request.to_json()), "-accuracy", True)
    assert task.config == config.handed_in() == {"lr": 0.1, "seed": 7, "steps": 20}
    assert (task.steps, task.milestones, task.objective, task.maximise) == (20, [5.0, 10.0], "-accuracy", True)
