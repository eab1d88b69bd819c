"""Main memory that one trial needs, estimated from its config before it runs: how many fit beside each other."""

from __future__ import annotations

from typing import Any

from trainable.config import TrainConfig
from tuner.cluster.counted_shapes import Shapes

# Measured with torch 2.13 and Ray 2.60, private memory: a worker that has imported both has 297 MiB. The golf proxy
# then peaks at 379 MiB, with 4 times its width at 595, with 4 times the tokens too at 1,364, with a vocabulary of
# 16,384 at 625. The numbers below give 391, 636, 1,413 and 647.
WORKER_BYTES = 310 * 2**20
GPU_WORKER_BYTES = 3 * 2**30  # assumed: CUDA's own context and its libraries; the model is in the GPU's memory
BYTES_A_PARAMETER = 16  # weights, gradients and two moments, in 32 bits
FLOATS_A_WIDTH = 27  # kept for the backward pass, of each layer, token and channel
FLOATS_A_LOGIT = 4
RAY_BYTES = 500 * 2**20  # its own processes and its object store, beside the workers


def of_trial(config: TrainConfig, on_gpu: bool, shapes: Shapes) -> int:
    """Bytes of main memory that a trial of this config needs at its peak, roughly; ``shapes`` are the config's."""
    if on_gpu:
        return GPU_WORKER_BYTES
    tokens = config.data.batch_tokens // config.data.grad_accum_steps
    shape: Any = config.model  # every model of ours has these two
    hidden = FLOATS_A_WIDTH * int(shape.num_layers) * int(shape.model_dim)
    floats = tokens * (hidden + FLOATS_A_LOGIT * shapes.vocabulary / config.loss_chunks)
    return round(WORKER_BYTES + BYTES_A_PARAMETER * shapes.parameters + 4 * floats)
