"""Drawn points are points of their space, and lie where they should."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.surrogate import draws


@pytest.fixture
def base(small):
    return small.space.values_of(small.base)


def is_point(space, values) -> bool:
    """Tell whether exactly the active knobs have values, all inside their domains."""
    active = [knob for knob in space.knobs if space.active(knob, values)]
    return [k.path for k in active] == list(values) and all(values[k.path] in k.domain for k in active)


def test_every_way_of_drawing_gives_a_value_to_exactly_the_active_knobs(small, base) -> None:
    generator = np.random.default_rng(0)
    ranked = [draws.at_random(small.space, generator) for _ in range(40)]
    for _ in range(60):
        assert is_point(small.space, draws.at_random(small.space, generator))
        assert is_point(small.space, draws.near(small.space, base, generator))
        assert is_point(small.space, draws.child(small.space, ranked, generator))


def test_a_point_near_the_base_keeps_most_of_its_values(small, base) -> None:
    generator = np.random.default_rng(0)
    points = [draws.near(small.space, base, generator) for _ in range(300)]
    changed = np.mean([[point.get(path) != value for path, value in base.items()] for point in points])
    assert 0.07 < changed < draws.REDRAWN  # a knob that is drawn anew may get the value that it had


def test_the_chance_to_leave_the_base_may_be_none(small, base) -> None:
    assert draws.near(small.space, base, np.random.default_rng(0), chance=0.0) == base


def test_a_child_lies_around_its_parents(small) -> None:
    generator = np.random.default_rng(3)
    wanted = {"optimizer.matrix_lr": 0.1, "model.num_layers": 4}
    parents = [draws.completed(small.space, wanted, generator) for _ in range(2)]
    children = [draws.child(small.space, parents, generator) for _ in range(100)]
    same = [child["optimizer.matrix_lr"] == pytest.approx(0.1) for child in children]
    assert np.mean(same) > 1 - 2 * draws.MUTATED
    assert np.mean([child["model.num_layers"] == 4 for child in children]) > 1 - 2 * draws.MUTATED
