"""Priors for campaigns on a surrogate: what others found, right or wrong, as a search with ``--warm-start`` gets it.

All of them are taken for results of another scale, so that a search must find out itself what they are worth. The
recorded runs of the space are of models a thousand times as large. The others are recorded trainings whose configs the
surrogate has never seen (``compare --halves``), drawn at random or near the base, so that their places alone do not say
where good configs lie: with the scores that they had, with every score the other way round, and with every config
mirrored in its ranges, so that the scores belong to the opposite corner of the space.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

import search_spaces
from benchmarks.surrogate.device import Device
from search_spaces.domains import Value
from tuner.proposals import warm_start
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.warm_start import Point, Prior

MOST = 100  # trainings of another campaign
UNLED = ("random", "near", "base")  # ways of drawing a config that no recorded end had led to
SCALE = "proxy"  # whose values of sizes the recorded runs are taken at
UNSEEN = "unseen"  # the source's name


def recorded(device: Device, seed: int) -> Prior:
    """The space's recorded runs, which were published by those who trained them at full size."""
    whole = search_spaces.load(device.small.space.name)
    base, rest = whole.fixed(whole.scale(SCALE).base, {})
    found = warm_start.of_recorded(rest, base, SCALE).points
    return Prior(tuple(replace(point, values=_searched(device, point.values)) for point in found))


def unseen(device: Device, seed: int) -> Prior:
    """Completed trainings of configs that the surrogate does not know, another sample for each seed."""
    runs = [run for run in device.unseen if run.completed and run.kind in UNLED]
    if not runs:
        raise ValueError("a surrogate of all recorded trainings has seen them all: give --halves")
    chosen = np.random.default_rng(seed).permutation(len(runs))[:MOST]
    points = [
        Point(UNSEEN, str(at), _searched(device, runs[at].values), runs[at].rungs[-1], None) for at in map(int, chosen)
    ]
    return Prior(tuple(points))


def flipped(device: Device, seed: int) -> Prior:
    """Unseen trainings with every score mirrored at their mean: the worst seem to be the best."""
    points = unseen(device, seed).points
    total = 2 * float(np.mean([point.score for point in points]))
    return Prior(tuple(replace(point, score=total - point.score) for point in points))


def mirrored(device: Device, seed: int) -> Prior:
    """Unseen trainings with each value mirrored in its range, and options in their order: all is elsewhere."""
    coordinates, points = Coordinates(device.searched), unseen(device, seed).points
    rows = 1 - coordinates.rows([point.values for point in points])
    rows = coordinates.settled(rows, np.random.default_rng([seed, 1]))  # what acts there, at random where it did not
    return Prior(tuple(replace(p, values=coordinates.values(row)) for p, row in zip(points, rows, strict=True)))


PRIORS: Mapping[str, Callable[[Device, int], Prior]] = {
    "recorded": recorded,
    "unseen": unseen,
    "flipped": flipped,
    "mirrored": mirrored,
}
NEED_HALVES: Sequence[str] = ("unseen", "flipped", "mirrored")


def _searched(device: Device, values: Mapping[str, Value]) -> dict[str, Value]:
    """A point of the knobs that are searched: what is not in ``values`` has the base's value."""
    found = {**device.base_point, **values}
    knobs, point = device.searched.knobs, dict[str, Value]()
    for knob in knobs:
        if device.searched.active(knob, point) and knob.path in found:
            point[knob.path] = found[knob.path]
    return point
