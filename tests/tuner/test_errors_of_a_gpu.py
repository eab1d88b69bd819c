"""Errors of a GPU in a campaign: which are the config's own, which are tried again, and which end it."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from ray._private.utils import format_error_message
from ray.exceptions import RayTaskError

from benchmarks.gpu.memory import KNOWN_ERRORS
from trainable.worker.out_of_memory import Facts
from tuner.failures import BROKEN, CROWDED, NEIGHBOUR, POISONED, is_out_of_memory, loss_of, reason_of
from tuner.loop.endings import SAME_ERRORS

GIB = 2**30
RAISED = "Failure # 1\nray::RayTrainable.train() (pid=1)\n  File 'train.py'\n"
HINTS = """
Search for `cudaErrorAssert' in https://docs.nvidia.com/cuda for more information.
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.

"""
OWN, CROWD = Facts(19 * GIB, 18 * GIB, 19 * GIB, 1 * GIB, 80 * GIB), Facts(19 * GIB, GIB, GIB, GIB, 80 * GIB)
ASKED = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
ILLEGAL = f"{RAISED}torch.AcceleratorError: CUDA error: an illegal memory access was encountered{HINTS}"
ASSERT = f"{RAISED}RuntimeError: CUDA error: device-side assert triggered{HINTS}"
OTHER = f"{RAISED}torch.AcceleratorError: CUDA error: invalid configuration argument{HINTS}"


@pytest.mark.parametrize("error", KNOWN_ERRORS)
def test_every_known_form_of_memory_that_ran_out_is_said_first_with_its_own_line(error) -> None:
    reason = reason_of(f"{RAISED}{error}{HINTS}")
    assert reason == f"out of memory: {error}" and is_out_of_memory(reason)


def test_another_error_of_the_device_keeps_its_first_line() -> None:
    assert reason_of(OTHER) == "torch.AcceleratorError: CUDA error: invalid configuration argument"
    assert reason_of(ASSERT) == "RuntimeError: CUDA error: device-side assert triggered"
    assert reason_of(f"{RAISED}ValueError: CUDA error: so it says\nthe end") == "the end"


def test_a_context_that_broke_and_memory_that_a_neighbour_took_are_losses_and_the_rest_is_the_trials_own() -> None:
    assert loss_of(ILLEGAL) is POISONED and loss_of(ASSERT) is POISONED
    assert loss_of(f"{RAISED}{ASKED}\n{CROWD}\n") is NEIGHBOUR
    assert loss_of(f"{RAISED}{ASKED}\n{OWN}\n") is None and loss_of(OTHER) is None
    assert loss_of(f"{RAISED}ValueError: CUDA error: device-side assert triggered\n") is None


@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError: Triton Error [CUDA]: an illegal memory access was encountered",
        "XlaRuntimeError: INTERNAL: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered",
        "CUDARuntimeError: cudaErrorIllegalAddress: an illegal memory access was encountered",
        "RuntimeError: CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "RuntimeError: cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
        "  \x1b[31mtorch.AcceleratorError: CUDA error: unspecified launch failure\x1b[0m",
    ],
)
def test_a_broken_context_is_one_in_every_librarys_words_and_is_tried_once_more(error) -> None:
    text = f"{RAISED}{error}\n"
    assert loss_of(text) is POISONED and not is_out_of_memory(reason_of(text))
    assert loss_of(f"{RAISED}KeyError: {error!r}\n") is None


def test_the_facts_come_through_ray() -> None:
    try:
        error = MemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        error.add_note(str(CROWD))
        raise error
    except MemoryError as raised:
        text = format_error_message("".join(traceback.format_exception(raised)), task_exception=True)
        back = RayTaskError("train", text, raised, "ray::RayTrainable.train", 1, "1.2.3.4")
    assert loss_of(f"Failure # 1\n{back}\n") is NEIGHBOUR


def _die(bench: Any, search: Any, error: str) -> None:
    search.start(bench.base_key)
    search.die(bench.base_key, error)


def test_a_trial_whose_gpu_broke_is_tried_once_more_and_then_says_what_broke_it(bench) -> None:
    search = bench.search(trials=1)
    for attempt in range(BROKEN + 1):
        assert search.next().key == bench.base_key
        _die(bench, search, ILLEGAL)
        (row,) = bench.rows()
        assert row["status"] == ("interrupted" if attempt < BROKEN else "crashed")
    said = "CUDA error: an illegal memory access was encountered"
    assert row["reason"] == f"gave up: its GPU's context was broken 2 times: torch.AcceleratorError: {said}"
    assert row["note"] == "attempt 1: its GPU's context was broken" and "gave up" in _text(bench)


def test_a_trial_whose_memory_a_neighbour_took_is_tried_again_and_never_held_against_its_config(bench) -> None:
    search = bench.search(trials=4, slots=2)
    search.start(search.next().key)
    key = search.next().key
    number = search.live[key].optuna_number
    for _ in range(CROWDED + 1):
        search.start(key)
        search.die(key, f"{RAISED}{ASKED}\n{CROWD}\n")
        search.next()
    row = next(row for row in bench.rows() if row["key"] == key)
    assert (row["status"], row["reason"]) == ("crashed", "gave up: a neighbour took its memory of the GPU 3 times")
    assert search.proposals.sampler.study.trials[number].state.name == "FAIL"
    again = bench.search(trials=5)
    (end,) = [end for end in again.ledger.ends() if end.values == search.ledger.entries[key].values]
    assert end.status == "crashed"


def test_a_config_that_needs_too_much_itself_is_told_to_the_sampler_as_one_that_does_not_fit(bench) -> None:
    search = bench.search(trials=4, slots=2)
    search.start(search.next().key)
    key = search.next().key
    number = search.live[key].optuna_number
    search.start(key)
    search.die(key, f"{RAISED}{ASKED}\n{OWN}\n")
    assert search.proposals.sampler.study.trials[number].state.name == "PRUNED"
    row = next(row for row in bench.rows() if row["key"] == key)
    assert row["reason"] == f"out of memory: {ASKED}"


def test_equal_errors_of_memory_in_a_row_do_not_end_the_campaign(bench, play, toy_curve) -> None:
    def crashing(config: Any, milestone: float) -> float:
        if config == bench.base:
            return toy_curve(config, milestone)
        raise MemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    search = bench.search(trials=8, slots=1)
    tune = play(search, crashing).run()
    assert len(tune.started) == 8 > 1 + SAME_ERRORS and not search.stopping
    assert sum(str(row["reason"]).startswith("out of memory: ") for row in bench.rows()) == 7


def test_three_different_errors_of_the_device_do_not_end_the_campaign_and_three_equal_ones_do(bench) -> None:
    kinds = ["invalid configuration argument", "invalid argument", "invalid resource handle", "invalid argument"]
    search = bench.search(trials=20, slots=2)
    search.start(search.next().key)
    for kind in kinds:
        search.start(key := search.next().key)
        search.die(key, f"{RAISED}RuntimeError: CUDA error: {kind}{HINTS}")
    assert not search.stopping
    for _ in range(SAME_ERRORS - 1):
        search.start(key := search.next().key)
        search.die(key, f"{RAISED}RuntimeError: CUDA error: invalid argument{HINTS}")
    assert search.stopping == "3 trials in a row ended with the same error: RuntimeError: CUDA error: invalid argument"


def test_an_error_that_only_names_memory_is_a_crash_like_any_other(bench) -> None:
    search = bench.search(trials=4, slots=2)
    search.start(search.next().key)
    search.start(key := search.next().key)
    number = search.live[key].optuna_number
    search.die(key, f"{RAISED}ValueError: the card says: out of memory\n")
    assert search.proposals.sampler.study.trials[number].state.name == "FAIL"


def test_a_trial_is_told_the_part_of_a_gpu_that_it_has(bench) -> None:
    assert bench.search(gpu_share=0.25).next().gpu_share == 0.25


def _text(bench: Any) -> str:
    return str((bench.folder / "errors" / f"{bench.base_key}.txt").read_text())
