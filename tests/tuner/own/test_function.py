"""A train function before the first trial: what is refused, its name, and when two are the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuner.own.function import named_function, pickled
from tuner.own.outline import code_of

ROOT = Path(__file__).parents[3]


def loss(config: Any, report: Any) -> float:
    return 1.0


def scaled(scale: Any, config: Any, report: Any) -> float:
    return float(scale)


def widened(config: Any, report: Any, *, width: Any) -> float:
    return float(width)


def _private(config: Any, report: Any) -> float:
    return 1.0


async def waits(config: Any, report: Any) -> float:
    return 1.0


async def waits_and_yields(config: Any, report: Any):
    yield 1.0


def yields(config: Any, report: Any):
    yield 1.0


class Trainer:
    def __init__(self, width: Any) -> None:
        self.width = width

    def __call__(self, config: Any, report: Any) -> float:
        return 1.0

    def fit(self, config: Any, report: Any) -> float:
        return 1.0


class Slotted:
    __slots__ = ("width",)

    def __init__(self, width: int) -> None:
        self.width = width

    def __call__(self, config: Any, report: Any) -> float:
        return 1.0


class Waits:
    async def __call__(self, config: Any, report: Any) -> float:
        return 1.0


REFUSED = {
    "number": (3, "train is 3 but must be a function"),
    "async": (waits, "train is async, of which a call alone trains nothing"),
    "async object": (Waits(), "train is async"),
    "async partial": (partial(waits), "train is async"),
    "generator": (yields, r"train is a generator.*call report\(step, value\) in place of yield"),
    "async generator": (waits_and_yields, "train is an async generator"),
    "one argument": (lambda config: 1.0, r"train takes \(config\) but is called as train\(config, report\): too many"),
    "three": (scaled, r"train takes \(scale.*missing a required argument: 'report'"),
    "keywords": (lambda *, config, report: 1.0, "too many positional arguments"),
    "keyword more": (lambda config, report, *, width: 1.0, r"missing a required (keyword-only )?argument: 'width'"),
    "partial of too much": (partial(loss, {}), "too many positional arguments"),
    "method of a class": (Trainer.fit, "missing a required argument"),
    "class": (Trainer, "train is the class Trainer: give one of its objects"),
    "of C": (max, "train is <built-in function max>, whose source cannot be read"),
    "array": (np.zeros((50, 50)), r"train is a numpy.ndarray of shape \(50, 50\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_fail_at_every_trial_is_refused_at_once(case: str) -> None:
    train, says = REFUSED[case]
    with pytest.raises(ValueError, match=says) as raised:
        named_function(train)
    assert "\n" not in str(raised.value)


def test_whatever_takes_two_arguments_is_taken() -> None:
    for train in (loss, partial(scaled, 3), Trainer(3), Trainer(3).fit, lambda *both: 1.0, lambda c, r, more=1: 1.0):
        name, digest = named_function(train)[:2]
        assert name and digest


def test_a_name_can_begin_the_name_of_a_folder() -> None:
    assert named_function(_private)[0] == "private" and named_function(lambda config, report: 1.0)[0] == "train"
    assert named_function(Trainer(3))[0] == "Trainer" and named_function(Trainer(3).fit)[0] == "Trainer.fit"
    _ = lambda config, report: 1.0  # noqa: E731
    _.__qualname__ = "x" * 300
    assert len(named_function(_)[0]) == 100
    _.__qualname__ = "größe_Ж"
    assert named_function(_)[0] == "gre_"
    _.__qualname__ = "Ж"
    assert named_function(_)[0] == "train"


def made(scale: Any) -> Callable[..., float]:
    def inner(config: Any, report: Any, factor: Any = scale) -> float:
        return float(scale * factor)

    return inner


def test_functions_with_one_source_that_hold_other_values_are_others() -> None:
    of = [
        lambda value: partial(scaled, value),
        lambda value: partial(widened, width=value),
        lambda value: partial(Trainer(value).fit),
        Trainer,
        lambda value: Trainer(value).fit,
        lambda value: Trainer({"a": [1, (value, 2)]}),
        Slotted,
        made,
        lambda value: partial(scaled, made(value)),
        lambda value: partial(scaled, np.full(3, value)),
        lambda value: partial(scaled, {str(value), "b"}),
    ]
    for make in of:
        assert named_function(make(3)) == named_function(make(3)) and named_function(make(3)) != named_function(make(4))


def test_what_holds_nothing_is_its_source_alone() -> None:
    assert named_function(loss)[1] == "def loss(config: Any, report: Any) -> float:\n    return 1.0\n"


def test_values_that_cannot_be_written_stand_by_their_type() -> None:
    class Hostile:
        def __init__(self) -> None:
            self.me = self

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __call__(self, config: Any, report: Any) -> float:
            return 1.0

    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    for value in (Hostile(), deep, np, Trainer, object(), list(range(50_000))):
        assert named_function(partial(scaled, value)) == named_function(partial(scaled, value))
    assert named_function(Hostile())[0] == "Hostile"


HASHED = """
from functools import partial
from tuner.own.function import named_function
typed = {}
exec("def typed(config, report): return 1.0 if config['a'] in {'relu', 'gelu', 'silu', (1, 'x')} else 0.0", typed)
exec("def scaled(names, config, report): return 1.0", typed)
print(named_function(typed["typed"]), named_function(partial(typed["scaled"], {"a", "b", "c", "d"})))
"""


def test_what_a_function_is_does_not_depend_on_the_process() -> None:
    found = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        script = [sys.executable, "-c", HASHED]
        done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


def test_code_says_what_it_computes() -> None:
    one, other = (compile(f"def f(c, r): return c in {{{text}}}", "f", "exec") for text in ("1, 2", "1, 3"))
    assert code_of(one) != code_of(other) and code_of(one) == code_of(one)


def test_an_exception_that_says_nothing_while_it_is_sent_is_one_line() -> None:
    class Unsent:
        def __reduce__(self) -> str:
            raise MuteError

        def __call__(self, config: Any, report: Any) -> float:
            return 1.0

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    with pytest.raises(ValueError, match=r"train cannot be sent to workers: MuteError: $"):
        pickled(Unsent())
