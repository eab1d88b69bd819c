"""The sections ``speed_full`` and ``speed_proxy``: whole steps, ours eager and compiled, beside plain loops."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.golf import golf, golf_data, rated
from benchmarks.gpu.plain_loops import PUBLISHED, TORCH, plain_step
from benchmarks.gpu.small import start
from benchmarks.gpu.steps import PROGRESS, whole_step
from trainable.compiled_objective import build_objective
from trainable.data.dataset import batch
from trainable.objective import ObjectiveFunction, next_step
from trainable.optimizers import update_rule
from trainable.run import Run
from trainable.runtime import Runtime

OURS = {"ours, eager (the default)": False, "ours, --compile": True}
PLAIN = {"published arrangement": PUBLISHED, "compiled, torch.optim.Muon, pinned": TORCH}
REPETITIONS = {"full": (2, 5), "proxy": (10, 60)}  # steps of warm-up, steps that are timed
QUICK_REPETITIONS = (1, 2)
LONGEST_KERNELS = 10


def speed_full(context: Context) -> Figures:
    """Steps at the recorded size: 17 million parameters, 524,288 tokens."""
    return _speed(context, "full")


def speed_proxy(context: Context) -> Figures:
    """Steps at the size of a proxy, where launching kernels takes longer than they do."""
    return _speed(context, "proxy")


def _speed(context: Context, scale: str) -> Figures:
    found: Figures = {}
    for name, compile in OURS.items():
        context.fresh()
        found[name] = attempt(_ours, context, scale, compile)
    for name, which in PLAIN.items():
        context.fresh()
        found[name] = attempt(_plain, context, scale, which)
    return found


def _ours(context: Context, scale: str, compile: bool) -> Figures:
    config, (warm, times) = golf(context, scale), _repetitions(context, scale)
    run = start(config, Runtime(context.device, "bf16", compile), golf_data(context))
    objective = build_objective(run)
    go = whole_step(run, objective)
    context.fresh()
    row = rated(context, context.throughput(go, warm, times), config) | context.memory()
    row["compile_seconds"] = round(run.compile_seconds, 1)
    row["pieces_ms"] = _pieces(context, run, objective, times)
    row["profile"] = _profile(context, go)
    return row


def _plain(context: Context, scale: str, which: str) -> Figures:
    config, (warm, times) = golf(context, scale), _repetitions(context, scale)
    go = plain_step(context, start(config, context.bf16, golf_data(context)), which)
    began = time.perf_counter()
    go()
    context.synchronize()
    first = {"first_step_seconds": round(time.perf_counter() - began, 1)}
    return rated(context, context.throughput(go, warm, times), config) | context.memory() | first


def _repetitions(context: Context, scale: str) -> tuple[int, int]:
    return QUICK_REPETITIONS if context.quick else REPETITIONS[scale]


def _pieces(context: Context, run: Run, objective: ObjectiveFunction, times: int) -> Figures:
    """Milliseconds of the parts of a step, each waited for: batch on the host, copy, gradients, update."""
    data, train, device = run.config.data, run.dataset.train, context.device
    taken = batch(train, 0, data)[:2]
    step, _ = next_step(run, objective, PROGRESS)
    step.recompute_gradients()
    of: dict[str, Callable[[], object]] = {
        "batch": lambda: batch(train, 0, data),
        "copy_pageable": lambda: [x.to(device, non_blocking=True) for x in taken],
        "gradients": step.recompute_gradients,
        "update": lambda: update_rule.update(run.groups, run.optimizer_states, 1.0, 10, PROGRESS),
    }
    if context.cuda:
        pinned = [x.pin_memory() for x in taken]
        of["copy_pinned"] = lambda: [x.to(device, non_blocking=True) for x in pinned]
    return {name: round(1e3 * context.latency(work, 2, min(times, 9)), 3) for name, work in of.items()}


def _profile(context: Context, go: Callable[[], object]) -> Figures:
    """Device kernels of one step: how many, their summed time against the wall, and the longest."""
    go()
    context.synchronize()
    kinds = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if context.cuda else [])
    with torch.profiler.profile(activities=kinds) as seen:
        started = time.perf_counter()
        go()
        context.synchronize()
        wall = time.perf_counter() - started
    rows = seen.key_averages()
    if not context.cuda:
        return {"aten_calls": sum(r.count for r in rows if r.key.startswith("aten::"))}
    kernels = [r for r in rows if r.self_device_time_total > 0 and r.device_type == DeviceType.CUDA]
    busy = sum(r.self_device_time_total for r in kernels) / 1e6
    copies = [r for r in rows if r.key == "cudaMemcpyAsync"]
    longest = sorted(kernels, key=lambda r: -r.self_device_time_total)[:LONGEST_KERNELS]
    return {
        "kernels": sum(r.count for r in kernels),
        "device_busy_of_profiled_wall": round(busy / wall, 3),
        "device_ms": round(1e3 * busy, 2),
        "host_ms_in_cudaMemcpyAsync": round(sum(r.self_cpu_time_total for r in copies) / 1e3, 2),
        "top": [f"{r.key[:70]} x{r.count}: {r.self_device_time_total / 1e3:.2f} ms" for r in longest],
    }
