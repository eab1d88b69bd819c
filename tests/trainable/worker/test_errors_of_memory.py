"""Errors by which frameworks, libraries and Python say that memory ran out, and texts that only sound like them."""

from __future__ import annotations

import pytest

from trainable.worker.out_of_memory import line_of_no_memory

ERRORS = [
    "MemoryError",
    "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array with shape (1000000000,)",
    "OSError: [Errno 12] Cannot allocate memory",
    "RuntimeError: unable to mmap 4096 bytes from file <x>: Cannot allocate memory (12)",
    "RuntimeError: [enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried",
    "RuntimeError: [enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: not enough memory: you tried to allocate",
    "RuntimeError: MPS backend out of memory (MPS allocated: 18.13 GB, max allowed: 18.13 GB).",
    "torch.OutOfMemoryError: Allocation on device 0 would exceed allowed memory. (out of memory)",
    "torch.OutOfMemoryError: XPU out of memory. Tried to allocate 2.00 GiB.",
    "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1717986918 bytes",
    "jax.errors.JaxRuntimeError: RESOURCE_EXHAUSTED: Failed to allocate request for 4.00GiB on device ordinal 0",
    "jaxlib.xla_extension.XlaRuntimeError: INTERNAL: CUDA error: out of memory",
    "tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when allocating tensor with shape[9,9]",
    "cupy.cuda.memory.OutOfMemoryError: Out of memory allocating 8,000,000 bytes",
    "cupy_backends.cuda.api.driver.CUDADriverError: CUDA_ERROR_OUT_OF_MEMORY: out of memory",
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("form", ["{}", "    {}", "  | {}", "\x1b[31m{}\x1b[0m", "  \x1b[1;31m{}\x1b[0m"])
def test_each_is_recognised_also_indented_coloured_and_in_a_group(error, form) -> None:
    assert line_of_no_memory(f"Traceback\n  File 'x.py'\n{form.format(error)}\nsome hint\n") == error


def test_tensorflows_error_is_recognised_where_its_text_comes_lines_later() -> None:
    error = "ResourceExhaustedError: Graph execution error:"
    said = line_of_no_memory(f"{error}\n\nDetected at node 'dot'\nOOM when allocating tensor with shape[9]")
    assert said == error


@pytest.mark.parametrize(
    "text",
    [
        "can't allocate memory for my lr",
        "CUDA out of memory is what I avoid",
        "RESOURCE_EXHAUSTED: allocate",
        "MemoryError",
    ],
)
@pytest.mark.parametrize("kind", ["ValueError", "KeyError", "AssertionError", "TypeError", "IndexError"])
def test_an_error_of_the_code_that_names_memory_is_none(kind, text) -> None:
    assert not line_of_no_memory(f"Traceback\n  File 'x.py'\n{kind}: {text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "I can't allocate memory",
        "    raise RuntimeError('can't allocate memory')",
        "ResourceExhaustedError: the file system is out of space",
        "XlaRuntimeError: RESOURCE_EXHAUSTED: message larger than max",
        "RuntimeError: Pin memory thread exited unexpectedly",
    ],
)
def test_another_text_is_none(text) -> None:
    assert not line_of_no_memory(text)
