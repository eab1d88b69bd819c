"""The nodes of a joined cluster: whether each can take part in a campaign, asked of each before the first trial.

A campaign's folder must be one that every node sees: trials write their checkpoints there and look there for the sign
to stop. Data are prepared once a node, here, for all trials that will run on it.
"""

from __future__ import annotations

import os
import platform
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from storage import files, inside
from storage.location import Location, absolute, location
from trainable.data.dataset import DataConfig
from trainable.data.preparation import prepare
from tuner.cluster import gpus
from tuner.cluster.placement import Node
from tuner.cluster.ray_errors import ray_error_line

GREET_SECONDS = 180.0  # for a first worker on each node, on machines that are busy
ANSWER_SECONDS = 3600.0  # for each node to prepare the data, which it may have to download
ACCELERATOR = "accelerator_type:"  # Ray's resource that names a node's accelerator


@dataclass(frozen=True)
class Answer:
    """Answer of a node about itself."""

    host: str
    problem: str = ""  # why it cannot take part
    processor: str = ""
    fingerprint: str = ""  # of the data
    bf16: bool | None = None  # whether its GPUs multiply bfloat16 themselves; None where it was not asked, or has none
    gpu_bytes: int | None = None  # of the smallest of its GPUs, in the same way


Ask = Callable[[Sequence[Node], tuple[Any, ...]], Sequence[Answer]]


def alive() -> list[Node]:
    """The nodes that the joined cluster has now."""
    return [node_of(found) for found in ray.nodes() if found["Alive"]]  # type: ignore[no-untyped-call]


def node_of(found: Mapping[str, Any]) -> Node:
    """A row of ``ray.nodes()``."""
    have = found["Resources"]
    kinds = sorted(name.removeprefix(ACCELERATOR) for name in have if name.startswith(ACCELERATOR))
    return Node(
        found["NodeID"],
        found["NodeManagerHostname"],
        int(have.get("GPU", 0)),
        float(have.get("CPU", 0)),
        ", ".join(kinds),
    )


def check(
    nodes: Sequence[Node], results: Location, data: DataConfig, fingerprint: str, train_tokens: int | None, ask: Ask
) -> dict[str, str]:
    """The device of each node; a ValueError names the first that cannot run trials of a campaign below ``results``."""
    secret = uuid.uuid4().hex
    shared, name = location(absolute(results)), f".seen-{secret[:8]}"
    files.create_folder(shared)
    inside.write(shared, name, secret.encode())
    try:
        answers = ask(nodes, (str(shared / name), secret, data, train_tokens))
    finally:
        inside.remove(shared, name)
    for answer in answers:
        if answer.problem:
            raise ValueError(answer.problem)
        if answer.fingerprint != fingerprint:
            raise ValueError(
                f"the data {data.source!r} on node {answer.host} have fingerprint {answer.fingerprint}, "
                f"not {fingerprint} as on the driver's node: copy the driver's there, or give --data a folder that all "
                "nodes share"
            )
    return {node.id: node.accelerator or answer.processor for node, answer in zip(nodes, answers, strict=True)}


def ask_each(nodes: Sequence[Node], question: tuple[Any, ...]) -> list[Answer]:
    """Run :func:`answer` once on every node, all at a time. A node that fails to is an answer with a problem.

    Each must first say that it is there, for which it has less time than for the data.
    """
    greeted = _on_each(nodes, greeting, (), GREET_SECONDS)
    return greeted if any(found.problem for found in greeted) else _on_each(nodes, answer, question, ANSWER_SECONDS)


def multiply_bf16(found: Sequence[Node]) -> dict[str, bool]:
    """Tell of each node with a GPU, by its host, whether its GPUs multiply bfloat16 themselves.

    A ValueError names the first that does not say.
    """
    having = [node for node in found if node.gpus]
    answers = _on_each(having, computing, (), GREET_SECONDS)
    for answered in answers:
        if answered.problem:
            raise ValueError(answered.problem)
    return {answered.host: answered.bf16 for answered in answers if answered.bf16 is not None}


def computing() -> Answer:
    """Tell, on a node, what its GPUs multiply."""
    host = socket.gethostname()
    try:
        return Answer(host, bf16=gpus.multiply_bf16())
    except OSError as error:
        return Answer(host, f"the GPUs of node {host} do not say what they compute: {error}")


def smallest_gpu(found: Sequence[Node]) -> int | None:
    """The bytes of the smallest GPU of the nodes, None where they have none; a ValueError names one that is silent."""
    answers = _on_each([node for node in found if node.gpus], measuring, (), GREET_SECONDS)
    for answered in answers:
        if answered.problem:
            raise ValueError(answered.problem)
    return min((answered.gpu_bytes for answered in answers if answered.gpu_bytes is not None), default=None)


def measuring() -> Answer:
    """Tell, on a node, what memory its GPUs have."""
    host = socket.gethostname()
    try:
        return Answer(host, gpu_bytes=min(gpus.memory_of_each(), default=None))
    except OSError as error:
        return Answer(host, f"the GPUs of node {host} do not say what memory they have: {error}")


def _on_each(
    nodes: Sequence[Node], call: Callable[..., Answer], question: tuple[Any, ...], seconds: float
) -> list[Answer]:
    """The answers of all nodes, which have so many seconds together."""
    remote, deadline = ray.remote(num_cpus=0, max_retries=0)(call), time.monotonic() + seconds
    asked = [
        remote.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)).remote(*question)
        for node in nodes
    ]
    return [_received(node, reference, deadline, seconds) for node, reference in zip(nodes, asked, strict=True)]


def _received(node: Node, reference: Any, deadline: float, seconds: float) -> Answer:
    try:
        found = ray.get(reference, timeout=max(0.0, deadline - time.monotonic()))
    except GetTimeoutError:
        return Answer(node.host, f"node {node.host} does not answer: nothing came within {seconds:g} s")
    except RayError as error:
        return Answer(node.host, f"node {node.host} cannot run trials: {ray_error_line(error)}")
    assert isinstance(found, Answer)
    return found


def greeting() -> Answer:
    """Runs on a node: it is there."""
    return Answer(socket.gethostname())


def answer(sign: str, secret: str, data: DataConfig, train_tokens: int | None) -> Answer:
    """Tell, on a node, whether it sees the driver's folder, may write there, and has the data."""
    host, path = socket.gethostname(), location(sign)
    folder = path.parent
    try:
        seen = files.read(path).decode(errors="replace") == secret
    except FileNotFoundError:
        seen = False
    except (OSError, ValueError) as error:
        return Answer(host, f"--results {str(folder)!r} cannot be read from node {host}: {error}")
    if not seen:
        return Answer(host, f"--results {str(folder)!r} is not shared: node {host} does not see what the driver wrote")
    mine = f"{path.name}.{host}.{os.getpid()}"
    try:
        inside.write(folder, mine, host.encode())
        inside.remove(folder, mine)
    except OSError as error:
        why = error.strerror or error
        return Answer(host, f"--results {str(folder)!r} cannot be written from node {host}: {why}")
    try:
        found = prepare(data, train_tokens_needed=train_tokens)
    except (ValueError, OSError) as error:
        return Answer(host, f"node {host} lacks the data: {error}")
    return Answer(host, processor=processor(), fingerprint=found.fingerprint)


def processor() -> str:
    """The name of this machine's processor, or of its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
