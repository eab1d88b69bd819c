"""Memory that is given back before a search's report."""

from __future__ import annotations

import ctypes
import gc
import weakref

import pytest

from tuner.campaign.unused_memory import give_back_unused


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_what_is_in_cycles_is_freed() -> None:
    gc.disable()
    try:
        seen = weakref.ref(Cycle())
        assert seen() is not None
        give_back_unused()
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("error", [OSError, AttributeError])
def test_without_the_c_library_of_gnu_nothing_fails(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def none_such(name: str) -> None:
        asked.append(name)
        raise error(name)

    monkeypatch.setattr(ctypes, "CDLL", none_such)
    give_back_unused()
    assert asked == ["libc.so.6"]
