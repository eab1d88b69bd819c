"""What must hold on a CUDA device: ``pytest -m gpu``. Skipped where there is none; a full check is ``benchmarks.gpu``.

Needs no Ray, and of the other packages pyarrow and safetensors. Bit-identity is promised on a CPU; on CUDA it is held
here with torch's deterministic algorithms, and without them by the state that is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from benchmarks.gpu.context import Context
from benchmarks.gpu.every_component import each_component
from benchmarks.gpu.memory import no_memory
from benchmarks.gpu.right import optimizers
from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.steps import apart, copy_weights, gradients_of, shake, whole_step
from benchmarks.gpu.waiting import synchronising_operations
from trainable.recording import StepRecording
from trainable.runtime import Runtime
from trainable.train import train
from trainable.worker import checkpoint
from tuner.plan.side_by_side import ShortRun, speed_of

CUDA = "cuda"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture
def context(tmp_path) -> Context:
    return Context(CUDA, True, tmp_path)


@pytest.fixture
def deterministic(monkeypatch) -> Iterator[None]:
    """Within the test torch takes the kernels that add in the same order every time."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(("precision", "loss_off", "gradients_off"), [("fp32", 1e-4, 1e-3), ("bf16", 0.02, 0.1)])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_has_the_loss_and_gradients_of_the_cpu(family, precision, loss_off, gradients_off) -> None:
    config = tiny(model=FAMILIES[family])
    reference = start(config, Runtime())
    shake(reference)
    loss, wanted = gradients_of(reference)
    run = start(config, Runtime(CUDA, precision))
    copy_weights(reference, run)
    its, got = gradients_of(run)
    assert its == pytest.approx(loss, abs=loss_off)
    assert apart(got, wanted)["relative"] < gradients_off


def test_every_optimizer_moves_the_weights_as_on_the_cpu(context) -> None:
    found = optimizers(context)
    assert {name: row["without_bf16"]["relative"] for name, row in found.items() if "failed" not in row} == {
        name: pytest.approx(0, abs=0.01) for name in found
    }


def test_the_device_is_chosen_and_its_memory_is_reported() -> None:
    runtime = Runtime.detect()
    assert runtime.device == CUDA
    runtime.reset_peak_memory()
    *_, last = train(start(tiny(), runtime))
    assert last.status == "completed" and last.val_loss is not None and math.isfinite(last.val_loss)
    assert 0 < (runtime.peak_memory_bytes() or 0) <= (runtime.peak_reserved_bytes() or 0)


def test_a_state_that_is_loaded_is_the_one_that_was_saved(first_difference, tmp_path) -> None:
    config = tiny(hooks=())
    run, other = start(config, Runtime(CUDA, "bf16")), start(config, Runtime(CUDA, "bf16"))
    go = whole_step(run)
    for _ in range(3):
        go()
    checkpoint.save(tmp_path, "checkpoint", run.state_dict(), "key")
    other.load_state_dict(checkpoint.load(tmp_path / "checkpoint", "key"))
    assert first_difference(run.state_dict(), other.state_dict()) is None
    assert {p.device.type for p in other.network.parameters()} == {CUDA}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_is_recorded_without_waiting_for_the_device(precision, monkeypatch) -> None:
    def watched(does: Callable[..., None]) -> Callable[..., None]:
        def watching(*arguments: Any) -> None:
            before = torch.cuda.get_sync_debug_mode()
            torch.cuda.set_sync_debug_mode("error")
            try:
                does(*arguments)
            finally:
                torch.cuda.set_sync_debug_mode(before)

        return watching

    monkeypatch.setattr(StepRecording, "__init__", watched(StepRecording.__init__))
    monkeypatch.setattr(StepRecording, "end", watched(StepRecording.end))
    run = start(tiny(), Runtime(CUDA, precision))
    *_, last = train(run)
    curve = run.curve.plain()
    assert curve["steps"] == list(range(1, last.step + 1))
    assert {"attention_entropy.0.0", "update_norm.matrix", "largest_logit.output"} <= curve["measured_at"].keys()
    assert all(math.isfinite(value) for values in curve["values"].values() for value in values)


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_resumed_run_ends_bit_for_bit_as_a_straight_one(tiny, assert_resumes_identically, precision) -> None:
    assert_resumes_identically(tiny, Runtime(CUDA, precision))


def test_memory_that_runs_out_is_a_clear_reason_and_the_next_trial_trains(context) -> None:
    found = no_memory(context)
    assert found["raised"].startswith("torch.") and "OutOfMemoryError" in found["raised"]
    assert found["the row would say"].startswith("out of memory: ")
    assert found["then"] == "completed"
    assert found["after_mib"] == pytest.approx(found["allocated_before_mib"], abs=32)  # cuBLAS keeps its workspace


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Mismatch dtype")  # a norm's gain in fp32 on what autocast made bf16
def test_every_component_ends_well(context) -> None:
    assert each_component(context)["not_well"] == {}


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of Inductor, about this GPU
@pytest.mark.usefixtures("fresh_compiler")
def test_a_compiled_step_has_the_loss_and_gradients_of_the_eager_one() -> None:
    eager, compiled = (start(tiny(), Runtime(CUDA, "bf16", compile)) for compile in (False, True))
    shake(eager)
    copy_weights(eager, compiled)
    loss, wanted = gradients_of(eager)
    its, got = gradients_of(compiled)
    assert its == pytest.approx(loss, abs=0.02)
    assert apart(got, wanted)["relative"] < 0.1


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_checkpointed_activations_change_no_gradient_and_take_less_memory(family, precision) -> None:
    config = tiny(model=FAMILIES[family])
    plain, small = (start(config, Runtime(CUDA, precision, checkpoint_activations=each)) for each in (False, True))
    shake(plain)
    copy_weights(plain, small)
    found = []
    for run in (plain, small):
        gradients_of(run)  # what libraries keep from their first call on
        torch.cuda.reset_peak_memory_stats()
        loss, gradients = gradients_of(run)
        found.append((loss, gradients, torch.cuda.max_memory_allocated()))
    assert found[0][0] == found[1][0] and apart(found[1][1], found[0][1])["relative"] == 0
    assert found[1][2] < found[0][2]


@pytest.mark.slow
def test_trials_side_by_side_are_measured_with_their_memory() -> None:
    found = [speed_of(ShortRun(tiny(), seconds=1.0), together) for together in (1, 2)]
    assert [each is not None and each.together for each in found] == [1, 2]
    assert all(each is not None and each.steps_per_second > 0 and (each.reserved_bytes or 0) > 0 for each in found)


def test_batches_sent_ahead_are_those_of_the_cpu_and_no_step_waits_for_them() -> None:
    config = tiny(steps=40)
    run, reference = start(config, Runtime(CUDA)), start(config, Runtime())
    go = whole_step(run)
    go()
    with synchronising_operations() as warned:
        for _ in range(5):
            go()
    assert not warned
    run.position = reference.position = 0
    for _ in range(5):
        found, wanted = run.batches.take(run.position), reference.batches.take(reference.position)
        assert torch.equal(found[0].cpu(), wanted[0]) and torch.equal(found[1].cpu(), wanted[1])
        run.position, reference.position = found[2], wanted[2]
