"""Trials on one GPU by a measurement, whose figures are made up: the number that makes most steps together."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tuner import start
from tuner.cluster import capacity, device_memory, gpu_parts
from tuner.cluster.sharing import SharedSpeed, Sharing, most_an_hour
from tuner.spec import CampaignSpec

GIB = 2**30
ASKED = CampaignSpec(space="toy", gpu_fraction="auto")


class Gpu:
    """Measures by a table of steps a second; what is not in it does not train."""

    def __init__(self, steps: dict[int, float], gib: float | None = None) -> None:
        self.steps, self.gib, self.asked = steps, gib, []

    def __call__(self, together: int) -> SharedSpeed | None:
        self.asked.append(together)
        if together not in self.steps:
            return None
        return SharedSpeed(together, self.steps[together], None if self.gib is None else int(self.gib * GIB))


@pytest.mark.parametrize(
    ("steps", "room", "best", "asked"),
    [
        ({1: 10, 2: 19, 4: 35, 8: 60}, 8, 8, [2, 4, 8]),  # launches alone: each has the GPU for itself
        ({1: 10, 2: 19, 4: 25, 8: 24}, 8, 4, [2, 4, 8]),
        ({1: 10, 2: 10.4, 4: 90}, 8, 1, [2]),  # within what a short run is off: a busy GPU gains nothing
        ({1: 10, 2: 10.6, 4: 10.7}, 8, 2, [2, 4]),
        ({1: 10, 2: 9}, 8, 1, [2]),
        ({1: 10, 2: 19, 3: 27}, 3, 3, [2, 3]),  # as many as fit, though no doubling
        ({1: 10, 2: 19}, 8, 2, [2, 4]),  # four ran out of memory
        ({1: 10}, 1, 1, []),
    ],
)
def test_the_number_is_doubled_as_long_as_all_together_make_more_steps(steps, room, best, asked) -> None:
    gpu = Gpu(steps)
    trials, found = most_an_hour(gpu, gpu(1), room)
    assert trials == best and gpu.asked == [1, *asked]
    assert [each.together for each in found] == [number for number in gpu.asked if number in steps]


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be on a machine with a GPU of 80 GiB, where a trial's tensors are counted as 17."""
    monkeypatch.setattr(capacity, "available_cores", lambda: 32)
    monkeypatch.setattr(capacity.gpus, "count", lambda: 1)
    monkeypatch.setattr(gpu_parts.gpus, "memory_of_each", lambda: [80 * GIB])
    monkeypatch.setattr(device_memory, "needed_by", lambda *config: SimpleNamespace(total=17 * GIB))


def settled(base, measure, kept=None):
    return gpu_parts.settled(start.machines(ASKED, None), [base], ASKED, None, measure, kept)


def test_the_memory_that_was_measured_takes_the_place_of_what_was_counted(machine, toy_base) -> None:
    """By the count three fit: of the half that the short run held, six."""
    here, found = settled(toy_base, Gpu({1: 10, 2: 19, 4: 35, 6: 50}, gib=8.0))
    assert found.trials == here.slots == 6
    assert here.notes[-1] == (
        "GPU: 6 trials on each of 80.0 GiB (--gpu-fraction auto): measured 10 steps/s of the base alone, 19 as 2, 35 "
        "as 4, 50 as 6; 6 fit: a trial takes about 13.0 GiB (8.0 as measured, times 1.5, and CUDA's own)"
    )
    here, found = settled(toy_base, Gpu({1: 10, 2: 19, 4: 35}, gib=30.0))
    assert found.trials == here.slots == 1, "and of more than was counted, one"


def test_a_larger_config_takes_as_much_more_as_its_tensors_are_more(machine, toy_base, monkeypatch) -> None:
    from dataclasses import replace

    large = replace(toy_base, seed=1)
    monkeypatch.setattr(
        device_memory, "needed_by", lambda config, _: SimpleNamespace(total=(34 if config == large else 17) * GIB)
    )
    gpu = Gpu({1: 10, 2: 19, 3: 28, 4: 35, 6: 50}, gib=8.0)
    _, found = gpu_parts.settled(start.machines(ASKED, None), [toy_base, large], ASKED, None, gpu)
    assert found.trials == 3


def test_where_more_at_a_time_gain_nothing_one_has_the_gpu_though_more_would_fit(machine, toy_base) -> None:
    here, found = settled(toy_base, Gpu({1: 10, 2: 10.1}, gib=8.0))
    assert found.trials == here.slots == 1 and here.resources["gpu"] == 1.0
    assert "1 trial on each" in here.notes[-1] and "6 fit" in here.notes[-1]


def test_where_nothing_could_be_measured_memory_decides_and_the_plan_says_so(machine, toy_base) -> None:
    here, found = settled(toy_base, Gpu({}))
    assert found == Sharing(3, 80 * GIB)
    assert "a short run of the base did not train, so by memory alone; 3 fit" in here.notes[-1]


def test_what_an_earlier_start_measured_on_such_a_gpu_is_not_measured_again(machine, toy_base, monkeypatch) -> None:
    _, found = settled(toy_base, Gpu({1: 10, 2: 19, 4: 35, 6: 50}, gib=8.0))
    kept = Sharing.of_json(json.loads(json.dumps(found.to_json())))
    assert kept == found
    again = Gpu({1: 10, 2: 9}, gib=8.0)
    here, same = settled(toy_base, again, kept)
    assert same == found and again.asked == [] and here.slots == 6
    assert "(--gpu-fraction auto): as an earlier start measured 10 steps/s" in here.notes[-1]
    monkeypatch.setattr(gpu_parts.gpus, "memory_of_each", lambda: [40 * GIB])
    _, other = settled(toy_base, again, kept)
    assert other.trials == 1 and again.asked == [1, 2], "another card is measured"
