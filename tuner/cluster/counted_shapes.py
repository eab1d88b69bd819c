"""Sizes of a network by its shapes alone: what the memory of a trial is estimated from before there is one.

Counting needs torch, a third of what a driver has in memory for as long as it lives. Where nothing else in it needs
torch, ``python -m tuner.cluster.counted_shapes`` counts in a process of its own; ``campaign.json`` keeps what it said.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from trainable.component_json import decode, encode
from trainable.config import TrainConfig
from trainable.data.preparation import known_vocab_size
from trainable.own import modules as own_modules
from trainable.own.source import Source
from trainable.shapes import shapes_of


@dataclass(frozen=True)
class Shapes:
    """Numbers of a network whose vocabulary has so many tokens."""

    vocabulary: int
    parameters: int  # trainable, tied ones once
    channels: int
    blocks: int

    def to_json(self) -> dict[str, int]:
        """Convert it to what ``campaign.json`` keeps."""
        return asdict(self)


def vocabulary_of(config: TrainConfig) -> int:
    """The size of the data's own vocabulary where it is known, else the one that the config asks for."""
    return known_vocab_size(config.data) or config.data.vocab_size


def shapes_counted(config: TrainConfig) -> Shapes:
    """Count them in this process, once for a config."""
    return _shapes_counted(config, vocabulary_of(config))


@functools.lru_cache(maxsize=64)
def _shapes_counted(config: TrainConfig, vocabulary: int) -> Shapes:
    network = shapes_of(partial(config.model.build, vocabulary, config.longest_row))
    parameters = sum(p.numel() for p in network.parameters())
    return Shapes(vocabulary, parameters, network.embedding.embedding_dim, len(network.blocks))


def shapes_counted_apart(config: TrainConfig) -> Shapes:
    """Count them in a process of its own, unless this one has torch already. An error of the model's is raised here."""
    if "torch" in sys.modules:
        return shapes_counted(config)
    asked = {"config": encode(config), "sources": [source.to_json() for source in own_modules.loaded()]}
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-m", "tuner.cluster.counted_shapes"],
        input=json.dumps(asked),
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    return shapes_counted(config) if done.returncode else Shapes(**json.loads(done.stdout))


def kept_or_counted(config: TrainConfig, was: Mapping[str, Any] | None, apart: bool) -> Shapes:
    """Take those that ``campaign.json`` keeps, where the vocabulary is still that one; else count them now."""
    kept = None if was is None else Shapes(**was)
    if kept is not None and kept.vocabulary == vocabulary_of(config):
        return kept
    return shapes_counted_apart(config) if apart else shapes_counted(config)


def main() -> None:
    """Answer one question."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what code of the user's prints is no answer
    asked = json.loads(sys.stdin.read())
    own_modules.load([Source.of_json(source) for source in asked["sources"]])
    config = decode(asked["config"])
    assert isinstance(config, TrainConfig)
    os.write(answer, json.dumps(shapes_counted(config).to_json()).encode())


if __name__ == "__main__":
    main()
