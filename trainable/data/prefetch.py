"""Batches on their way to a GPU: the next one is copied while a step computes.

Tokens are sent once, in 16 bits where the vocabulary fits, from memory that the GPU reads by itself (pinned), on a
stream of its own; the GPU widens them, and makes inputs and targets of them. So no step waits for a copy: sent as they
are read, inputs and targets take 16 bytes a token, and the host stands still for them.

The position is the loop's. What was sent ahead is of another position after a resume, and is then left alone. On a CPU
there is nothing to send.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from trainable.data import epochs
from trainable.data.dataset import DataConfig, TokenStream, batch, inputs_and_targets
from trainable.data.shards import NARROW_VOCABULARY
from trainable.runtime import Runtime

if TYPE_CHECKING:
    import torch
    from torch import Tensor

BUFFERS = 2  # one that is being read, one that is filled

Batch = tuple["Tensor", "Tensor", int]  # inputs and targets, int64 (batch, seq_len), and the next step's position


class Batches(Protocol):
    """Batches of a run on its device, each by its position, which the loop owns."""

    def take(self, position: int) -> Batch:
        """The batch at ``position``."""


def batches(stream: TokenStream, config: DataConfig, seed: int, runtime: Runtime) -> Batches:
    """Batches for a device: sent ahead to a CUDA device, read in place on a CPU."""
    if runtime.device_type == "cuda":
        return Prefetcher(stream, config, seed, CudaCopier(runtime.device))
    return InPlace(stream, config, seed, runtime.device)


@dataclass(frozen=True)
class InPlace:
    """Reads each batch when it is asked for."""

    stream: TokenStream
    config: DataConfig
    seed: int
    device: str

    def take(self, position: int) -> Batch:
        """The batch at ``position``."""
        inputs, targets, following = batch(self.stream, position, self.config, self.seed)
        return inputs.to(self.device), targets.to(self.device), following


class Copier(Protocol):
    """Copies from the host to a device, beside what the device computes."""

    def buffer(self, tokens: int, dtype: torch.dtype) -> Tensor:
        """Memory of the host that the device reads by itself."""

    def send(self, buffer: Tensor) -> Any:
        """Begin to copy a buffer, which may not change until :meth:`finish`."""

    def finish(self, sent: Any) -> None:
        """Wait, on the host, until a copy is done: its buffer may change then."""

    def receive(self, sent: Any) -> Tensor:
        """The copy on the device, whose later work waits for it; the host does not."""


@dataclass
class Sent:
    """A batch on its way."""

    position: int
    following: int
    copy: Any


class Prefetcher:
    """Reads batches of a stream for a device, one ahead."""

    def __init__(self, stream: TokenStream, config: DataConfig, seed: int, copier: Copier) -> None:
        import torch

        self.stream, self.config, self.seed, self.copier = stream, config, seed, copier
        self.narrow = stream.vocab_size <= NARROW_VOCABULARY
        dtype = torch.int16 if self.narrow else torch.int32  # the bits of 16 without a sign: no device lacks int16
        tokens = config.batch_tokens + epochs.num_spans(config, stream.row_tokens)
        self._buffers = [copier.buffer(tokens, dtype) for _ in range(BUFFERS)]
        self._copies: list[Any] = [None] * BUFFERS  # the last of each buffer
        self._last = 0  # the buffer that was filled last
        self._ahead: Sent | None = None

    def take(self, position: int) -> Batch:
        """The batch at ``position``; the one after it is on its way when this returns."""
        ahead, self._ahead = self._ahead, None
        now = ahead if ahead is not None and ahead.position == position else self._send(position)
        try:
            self._ahead = self._send(now.following)
        except ValueError:  # of a batch that may never be wanted: where it is, it is read again and raises there
            self._ahead = None
        return *self._whole(self.copier.receive(now.copy)), now.following

    def _send(self, position: int) -> Sent:
        tokens, following = epochs.take(self.stream, position, self.config, self.seed)
        self._last = free = (self._last + 1) % BUFFERS
        if self._copies[free] is not None:
            self.copier.finish(self._copies[free])  # begun two batches ago: it is done
        buffer = self._buffers[free]
        filled = buffer.numpy().view(np.uint16) if self.narrow else buffer.numpy()
        np.copyto(filled, tokens, casting="unsafe")  # TokenStream.take has seen that all are within the vocabulary
        self._copies[free] = self.copier.send(buffer)
        return Sent(position, following, self._copies[free])

    def _whole(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        span = tokens.long()
        if self.narrow:
            span.bitwise_and_(NARROW_VOCABULARY - 1)
        return inputs_and_targets(span, self.config)


class CudaCopier:
    """Copies to a CUDA device on a stream of its own."""

    def __init__(self, device: str) -> None:
        import torch

        self.device = device
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def buffer(self, tokens: int, dtype: torch.dtype) -> Tensor:
        """Pinned memory, from which a copy needs no help of the host."""
        import torch

        return torch.empty(tokens, dtype=dtype, pin_memory=True)

    def send(self, buffer: Tensor) -> tuple[Tensor, torch.cuda.Event]:
        """Begin to copy a buffer, which may not change until :meth:`finish`."""
        import torch

        with torch.cuda.stream(self.stream):
            copied = buffer.to(self.device, non_blocking=True)
            return copied, self.stream.record_event()

    def finish(self, sent: tuple[Tensor, torch.cuda.Event]) -> None:
        """Wait until a copy is done, where it is not."""
        if not sent[1].query():  # type: ignore[no-untyped-call]
            sent[1].synchronize()

    def receive(self, sent: tuple[Tensor, torch.cuda.Event]) -> Tensor:
        """The copy, for the stream that computes: it waits for it, and the memory is its own until it is through."""
        import torch

        copied, done = sent
        computing = torch.cuda.current_stream(self.device)
        computing.wait_event(done)
        copied.record_stream(computing)
        return copied
