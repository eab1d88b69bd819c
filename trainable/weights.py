"""Weights of a finished run, exactly those that were scored: averaged or quantised where a hook wants that evaluated.

A file is safetensors: every parameter once, and the buffers that evaluation uses, by their names in the network and in
the number formats that the run had. Its header names the trial and a checksum of the content. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from trainable.evaluation.artifact import distinct
from trainable.shapes import shapes_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from storage.location import Location
    from torch import Tensor

    from trainable.config import TrainConfig
    from trainable.data.dataset import Dataset
    from trainable.networks.network import Network
    from trainable.run import Run
    from trainable.runtime import Runtime

VERSION = 1
KIND = "weights file"


def scored(run: Run) -> dict[str, Tensor]:
    """Copies, on the host, of the tensors that the run's score is of; by their names in the network."""
    with run.evaluation_weights():
        return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in distinct(run.network).items()}


def write_weights(
    campaign: Location, name: str, tensors: Mapping[str, Tensor], key: str, data_fingerprint: str
) -> None:
    """Write the weights of the trial ``key`` below the campaign's folder; the file appears whole or not at all.

    An OSError where it cannot be written.
    """
    from trainable.worker import checkpoint

    plain = json.dumps({"data": data_fingerprint})
    checkpoint.write_file(campaign, name, tensors, {"version": str(VERSION), "key": key, "plain": plain}, KIND)


def read_weights(path: Location, key: str) -> dict[str, Tensor]:
    """The tensors of the trial ``key``. A ValueError names a file that is damaged or of another trial.

    An OSError where an object store cannot be reached.
    """
    from trainable.worker import checkpoint

    return checkpoint.read_file(path, key, VERSION, KIND)[1]


def run_with(config: TrainConfig, tensors: Mapping[str, Tensor], dataset: Dataset, runtime: Runtime) -> Run:
    """A run of ``config`` that stands at its end, with these weights: to be scored, exported or sampled, not trained.

    It has no hooks: what they would have evaluated is in the tensors. A ValueError for tensors of another model.
    """
    from trainable.run import Run

    run = Run.start(replace(config, hooks=()), dataset, runtime)
    _put(tensors, run.network)
    return run


@dataclass(frozen=True)
class LoadedNetwork:
    """A network with its weights and no data: all that writing text takes."""

    network: Network
    config: TrainConfig
    vocab_size: int
    runtime: Runtime


def network_with(
    config: TrainConfig, tensors: Mapping[str, Tensor], is_boundary: npt.NDArray[np.bool_], runtime: Runtime
) -> LoadedNetwork:
    """The network of ``config`` with these weights, for a vocabulary. A ValueError for tensors of another model."""
    from trainable.run import built_network

    network = built_network(config, is_boundary, runtime)
    _put(tensors, network)
    return LoadedNetwork(network, config, len(is_boundary), runtime)


def _put(tensors: Mapping[str, Tensor], network: Network) -> None:
    """Put tensors into a network by their names; a ValueError for those of another model, and for no finite numbers."""
    import torch

    own = distinct(network)
    for name, t in own.items():
        if name not in tensors or tensors[name].shape != t.shape:
            found = _about(tensors.get(name))
            raise ValueError(f"the weights are of another model: {name} is {found}, not {_about(t)}")
        if (given := tensors[name].dtype) != t.dtype and not (given.is_floating_point and t.is_floating_point()):
            raise ValueError(f"the weights are of another model: {name} has numbers of {given}, not of {t.dtype}")
        if given.is_floating_point and not tensors[name].isfinite().all():
            raise ValueError(f"the weights are not finite: {name} holds NaN or infinity")
    if more := sorted(tensors.keys() - own.keys()):
        raise ValueError(f"the weights are of another model, which has {more[0]} too")
    with torch.no_grad():
        for name, t in own.items():
            t.copy_(tensors[name])


def _about(t: Tensor | None) -> str:
    return "missing" if t is None else " x ".join(map(str, t.shape)) or "one number"


def num_bytes(config: TrainConfig, vocab_size: int) -> int:
    """Bytes of the weights that a run leaves, without the file's header of some kilobytes; nothing is allocated."""
    from trainable.runtime import BF16

    network = shapes_of(partial(config.model.build, vocab_size, config.longest_row))
    if config.number_format == BF16:
        network.keep_in_bf16(config.model.low_precision_tables)
    return sum(t.numel() * t.element_size() for t in distinct(network).values())
