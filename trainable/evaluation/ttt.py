"""Score-first test-time training: the model learns from validation text, but only from what it was scored on already.

Reported by parameter golf's records: 1.1218 -> 1.1194 bits per byte. Training before scoring, or scoring twice, would
be cheating; a single pass over the chunks rules out both. Nothing of the training config reaches it: no loss terms, no
hooks, no dropout (the network stays in evaluation mode), and no random draw.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component
from trainable.evaluation.windows import Windows
from trainable.ranges import NumTokens, Positive, Repeats

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class TTT(Component):
    """Cuts the targets into chunks; each is scored, then trained on; the last one is only scored.

    Training: SGD with momentum 0.9 on the mean cross-entropy over rows of seq_len, gradients clipped to norm 1.0, all
    weights, rate lr/2 (1 + cos(pi c / (n - 1))) for chunk c of n. Records use lr 0.002 to 0.005.
    """

    kind: ClassVar[str] = "TTT"

    lr: Positive = 0.002  # at the first chunk
    epochs: Repeats = 3  # passes over a chunk
    chunk_tokens: NumTokens = 32768  # targets that are scored before they are trained on
    batch_tokens: NumTokens = 32768  # tokens an SGD step

    def rate(self, chunk: int, chunks: int) -> float:
        """Learning rate after ``chunk``."""
        return self.lr / 2 * (1 + math.cos(math.pi * chunk / (chunks - 1)))

    def nats(self, network: nn.Module, windows: Windows, rows: int, device: torch.device | str) -> Tensor:
        """Cross-entropy summed over all targets, float64 ().

        A window belongs to the chunk of the first target that it scores. The weights are as before afterwards, bit for
        bit.
        """
        import torch

        chunks = -(-windows.targets // self.chunk_tokens)
        starts = [windows.first_scored(i) for i in range(windows.count)]
        edges = [bisect.bisect_left(starts, c * self.chunk_tokens) for c in range(chunks)] + [windows.count]
        scored = []
        with _restored(network):
            optimizer = torch.optim.SGD(network.parameters(), lr=self.lr, momentum=0.9)
            for chunk in range(chunks):
                scored.append(windows.nats(network, rows, device, edges[chunk], edges[chunk + 1]))
                if chunk < chunks - 1:
                    optimizer.param_groups[0]["lr"] = self.rate(chunk, chunks)
                    with torch.enable_grad():
                        self._learn(network, optimizer, windows, chunk, device)
        return sum(scored[1:], scored[0])

    def _learn(
        self, network: nn.Module, optimizer: torch.optim.SGD, windows: Windows, chunk: int, device: torch.device | str
    ) -> None:
        import torch
        import torch.nn.functional as F
        from torch import nn

        start = chunk * self.chunk_tokens
        span = torch.from_numpy(windows.stream[start : start + self.chunk_tokens + 1]).long()
        inputs, targets = (part.view(-1, windows.seq_len).to(device) for part in (span[:-1], span[1:]))
        rows = self.batch_tokens // windows.seq_len
        for _ in range(self.epochs):
            for x, y in zip(torch.split(inputs, rows), torch.split(targets, rows), strict=True):
                torch.clear_autocast_cache()  # it holds casts without gradients, and of weights that have changed
                optimizer.zero_grad()
                F.cross_entropy(network(x).float().flatten(0, 1), y.flatten()).backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
        torch.clear_autocast_cache()


@contextmanager
def _restored(network: nn.Module) -> Iterator[None]:
    """Restore the weights after the block, and leave no gradient."""
    import torch

    kept = [p.detach().clone() for p in network.parameters()]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), kept, strict=True):
                parameter.copy_(value)
                parameter.grad = None
        torch.clear_autocast_cache()
