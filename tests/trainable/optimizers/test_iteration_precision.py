"""The precision of Muon's iterations: chosen by a measurement that is kept for the machine, and by a run for itself."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

from trainable.optimizers import iteration_precision
from trainable.optimizers.iteration_precision import (
    SIDES,
    choice_by,
    in_bfloat16,
    keep_choice,
    measured_shares,
    name_of_precision,
    read_choice,
)
from trainable.optimizers.muon_adam import MuonAdam
from trainable.optimizers.muon_adamw import MuonAdamW
from trainable.optimizers.sgd import SGD
from trainable.optimizers.stack import stacks
from trainable.run import Run
from trainable.runtime import Runtime

FASTER, SLOWER = dict.fromkeys(SIDES, 0.5), dict.fromkeys(SIDES, 1.5)
smallest_side = iteration_precision.smallest_side  # the fixture of all tests puts another in its place


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, and a process that has not asked yet."""
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    iteration_precision._of_machine.cache_clear()
    yield tmp_path / "cache"
    iteration_precision._of_machine.cache_clear()


@pytest.fixture
def measuring(monkeypatch) -> list[int]:
    """Counts the measurements, each of which finds bfloat16 faster."""
    counted: list[int] = []
    monkeypatch.setattr(iteration_precision, "measured_shares", lambda: counted.append(1) or FASTER)
    return counted


@pytest.mark.parametrize(
    ("shares", "chosen"),
    [
        ({128: 0.5, 256: 0.5}, 128),
        ({128: 0.9, 256: 0.5}, 256),
        ({128: 0.5, 256: 0.8}, None),
        ({128: 0.799, 256: 0.799}, 128),
        ({128: 20.0, 256: 1.5}, None),
        ({128: 0.5, 256: float("nan")}, None),
    ],
)
def test_bfloat16_begins_where_it_saves_a_fifth_there_and_at_all_larger_sizes(shares, chosen) -> None:
    assert choice_by(shares) == chosen


def test_a_measurement_draws_nothing_that_a_run_would_miss() -> None:
    before = torch.get_rng_state()
    shares = measured_shares()
    assert shares.keys() == set(SIDES) and all(share > 0 for share in shares.values())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_machine_measures_once_for_all_its_processes(cache, measuring) -> None:
    assert smallest_side() == smallest_side() == 128 and measuring == [1]
    iteration_precision._of_machine.cache_clear()  # another process
    assert smallest_side() == 128 and measuring == [1]
    (kept,) = cache.iterdir()
    assert json.loads(kept.read_text()) == {
        "faster_from": 128, "time_in_bfloat16_over_float32": {"128": 0.5, "256": 0.5}
    }  # fmt: skip


@pytest.mark.parametrize("change", ["threads", "processor", "torch"])
def test_another_processor_torch_or_number_of_threads_is_measured_anew(cache, measuring, monkeypatch, change) -> None:
    smallest_side()
    if change == "threads":
        monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    elif change == "processor":
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"cpu_name": "another"})
    else:
        monkeypatch.setattr(torch, "__version__", "99.0")
    iteration_precision._of_machine.cache_clear()
    smallest_side()
    assert measuring == [1, 1] and len(list(cache.iterdir())) == 2


def test_of_several_that_measure_at_once_all_choose_as_the_first_that_wrote(cache) -> None:
    together = threading.Barrier(8)

    def worker(number: int) -> int | None:
        together.wait()
        return keep_choice(cache / "kept.json", SLOWER if number % 2 else FASTER)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(worker, range(8)))
    assert found == [read_choice(cache / "kept.json")] * 8
    assert [path.name for path in cache.iterdir()] == ["kept.json"], "nothing half-written is left"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"faster_from": 3}', '{"faster_from": "bf16"}', "\udcff"])
def test_a_damaged_choice_is_made_anew(cache, measuring, content) -> None:
    smallest_side()
    (kept,) = cache.iterdir()
    kept.write_bytes(content.encode(errors="surrogateescape"))
    iteration_precision._of_machine.cache_clear()
    assert smallest_side() == 128 and measuring == [1, 1]
    assert read_choice(kept) == 128 and [*cache.iterdir()] == [kept]


