"""Arguments of any type, size and order given to ``import tuner``: one line that names them, and nothing is made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tuner
from search_spaces.space import Space
from tuner.cli import modes
from tuner.python.arguments import options_given

BIG = 10**5000
ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
TABLE = pd.DataFrame({"a": range(100)})


class Bytes(os.PathLike):  # type: ignore[type-arg]
    def __fspath__(self) -> bytes:
        return b"x"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("trials", BIG, "trials: 'about 10^5000' is not a whole number"),
        ("seed", BIG, "seed: 'about 10^5000' is not a whole number"),
        ("hours", BIG, "hours: 'about 10^5000' is not a positive number"),
        ("trials", np.zeros((100, 100)), "trials is a numpy.ndarray of shape (100, 100) but must be a number or text"),
        ("trials", TABLE, "of shape (100, 1) but must be a number or text"),
        ("overrides", TABLE, "of shape (100, 1) but must be a mapping"),
        ("overrides", {"budget.steps": np.zeros((9, 9))}, "overrides: budget.steps is a numpy.ndarray of shape (9, 9)"),
        ("overrides", {"budget.steps": BIG}, "overrides: budget.steps is about 10^5000"),
        ("overrides", {"x": ENDLESS}, "overrides: x is [[...]], which is no value of JSON"),
        ("data", "loop", "there is no file or folder "),
        ("overrides", {5: 3}, "overrides is {5: 3} but must be a mapping from dotted paths"),
        ("imports", b"x.py", "imports is b'x.py' but must be a path"),
        ("imports", {"x.py"}, "imports is {'x.py'} but must be a list"),
        ("imports", [5], "imports is 5 but must be text"),
        ("constraints", {"a": 1}, "constraints is {'a': 1} but must be a list"),
        ("reuse", TABLE, "of shape (100, 1) but must be a path, a URL or a campaign"),
        ("ablate", "no", "ablate is 'no' but must be True or False"),
        ("name", b"x", "name is b'x' but must be text"),
        ("results", b"x", "results is b'x' but must be a path"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_another_type_or_size_is_one_short_line(elsewhere, name: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError) as raised:
        tuner.search("parameter_golf", **{name: value})
    assert says in str(raised.value) and "\n" not in str(raised.value) and len(str(raised.value)) < 400
    assert [path.name for path in elsewhere.iterdir()] == ["loop"]


@pytest.mark.parametrize(
    "call",
    [
        lambda space: tuner.search(space),
        lambda space: tuner.replay(space, "H1"),
    ],
)
@pytest.mark.parametrize("space", [5, None, b"x", Space, {"lr": "0..1"}, Bytes()])
def test_a_space_that_is_none(call, space: Any) -> None:
    with pytest.raises(ValueError, match=r"^the space is .* but must be a name, a file or a Space$"):
        call(space)


@pytest.mark.parametrize("campaign", [5, None, b"x", TABLE])
def test_a_campaign_that_is_none(campaign: Any) -> None:
    with pytest.raises(ValueError, match=r"is no name, path or URL of a campaign$") as raised:
        tuner.load(campaign)
    assert "\n" not in str(raised.value)


def test_other_arguments_that_are_none() -> None:
    with pytest.raises(ValueError, match="keep: 'bast' is no value of it: did you mean 'best'"):
        tuner.search("parameter_golf", keep="bast")
    with pytest.raises(ValueError, match="space is 5 but must be a Space"):
        tuner.load("x", space=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="display is 'no' but must be True or False"):
        tuner.search("parameter_golf", display="no")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="display is 0 but must be True or False"):
        tuner.tune(lambda c, r: 1.0, {"a": "0..1"}, base={"a": 0.5}, steps=9, display=0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tuner.tune(max, {}, base={}, steps=1, trails=3), r"tune\(\) has no argument 'trails'.*'trials'"),  # type: ignore[call-arg]
        (lambda: tuner.tune(max, {}, base={}, steps=1, keep="all"), r"tune\(\) has no argument 'keep'"),  # type: ignore[call-arg]
        (lambda: tuner.load("x", result="y"), r"load\(\) has no argument 'result': did you mean 'results'"),  # type: ignore[call-arg]
        (lambda: tuner.command_line("x", cdw="y"), r"command_line\(\) has no argument 'cdw': did you mean 'cwd'"),  # type: ignore[call-arg]
    ],
)
def test_an_argument_that_is_not_there_is_told_the_nearest(call, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        call()


@pytest.mark.parametrize(
    ("cwd", "says"),
    [
        (5, "cwd is 5 but must be the path of a folder"),
        (b"/tmp", "cwd is b'/tmp' but must be"),
        ("", "cwd: '' names no place"),
        ("a\0b", "cwd: .* must not hold the control character"),
        ("s3://bucket/x", "cwd: .* must be a path of this machine"),
    ],
)
def test_a_folder_of_a_program_that_is_none(cwd: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tuner.command_line("x", cwd=cwd)


@pytest.mark.parametrize("cwd", ["nowhere", "file"])
def test_a_folder_of_a_program_that_is_not_there_is_said_before_the_first_trial(cwd: str) -> None:
    Path("file").write_text("")
    with pytest.raises(ValueError, match=f"cwd is '.*/{cwd}', which is no folder"):
        tuner.tune(tuner.command_line("x {a}", cwd=cwd), {"a": "0..1"}, base={"a": 0.5}, steps=9)


@pytest.mark.parametrize("line", ["x a\0b", "x \udcff"])
def test_a_command_line_that_no_program_can_be_given(line: str) -> None:
    with pytest.raises(ValueError, match="must be text without the character NUL, in UTF-8"):
        tuner.command_line(line)


def test_empty_lists_ask_for_nothing_and_a_resume_lets_go_of_reuse() -> None:
    several = ("imports", "constraints", "likely", "warm_start", "reuse")
    for empty in ([], ()):
        assert options_given(modes.NEW_SEARCH, "search", {name: empty for name in several}) == {}
    assert options_given(modes.RESUME, "resume", {"reuse": [], "imports": ()}) == {"reuse": []}
    asked = {"imports": (name for name in ("a.py", "b.py")), "likely": "a=1..2"}
    assert options_given(modes.NEW_SEARCH, "search", asked) == {"import": ["a.py", "b.py"], "likely": ["a=1..2"]}


def test_scalars_of_libraries_are_numbers() -> None:
    asked = {
        "trials": np.int64(3), "hours": np.float32(0.5), "name": np.str_("mine"),
        "overrides": {"budget.steps": np.int64(12), "x": [np.float64(0.5), None]},
    }  # fmt: skip
    found = options_given(modes.NEW_SEARCH, "search", asked)
    assert found == {"trials": 3, "hours": 0.5, "name": "mine", "set": {"budget.steps": 12, "x": [0.5, None]}}
    assert type(found["name"]) is str and type(found["set"]["budget.steps"]) is int


def test_a_name_that_is_not_there_is_told_the_nearest() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'serch': did you mean 'search'"):
        _ = tuner.serch


@pytest.mark.parametrize(
    "call",
    [
        lambda: tuner.load("x"),
        lambda: tuner.search("parameter_golf", trials=1),
        lambda: tuner.command_line("x"),
    ],
)
def test_a_current_folder_that_has_been_removed_is_said(call, elsewhere, monkeypatch) -> None:
    gone = elsewhere / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ValueError, match="the current folder has been removed"):
        call()
