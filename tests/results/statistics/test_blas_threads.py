"""Threads of numpy's BLAS in small linear algebra: one, unless the user has said otherwise."""

from __future__ import annotations

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from results.questions import posterior
from results.questions.components import basis
from results.questions.knobs import SearchedKnob
from results.statistics.blas_threads import SET_BY_THE_USER, one_blas_thread


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture
def two_threads(monkeypatch):
    """BLAS as it is on a machine of two cores, of which nobody has said anything."""
    for name in SET_BY_THE_USER:
        monkeypatch.delenv(name, raising=False)
    with threadpool_limits(limits=2, user_api="blas"):
        assert threads() == {2}
        yield


def test_the_block_has_one_thread_and_what_follows_has_those_of_before(two_threads) -> None:
    before = dict(os.environ)
    with one_blas_thread():
        assert threads() == {1}
        assert dict(os.environ) == before, "workers inherit the environment"
    assert threads() == {2}


@pytest.mark.parametrize("name", SET_BY_THE_USER)
def test_a_number_that_the_user_has_set_stays(two_threads, monkeypatch, name) -> None:
    monkeypatch.setenv(name, "2")
    with one_blas_thread():
        assert threads() == {2}


def test_importance_is_worked_out_on_one_thread(two_threads, monkeypatch) -> None:
    seen, step = set[int](), posterior._Chain.step

    def watched(chain) -> None:
        seen.update(threads())
        step(chain)

    monkeypatch.setattr(posterior._Chain, "step", watched)
    monkeypatch.setattr(posterior, "DRAWS", posterior.BURN_IN + 2)
    places = np.random.default_rng(0).random((12, 2))
    knobs = [SearchedKnob(f"knob_{number}", "uniform") for number in range(2)]
    found = basis(knobs, list(places.T), [np.ones(12, dtype=bool)] * 2, np.ones((10, 2), dtype=bool))
    posterior.posterior(found, places[:, :1], np.array([1.0]), np.random.default_rng(0))
    assert seen == {1} and threads() == {2}
