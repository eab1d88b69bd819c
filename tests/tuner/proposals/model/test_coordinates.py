"""Points of a space as rows of coordinates and as features."""

from __future__ import annotations

import numpy as np
import pytest

from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.own_train import OwnSpace
from search_spaces.space import Knob
from tuner.proposals.coordinates import MIDDLE, Coordinates


@pytest.fixture
def coordinates() -> Coordinates:
    knobs = (
        Knob("kind", Choice("plain", "fancy", "none"), "x"),
        Knob("rate", LogUniform(0.01, 1.0), "x", {"kind": ("plain", "fancy")}),
        Knob("layers", Integer(1, 5), "x"),
        Knob("deep", Uniform(0.0, 10.0), "x", {"layers": (4, 5)}),
        Knob("heads", Choice(8, 2, 4), "x"),
    )
    return Coordinates(OwnSpace("toy", "?", "loss", {}, knobs))


def test_values_come_back_from_their_coordinates(coordinates) -> None:
    points = [
        {"kind": "plain", "rate": 0.1, "layers": 1, "heads": 8},
        {"kind": "none", "layers": 5, "deep": 2.5, "heads": 2},
        {"kind": "fancy", "rate": 1.0, "layers": 4, "deep": 0.0, "heads": 4},
    ]
    rows = coordinates.rows(points)
    assert [coordinates.values(row) == point for row, point in zip(rows, points, strict=True)] == [True] * 3
    assert rows[0][1] == pytest.approx(0.5) and np.isnan(rows[0][3]) and rows[0][4] == 1.0


def test_random_points_are_of_the_space_and_every_value_is_as_likely(coordinates) -> None:
    generator = np.random.default_rng(0)
    rows = coordinates.settled(np.full((3000, 5), np.nan), generator)
    points = [coordinates.values(row) for row in rows]
    for point in points:
        assert ("rate" in point) == (point["kind"] != "none") and ("deep" in point) == (point["layers"] >= 4)
    for path, count in (("kind", 3), ("layers", 5), ("heads", 3)):
        shares = [sum(p[path] == v for p in points) / 3000 for v in {p[path] for p in points}]
        assert len(shares) == count and all(abs(share - 1 / count) < 0.05 for share in shares)


def test_a_row_is_settled_at_the_nearest_point_and_stays_there(coordinates) -> None:
    generator = np.random.default_rng(0)
    row = np.array([[0.4, 1.7, 0.3, 0.9, 0.6]])
    settled = coordinates.settled(row, generator)
    assert coordinates.values(settled[0]) == {"kind": "fancy", "rate": 1.0, "layers": 2, "heads": 4}
    assert np.array_equal(coordinates.settled(settled, generator), settled, equal_nan=True)


def test_features_do_not_tell_points_apart_by_what_is_inactive(coordinates) -> None:
    others = {"layers": 1, "heads": 2}
    rows = coordinates.rows([{"kind": "none", **others}, {"kind": "plain", "rate": 1.0, **others}])
    none, plain = coordinates.features(rows)
    assert list(none[3:]) == [MIDDLE, 0.0, MIDDLE, 0.0] and plain[3] == 1.0
    assert np.linalg.norm(none[:3] - plain[:3]) == pytest.approx(1.0), "two labels are as far apart as a range is long"
    assert list(coordinates.knob_of_feature) == [0, 0, 0, 1, 2, 3, 4]
