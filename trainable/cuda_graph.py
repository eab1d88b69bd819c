"""Forward and backward pass of a step as one CUDA graph: recorded once, then launched by one call of the host.

Of a small model a GPU is done before the host has launched the next kernel. A graph has all launches of a pass over the
micro-batches, eager or compiled, in memory of its own. The batch and the progress are copied in, gradients and
loss are copied out, so that who keeps them, or changes them in place, does not see the next replay. What hooks, the
recording of the curve and the update rules do stays outside: their numbers are the host's, and change at every step.
Source: torch's notes on CUDA graphs. It has not run on a GPU here yet, so a run has to ask for it
(``Runtime.cuda_graphs``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

WARM_UPS = 3  # passes before the recording, in which kernels are chosen and memory is found

Pass = Callable[[Tensor, Tensor, Tensor], Tensor]  # (inputs, targets, progress) -> mean loss; fills every .grad


Recording = Callable[[Callable[[], Tensor]], tuple[Tensor, Callable[[], None]]]  # body -> (its result, its repetition)


class ReplayedPass:
    """A ``Pass`` that is recorded for the shape of a batch, and replayed for each one that has it.

    Random draws inside come from the generators' states at the replay, as without a graph.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], once: Pass, inputs: Tensor, record: Recording) -> None:
        self.inputs, self.targets = torch.zeros_like(inputs), torch.zeros_like(inputs)
        self.progress = torch.zeros((), device=inputs.device)
        self.loss, self.replay = record(lambda: once(self.inputs, self.targets, self.progress))
        self.filled: dict[torch.dtype, list[tuple[nn.Parameter, Tensor]]] = {}  # of one type: copied by one launch
        for parameter in parameters:
            assert parameter.grad is not None, "a parameter has no gradient"
            self.filled.setdefault(parameter.grad.dtype, []).append((parameter, parameter.grad))

    def takes(self, inputs: Tensor) -> bool:
        """Tell whether a batch has the shape that was recorded."""
        return inputs.shape == self.inputs.shape

    @torch.no_grad()
    def __call__(self, inputs: Tensor, targets: Tensor, progress: Tensor) -> Tensor:
        for recorded, given in ((self.inputs, inputs), (self.targets, targets), (self.progress, progress)):
            recorded.copy_(given)
        self.replay()
        for filled in self.filled.values():
            copies = torch._foreach_mul([gradient for _, gradient in filled], 1.0)
            for (parameter, _), copy in zip(filled, copies, strict=True):
                parameter.grad = copy
        return self.loss.clone()


def record_on_cuda(body: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], None]]:
    """Record ``body``, which begins by dropping the gradients that are there; it is done a few times before."""
    here, beside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    beside.wait_stream(here)
    with torch.cuda.stream(beside):
        for _ in range(WARM_UPS):
            body()
    here.wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = body()
    return loss, graph.replay
