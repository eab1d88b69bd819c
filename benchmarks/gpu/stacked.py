"""The section ``stacked``: proxies of one structure as one stacked model, a width that a GPU could be given."""

from __future__ import annotations

import copy
from unittest import mock

import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.golf import golf, golf_data
from benchmarks.gpu.small import start
from trainable.data.dataset import batch
from trainable.networks import gradients

MODELS, QUICK_MODELS = (1, 8, 32), (1, 2)


def stacked(context: Context) -> Figures:
    """Gradients of 1, 8 and 32 models at once by ``torch.func.vmap``."""
    found: Figures = {}
    with mock.patch.object(gradients, "_plain", lambda x: True):  # vmap takes no autograd function of our own
        for count in QUICK_MODELS if context.quick else MODELS:
            context.fresh()
            found[f"{count} models"] = attempt(_stack, context, count)
    return found


def _stack(context: Context, count: int) -> Figures:
    config, dataset = golf(context, "proxy"), golf_data(context)
    networks = [start(config, context.fp32, dataset).network for _ in range(count)]
    parameters, buffers = stack_module_state(networks)  # type: ignore[arg-type]
    base = copy.deepcopy(networks[0]).to("meta")
    taken = batch(dataset.train, 0, config.data)[:2]
    inputs, targets = (t.to(context.device).expand(count, *t.shape).contiguous() for t in taken)

    def loss_of(p: dict[str, Tensor], b: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        logits: Tensor = functional_call(base, (p, b), (x,))
        return F.cross_entropy(logits.float().flatten(0, 1), y.flatten())

    step = vmap(grad_and_value(loss_of))

    def go() -> None:
        with context.bf16.autocast():
            step(parameters, buffers, inputs, targets)

    seconds = context.throughput(go, 2, 2 if context.quick else 20)
    tokens = round(count * config.data.batch_tokens / seconds)
    return {"ms": round(1e3 * seconds, 2), "tokens_a_second_in_all": tokens, **context.memory()}
