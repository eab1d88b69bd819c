"""The two models learn what they are given, each in its way."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.surrogate.models import KINDS, Trees, Warp


@pytest.fixture(scope="module")
def made_up_points() -> tuple[np.ndarray, np.ndarray]:
    """Points of six columns, two of which count, and two outputs."""
    inputs = np.random.default_rng(0).random((150, 6))
    end = np.sin(4 * inputs[:, 0]) + inputs[:, 1]
    return inputs, np.stack([end + 1, end], axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_points_that_were_not_seen_are_put_in_order(kind, made_up_points) -> None:
    inputs, outputs = made_up_points
    guessed = KINDS[kind]().fit(inputs[:120], outputs[:120]).predict(inputs[120:])
    assert guessed.shape == (30, 2)
    assert np.corrcoef(guessed[:, 1], outputs[120:, 1])[0, 1] > 0.85


def test_trees_answer_as_scikit_learn_has_them(made_up_points) -> None:
    inputs, outputs = made_up_points
    trees = Trees().fit(inputs, outputs)
    assert np.allclose(trees.predict(inputs), trees.forest.predict(inputs))


def test_a_warp_is_undone_and_keeps_the_order() -> None:
    values = np.array([[5.0, 3.0], [6.0, 3.1], [9.0, 4.0]])
    warp = Warp(values)
    assert np.allclose(warp.inverse(warp(values)), values)
    assert (np.diff(warp(values), axis=0) > 0).all()
