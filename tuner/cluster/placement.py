"""Resources of one trial on a node (a GPU, a part of one, or cores), and the number of trials a node then takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CPUS_BESIDE_A_GPU = 2  # for the Python around it and the data
SMALLEST = 10_000  # Ray counts resources in parts of this
AUTO = "auto"  # as a part of a GPU: as many trials as fit into its memory
MOST_SHARING = 8  # trials on one GPU then: beyond, they only wait for each other


@dataclass(frozen=True)
class Node:
    """A living node, and what of it Ray may give to trials."""

    id: str
    host: str
    gpus: int
    cores: float
    accelerator: str = ""


@dataclass(frozen=True)
class Placement:
    """Resources that were asked for; None leaves it to the nodes: a whole GPU where there is one, else a core."""

    gpu_fraction: float | None = None  # of a GPU, in (0, 1]
    cpus: int | None = None  # cores

    def on_gpus(self, nodes: Sequence[Node]) -> bool:
        """Tell whether trials run on GPUs: where there are any, or where they were asked for and may still come."""
        return self.gpu_fraction is not None or any(node.gpus for node in nodes)

    def resources(self, nodes: Sequence[Node]) -> dict[str, float]:
        """Return what Ray reserves for a trial, so that no GPU of ``nodes`` is left idle for want of cores."""
        if not self.on_gpus(nodes):
            return {"cpu": float(self.cpus or 1)}
        fraction = self.gpu_fraction or 1.0
        return {"gpu": fraction, "cpu": float(self.cpus) if self.cpus else _cores_beside(fraction, nodes)}


def part_for(trials: int) -> float:
    """The part of a GPU of which so many trials have one each, as Ray counts."""
    return math.floor(SMALLEST / trials) / SMALLEST


def slots(node: Node, resources: dict[str, float]) -> int:
    """Trials that fit on the node at a time."""
    by_cores = math.floor(node.cores / resources["cpu"] + 1e-6)
    if "gpu" not in resources:
        return by_cores
    return min(by_cores, node.gpus * math.floor(1 / resources["gpu"] + 1e-6))


def _cores_beside(fraction: float, nodes: Sequence[Node]) -> float:
    """Cores a trial, where each node's are shared by the trials on its GPUs; a part of one where they are scarce."""
    shares = [node.cores / (node.gpus * math.floor(1 / fraction + 1e-6)) for node in nodes if node.gpus and node.cores]
    share = min(shares, default=1.0)
    if share >= 1:
        return float(min(CPUS_BESIDE_A_GPU, math.floor(share)))
    return math.floor(share * SMALLEST) / SMALLEST