def test_a_cache_that_cannot_be_written_is_no_error(cache, measuring) -> None:
    cache.write_text("a file where the folder should be")
    assert smallest_side() == 128
    iteration_precision._of_machine.cache_clear()
    assert smallest_side() == 128 and measuring == [1, 1]


def matrices(*shapes: tuple[int, int], dtype: torch.dtype = torch.float32, device: str = "cpu") -> list[nn.Parameter]:
    return [nn.Parameter(torch.empty(shape, dtype=dtype, device=device)) for shape in shapes]


@pytest.mark.parametrize(
    ("faster_from", "shapes", "chosen"),
    [
        (128, [(128, 128)], True),
        (128, [(512, 128)], True),
        (128, [(127, 512)], False),
        (256, [(255, 256)], False),
        (256, [(256, 256)], True),
        (None, [(512, 512)], False),
        (128, [(64, 128), (128, 256)], True),  # by the largest
        (128, [(128, 128), (64, 4096)], False),
        (128, [(128, 128), *[(64, 128)] * 3], False),  # the largest stack, not the largest matrix
    ],
)
def test_a_run_chooses_by_its_largest_stack(monkeypatch, faster_from, shapes, chosen) -> None:
    monkeypatch.setattr(iteration_precision, "smallest_side", lambda: faster_from)
    assert in_bfloat16(stacks(matrices(*shapes))) is chosen


def test_small_or_exact_matrices_ask_for_no_measurement(monkeypatch) -> None:
    def refused() -> int:
        raise AssertionError("measured")

    monkeypatch.setattr(iteration_precision, "smallest_side", refused)
    assert not in_bfloat16(stacks(matrices((64, 64), (64, 4096))))
    assert not in_bfloat16(stacks(matrices((512, 512), dtype=torch.float64)))
    assert not in_bfloat16(stacks(matrices((512, 512), dtype=torch.bfloat16)))  # is there already
    assert in_bfloat16(stacks(matrices((8, 8), device="meta"))), "accelerators multiply bfloat16 faster"
    assert not in_bfloat16(stacks(matrices((8, 8), device="meta", dtype=torch.float64)))


def test_a_row_names_the_precision_where_something_iterates() -> None:
    states = [{"muon": {"momentum": [], "bfloat16": chosen}, "adam": {"mean": []}} for chosen in (True, False)]
    assert [name_of_precision(state) for state in [*states, {"adam": {"mean": []}}, {}]] == ["bf16", "fp32", None, None]


@pytest.mark.parametrize("optimizer", [MuonAdam(), MuonAdamW(width_reference=None, batch_reference=64)])
def test_a_resumed_run_goes_on_in_the_precision_that_it_began_in(
    tiny, dataset, run_to_end, monkeypatch, first_difference, optimizer
) -> None:
    config = replace(tiny, optimizer=optimizer)
    exact = run_to_end(config)
    monkeypatch.setattr(iteration_precision, "SIDES", (16,))
    monkeypatch.setattr(iteration_precision, "smallest_side", lambda: 16)
    straight = run_to_end(config)
    assert name_of_precision(straight.run.optimizer_states) == "bf16"
    assert first_difference(straight.numbers["network"], exact.numbers["network"]) is not None
    begun = Run.start(config, dataset, Runtime())
    run_to_end(begun, should_stop=lambda: begun.spent.steps == 3)
    monkeypatch.setattr(iteration_precision, "smallest_side", lambda: None)  # on another machine
    resumed = Run.start(config, dataset, Runtime())
    assert name_of_precision(resumed.optimizer_states) == "fp32"
    resumed.load_state_dict(begun.state_dict())
    assert name_of_precision(resumed.optimizer_states) == "bf16"
    assert first_difference(run_to_end(resumed).numbers, straight.numbers) is None


def test_a_run_without_muon_has_no_such_precision(tiny, dataset) -> None:
    assert name_of_precision(Run.start(replace(tiny, optimizer=SGD()), dataset, Runtime()).optimizer_states) is None
