"""The precision that a device is given, told by what its units multiply and not by what it can emulate."""

from __future__ import annotations

import pytest
import torch

from trainable.runtime import Runtime


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((7, 0), "fp32"), ((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")],
    ids=["V100", "T4", "A100", "H100"],
)
def test_a_gpu_that_only_emulates_bfloat16_computes_in_fp32(monkeypatch, capability, precision):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: type("P", (), {"major": capability[0]}))
    # torch asks for an allocation in bfloat16 where emulation counts: every CUDA device can make one
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda device: True)
    assert Runtime.detect() == Runtime("cuda", precision)


def test_without_a_gpu_it_is_the_cpu_in_fp32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Runtime.detect(compile=True) == Runtime("cpu", "fp32", compile=True)


def test_memory_in_use_and_memory_held_are_two_numbers_of_a_gpu(monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: asked.append(device) or 3)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: asked.append(device) or 5)
    runtime = Runtime("cuda:1")
    assert (runtime.peak_memory_bytes(), runtime.peak_reserved_bytes()) == (3, 5) and asked == ["cuda:1"] * 2
    assert (Runtime().peak_memory_bytes(), Runtime().peak_reserved_bytes()) == (None, None)
