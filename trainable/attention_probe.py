"""A look at a network's attention and logits: one forward pass over the first validation tokens, beside the step.

It runs without a compiler, gradients or dropout, so that the step's graph has no part in it, and draws nothing. Of each
attention kernel it takes the queries and keys that the kernel is called with: entropies are those of the last
``QUERIES`` tokens of one window, each of which sees many. Layers of one shape are worked out together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from trainable.compiled_evaluation import as_it_stands
from trainable.monitors import ATTENTION, LOGITS, Monitors
from trainable.no_grad import no_grad

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.networks.causal_attention import CausalAttention
    from trainable.networks.network import Network
    from trainable.run import Run

QUERIES = 32  # the last tokens of the pass, whose attention and logits are looked at
MOST_HEADS = 768  # that have a column each; of a network with more, each layer has its mean
HIDDEN = -1e30  # logit of a key that a query does not see: its weight is exactly 0, and so is its part of an entropy

Seen = dict[int, tuple["Tensor", "Tensor"]]  # the identity of a kernel -> its queries (the last ones) and keys


@no_grad
def probed(run: Run, monitors: Monitors) -> dict[str, Tensor]:
    """The entropy of the attention of each layer and head (nats), and the largest logits, by the columns' names."""
    import torch

    network, seen = run.network, Seen()
    kernels = attention_kernels(network)
    found: dict[str, Tensor] = {}
    network.eval()
    with as_it_stands(run), run.runtime.autocast(), _watched(kernels, seen):
        hidden = network.hidden(run.probe_tokens)
        if LOGITS in monitors:
            found["largest_logit.output"] = network.logits(hidden[:, -QUERIES:]).max()
    network.train()
    entropies, largest = _measured([kernel for own in kernels.values() for kernel in own], seen, ATTENTION in monitors)
    if LOGITS in monitors and largest:  # a network of the user's own may have no such kernel
        found["largest_logit.attention"] = torch.stack(largest).max()
    of_layers = {i: torch.cat([entropies[id(k)] for k in own]) for i, own in kernels.items()} if entropies else {}
    return _named(of_layers) | found


def attention_kernels(network: Network) -> Mapping[int, list[CausalAttention]]:
    """The kernels of each layer that has any, in order; one that layers share is the first's."""
    from trainable.networks.causal_attention import CausalAttention
    from trainable.networks.logit_maximum import LogitMaximum

    found: dict[int, list[CausalAttention]] = {}
    known: set[int] = set()
    for layer, block in enumerate(network.blocks):
        for module in block.modules():
            if not isinstance(module, CausalAttention) or isinstance(module, LogitMaximum):
                continue
            if id(module) not in known:
                known.add(id(module))
                found.setdefault(layer, []).append(module)
    return found


@contextmanager
def _watched(kernels: Mapping[int, list[CausalAttention]], seen: Seen) -> Iterator[None]:
    """Note the queries and keys of each kernel within the block; of one that runs again, those of the last time."""
    with ExitStack() as stack:
        for kernel in (kernel for own in kernels.values() for kernel in own):
            handle = kernel.register_forward_pre_hook(partial(_note, seen))
            stack.callback(handle.remove)
        yield


def _note(seen: Seen, kernel: CausalAttention, given: tuple[Tensor, ...]) -> None:
    seen[id(kernel)] = (given[0][:, -QUERIES:], given[1])


def _measured(kernels: list[CausalAttention], seen: Seen, entropies: bool) -> tuple[dict[int, Tensor], list[Tensor]]:
    """The entropies (heads,) by each kernel's identity, where they are asked for, and largest logits."""
    import torch

    alike: dict[Any, list[CausalAttention]] = {}
    for kernel in kernels:
        q, k = seen[id(kernel)]
        alike.setdefault((type(kernel), kernel.reach, q.shape, k.shape), []).append(kernel)
    found: dict[int, Tensor] = {}
    largest = []
    for own in alike.values():
        q, k = (torch.stack([seen[id(kernel)][which] for kernel in own]) for which in (0, 1))
        k = k.repeat_interleave(q.size(3) // k.size(3), dim=3)
        shows = own[0].seen(k.size(2), k.device)[-q.size(2) :]
        logits = torch.einsum("lbqhd,lbkhd->lbhqk", q, k).float() / q.size(-1) ** 0.5
        logits = logits.masked_fill(~shows, HIDDEN)
        largest.append(logits.max())
        if entropies:
            weights = torch.log_softmax(logits, -1)
            mean = torch.linalg.vecdot(weights.exp(), weights).mean((1, 3)).neg()  # (layers, heads)
            found |= {id(kernel): of_heads for kernel, of_heads in zip(own, mean, strict=True)}
    return found, largest


def _named(of_layers: Mapping[int, Tensor]) -> dict[str, Tensor]:
    if sum(map(len, of_layers.values())) > MOST_HEADS:
        return {f"attention_entropy.{layer}": heads.mean() for layer, heads in of_layers.items()}
    return {
        f"attention_entropy.{layer}.{head}": entropy
        for layer, heads in of_layers.items()
        for head, entropy in enumerate(heads.unbind())
    }
