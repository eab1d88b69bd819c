"""First points of a search: near the base until enough trials have ended, then the method's own."""

from __future__ import annotations

import pytest

import search_spaces
from search_spaces.own_train import own_space
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.first_points import STARTUP_TRIALS, NearBase
from tuner.proposals.sampler import Sampler
from tuner.proposals.warm_start import Point, Prior

KNOBS = 20


@pytest.fixture
def wide():
    """A space of many knobs, and its base."""
    space, base = own_space(
        "train", {f"x{n:02}": "0..1" for n in range(KNOBS)}, {f"x{n:02}": 0.5 for n in range(KNOBS)}, 10, 0, "loss"
    )
    return space, space.values_of(base)


def changed(values: dict, base: dict) -> int:
    return sum(values[path] != base[path] for path in base)


def run(sampler: Sampler, count: int, status: str = "completed") -> list[dict]:
    found = []
    for _ in range(count):
        asked = sampler.ask()
        found.append(asked.values)
        sampler.tell(asked.number, status, 1.0 if status == "completed" else None)
    return found


def test_the_first_points_change_a_few_knobs_of_the_base_and_later_ones_many(wide) -> None:
    space, base = wide
    first, *near, later = run(Sampler(space, base, seed=3, method="tpe"), STARTUP_TRIALS + 1)
    assert first == base
    counts = [changed(values, base) for values in near]
    assert all(1 <= count <= 10 for count in counts) and 2 < sum(counts) / len(counts) < 6
    assert len({tuple(values.values()) for values in near}) == len(near)
    assert changed(later, base) > 10


@pytest.mark.parametrize("name", search_spaces.names())
def test_what_a_point_keeps_of_the_base_is_its_very_value(name) -> None:
    space = search_spaces.load(name)
    base = space.values_of(space.scales["proxy"].base)
    design = NearBase(space, base, seed=3, begun=0)
    for number in range(1, STARTUP_TRIALS):
        for path, value in design.draw(number).items():
            if isinstance(value, float) and isinstance(base.get(path), float):
                assert value == base[path] or value != pytest.approx(base[path], rel=1e-6), path


def test_failures_that_teach_nothing_do_not_end_them(wide) -> None:
    space, base = wide
    sampler = Sampler(space, base, seed=3, method="tpe")
    crashed = run(sampler, STARTUP_TRIALS + 4, "crashed")
    assert all(changed(values, base) <= 10 for values in crashed)


@pytest.mark.parametrize("method", ["random", "tpe-uniform"])
def test_random_points_do_without_them(wide, method) -> None:
    space, base = wide
    _, *others = run(Sampler(space, base, seed=3, method=method), 4)
    assert all(changed(values, base) == KNOBS for values in others)


def test_a_prior_takes_their_place(wide) -> None:
    space, base = wide
    points = tuple(Point("earlier", str(n), {**base, "x00": n / 20}, 1.0 + n, 0.5) for n in range(STARTUP_TRIALS))
    sampler = Sampler(space, base, seed=3, prior=Prior(points), method="tpe")
    _, second = run(sampler, 2)
    assert changed(second, base) > 10


def test_a_resume_draws_what_is_left_of_them_and_none_again(wide) -> None:
    space, base = wide
    first = run(Sampler(space, base, seed=3, method="tpe"), 6)
    earlier = [TrialEnd(values, "completed", 1.0) for values in first]
    rest = run(Sampler(space, base, seed=3, earlier=earlier, method="tpe"), STARTUP_TRIALS - 6)
    assert all(1 <= changed(values, base) <= 10 and values not in first for values in rest)
    assert run(Sampler(space, base, seed=3, earlier=earlier, method="tpe"), 4) == rest[:4], (
        "by the seed and the rows alone"
    )


def test_in_a_space_of_few_knobs_every_point_still_differs_from_the_base() -> None:
    space, config = own_space("train", {"a": "0..1", "b": ["x", "y"]}, {"a": 0.5, "b": "x"}, 10, 0, "loss")
    base = space.values_of(config)
    near = NearBase(space, base, seed=0, begun=0)
    drawn = [near.draw(number) for number in range(1, 41)]
    assert all(point["a"] != 0.5 or point["b"] == "y" for point in drawn)
    assert sum(point["a"] != 0.5 for point in drawn) > 30


def test_every_option_and_both_ends_of_a_range_are_among_them() -> None:
    domains = {**{f"o{n}": "a|b" for n in range(10)}, **{f"x{n}": "0..1" for n in range(10)}}
    base = {**{f"o{n}": "a" for n in range(10)}, **{f"x{n}": 0.5 for n in range(10)}}
    space, config = own_space("train", domains, base, 10, 0, "loss")
    for seed in range(5):
        near = NearBase(space, space.values_of(config), seed, begun=0)
        points = [near.draw(number) for number in range(1, STARTUP_TRIALS)]
        for n in range(10):
            assert 2 <= sum(point[f"o{n}"] == "b" for point in points) <= 4  # one may be the only change of its point
            moved = [point[f"x{n}"] for point in points if point[f"x{n}"] != 0.5]
            assert 2 <= len(moved) <= 4 and min(moved) < 0.5 < max(moved)
        assert points[0] != near.draw(STARTUP_TRIALS), "more points are another design"
