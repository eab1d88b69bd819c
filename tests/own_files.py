"""Files of a user's own, for tests, and a process that forgets them again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces import catalogue
from trainable.own import modules as own_modules

EXAMPLES = Path(__file__).parents[1] / "examples"

HOOK = '''"""A hook of a user's own."""

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook


@dataclass(frozen=True, kw_only=True)
class Nudge(Hook):
    """weights *= 1 - amount after every update."""

    amount: float = 0.0

    def after_update(self, step, state):
        for parameter in step.parameters():
            parameter.data.mul_(1 - self.amount)

    @classmethod
    def neutral(cls) -> Self:
        return cls()

    @classmethod
    def example(cls) -> Self:
        return cls(amount=0.01)
'''


@contextmanager
def forgotten() -> Iterator[None]:
    """What is loaded within the block is gone after it, as in a process of its own."""
    try:
        with own_modules._all_or_nothing():
            yield
            raise _Enough
    except _Enough:
        pass
    finally:
        catalogue._own.clear()


class _Enough(Exception):  # noqa: N818  (it is no error)
    pass
