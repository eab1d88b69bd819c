"""Memory of a shared GPU: the limit of each trial, and who took it, on a GPU that is made up."""

from __future__ import annotations

import json
import traceback
from types import SimpleNamespace

import pytest
import torch

from benchmarks.gpu.memory import KNOWN_ERRORS
from trainable.worker.out_of_memory import (
    CONTEXT_BYTES,
    allowed_bytes,
    facts_told,
    line_of_no_memory,
    make_room,
    neighbour_took_it,
)

GIB = 2**30
TOTAL = 80 * GIB
ASKED = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 80.00 GiB."


@pytest.fixture
def gpu(monkeypatch) -> SimpleNamespace:
    """A GPU of 80 GiB on which this process holds 10, and all others 20."""
    gpu = SimpleNamespace(free=50 * GIB, held=10 * GIB, fractions=[], emptied=0)

    def empty() -> None:
        gpu.emptied += 1

    stand_ins = {
        "is_available": lambda: True,
        "empty_cache": empty,
        "get_device_properties": lambda device: SimpleNamespace(total_memory=TOTAL),
        "set_per_process_memory_fraction": gpu.fractions.append,
        "mem_get_info": lambda: (gpu.free, TOTAL),
        "memory_reserved": lambda: gpu.held,
        "max_memory_reserved": lambda: gpu.held + 1,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return gpu


def text_of(error: Exception, share: float) -> str:
    """The error's text as a trial with that part of the GPU would raise it."""
    with pytest.raises(type(error)) as caught, facts_told(share):
        raise error
    return "".join(traceback.format_exception(caught.value))


def test_a_trial_is_limited_to_its_part_of_the_gpu_less_what_cuda_takes(gpu) -> None:
    make_room(0.25)
    assert gpu.emptied == 1 and gpu.fractions == [pytest.approx((20 * GIB - CONTEXT_BYTES) / TOTAL)]


def test_a_trial_with_the_whole_gpu_has_no_limit_also_after_one_that_had(gpu) -> None:
    make_room(0.25)
    make_room(1.0)
    assert gpu.emptied == 2 and gpu.fractions[-1] == 1.0


def test_a_part_that_cuda_itself_takes_is_refused_with_the_least_that_will_do(gpu) -> None:
    with pytest.raises(ValueError, match=r"--gpu-fraction 0.01 is 0.80 GiB of this GPU.* more than 0.013"):
        make_room(0.01)


def test_without_a_gpu_nothing_is_asked_of_it(monkeypatch) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("there is none")

    for name in ("empty_cache", "get_device_properties", "set_per_process_memory_fraction", "mem_get_info"):
        monkeypatch.setattr(torch.cuda, name, fail)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    make_room(0.5)
    assert "GPU memory" not in text_of(torch.OutOfMemoryError(ASKED), 0.5)


def test_an_error_of_memory_is_given_what_was_allowed_held_and_free(gpu) -> None:
    text = text_of(torch.OutOfMemoryError(ASKED), 0.25)
    facts = f"GPU memory: {20 * GIB - CONTEXT_BYTES:,} bytes allowed to this trial, {10 * GIB:,} held, "
    facts += f"{10 * GIB + 1:,} at most; {50 * GIB:,} free of {TOTAL:,}"
    assert text.splitlines()[-1] == facts


def test_another_error_is_left_alone(gpu) -> None:
    assert "GPU memory" not in text_of(ValueError("no"), 0.25)


def test_a_device_that_no_longer_answers_does_not_hide_the_error(gpu, monkeypatch) -> None:
    def broken() -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(torch.cuda, "mem_get_info", broken)
    assert text_of(torch.OutOfMemoryError(ASKED), 0.25).rstrip().endswith(ASKED)


@pytest.mark.parametrize(
    ("share", "held", "free", "taken"),
    [
        (0.25, 10, 1, True),  # 19 allowed, 10 held, 2 asked for: they were promised
        (0.25, 16, 1, True),
        (0.25, 17.5, 1, False),  # 2 more are not allowed
        (0.25, 19, 50, False),
        (1.0, 20, 1, True),  # alone by the plan, and others hold 58
        (1.0, 78, 1, False),  # alone
    ],
)
def test_a_neighbour_took_it_where_the_trial_asked_for_no_more_than_it_was_allowed(
    gpu, share, held, free, taken
) -> None:
    gpu.held, gpu.free = int(held * GIB), free * GIB
    assert neighbour_took_it(text_of(torch.OutOfMemoryError(ASKED), share)) is taken


@pytest.mark.parametrize(("held", "free", "taken"), [(10, 1, True), (10, 9, False), (18.9, 0.5, False)])
def test_an_error_that_does_not_say_how_much_is_judged_by_what_was_free(gpu, held, free, taken) -> None:
    gpu.held, gpu.free = int(held * GIB), int(free * GIB)
    error = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
    assert neighbour_took_it(text_of(error, 0.25)) is taken


def test_without_the_facts_nobody_is_blamed_but_the_trial() -> None:
    assert not neighbour_took_it(f"torch.OutOfMemoryError: {ASKED}")


@pytest.mark.parametrize("error", KNOWN_ERRORS)
def test_every_known_form_of_the_error_is_recognised(error) -> None:
    assert line_of_no_memory(f"Traceback\n  File 'x.py'\n{error}\n")


@pytest.mark.parametrize(
    "error",
    [
        "torch._dynamo.exc.BackendCompilerFailed: backend='inductor' raised:\ntorch.OutOfMemoryError: CUDA is full.",
        "RuntimeError: Triton Error [CUDA]: out of memory",
        "RuntimeError: CUDA driver error: out of memory",
        "RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "torch.OutOfMemoryError: HIP out of memory. Tried to allocate 1.00 GiB.",
    ],
)
def test_forms_of_other_libraries_are_recognised_too(error) -> None:
    assert line_of_no_memory(error) == error.splitlines()[-1]


@pytest.mark.parametrize(
    "error",
    [
        "ValueError: the note says RuntimeError: CUDA out of memory",
        "  raise RuntimeError('CUDA error: out of memory')",
        "RuntimeError: CUDA error: an illegal memory access was encountered",
        "OSError: out of memory cards",
    ],
)
def test_what_only_speaks_of_memory_is_no_error_of_memory(error) -> None:
    assert not line_of_no_memory(error)


def test_limits_leave_room_for_each_context() -> None:
    assert 4 * (allowed_bytes(TOTAL, 0.25) + CONTEXT_BYTES) == TOTAL


def test_the_facts_are_plain_text_that_json_keeps(gpu) -> None:
    text = text_of(torch.OutOfMemoryError(ASKED), 0.25)
    assert neighbour_took_it(json.loads(json.dumps(text)))
