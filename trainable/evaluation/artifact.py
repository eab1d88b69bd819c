"""Artifact that parameter golf judges: the network as a small file, its size with the code, its score when read back.

Matrices become integers with a scale a row, the rest halves, and a compressor sees it all. The file is data: a header
of 17 bytes and a compressed safetensors body. (The competition compresses torch.save's pickle of the same tensors: on
the untrained baseline that file has 4,909,347 bytes, this one 4,906,273.)
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from terminal.nearest import rule_of_names

from trainable.component import Component
from trainable.evaluation.source_bytes import source_bytes
from trainable.no_grad import no_grad
from trainable.ranges import Amount, Bits, Bytes, PositiveBytes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainable.evaluation.evaluate import Evaluation
    from trainable.networks.network import Network

COMPRESSORS = ("zlib", "zstd", "lzma", "brotli")  # a file holds the place in this list: append only
MAGIC = b"TNA1"
HEADER = struct.Struct("<4sIBQ")  # magic, CRC-32 of the rest, compressor, bytes before compression
SCALE = ":scale"  # ends the name of a tensor's scales


@dataclass(frozen=True, kw_only=True)
class Artifact(Component):
    """Export at the end of the run. The defaults are the competition's: int8, zlib at level 9, 16,000,000 bytes.

    A float matrix of more than ``keep_elements`` is rounded by row, a larger tensor of another shape as a whole, what
    is smaller is kept: weights of linear layers and tables as fp16, the rest (gains, scales, mixes) as fp32. Records
    use 6 bits and zstd. Every compressor works at its highest level: zlib 9, zstd 22, lzma 9 extreme, brotli 11.
    """

    kind: ClassVar[str] = "Artifact"

    bits: Bits = 8  # of matrices; stored in bytes, which compress the better the fewer levels there are
    embedding: str = "int8"  # or fp16: the token table and an untied output matrix, whatever the bits of the others
    compressor: str = "zlib"  # at its highest level
    # Smallest clip of a row, in units of the weights; 1 is the competition's (scale >= 1/127). A row of smaller weights
    # uses fewer levels, too few where a short run meets few bits; 0 gives it all: the grid of QuantisationAware.
    min_clip: Amount = 1.0
    keep_elements: Bytes = 65_536  # a tensor of no more is not rounded to integers
    limit_bytes: PositiveBytes = 16_000_000  # decimal; a run above it is infeasible
    code_bytes: Bytes | None = None  # counted with the weights; null measures the source that the run needs

    def validate(self) -> None:
        self.check(self.embedding in ("int8", "fp16"), "embedding", "int8 or fp16")
        known = rule_of_names(self.compressor, COMPRESSORS)
        self.check(self.compressor in COMPRESSORS, "compressor", known)

    @classmethod
    def example(cls) -> Self:
        return cls(bits=6, compressor="lzma")


@dataclass(frozen=True)
class Weighed:
    """Size and score of a run's export; the names are those of the report."""

    artifact_bytes: int  # compressed weights and code
    val_loss_quantised: float  # nats per token, of the weights as read back
    val_bpb_quantised: float
    violation: str  # empty where the limit is kept


def weigh(network: Network, artifact: Artifact, config: Component, score: Callable[[], Evaluation]) -> Weighed:
    """Export the network as it stands, read it back, and let ``score`` evaluate what came back.

    ``config`` is that of the run, whose code counts where the artifact does not say how large it is.
    """
    data = pack(network, artifact)
    with replaced(network, load(data)):
        found = score()
    code = source_bytes(config) if artifact.code_bytes is None else artifact.code_bytes
    total = len(data) + code
    return Weighed(total, found.loss, found.bpb, beyond_limit(artifact, total))


def beyond_limit(artifact: Artifact, total_bytes: int) -> str:
    """Say that an artifact is larger than its limit; empty where it is not."""
    limit = artifact.limit_bytes
    return f"artifact {total_bytes:,} > {limit:,} bytes" if total_bytes > limit else ""


# --- tensors ----------------------------------------------------------------------------------------------------------


def pack(network: Network, artifact: Artifact) -> bytes:
    """Parameters and persistent buffers of ``network``, quantised and compressed. Shared tensors are stored once."""
    import torch
    from torch import nn

    from trainable.evaluation import quantise

    tables = {id(m.weight) for m in (network.embedding, network.head) if m is not None}
    matrices = {id(m.weight) for m in network.modules() if isinstance(m, nn.Linear | nn.Embedding)}
    tensors: dict[str, Tensor] = {}
    for name, t in distinct(network).items():
        if not t.is_floating_point():
            tensors[name] = t.detach()
        elif t.numel() <= artifact.keep_elements:
            tensors[name] = t.detach().to(torch.float16 if id(t) in matrices else torch.float32)
        elif id(t) in tables and artifact.embedding == "fp16":
            tensors[name] = t.detach().half()
        elif t.ndim == 2:
            bits = 8 if id(t) in tables else artifact.bits
            tensors[name], tensors[name + SCALE] = quantise.by_row(t, bits, artifact.min_clip)
        else:
            tensors[name], tensors[name + SCALE] = quantise.whole(t, artifact.bits)
    return compress({n: t.cpu().contiguous() for n, t in tensors.items()}, artifact.compressor)


def load(data: bytes) -> dict[str, Tensor]:
    """Tensors by name, float ones in fp32: the state dict without second names. A ValueError for a damaged file."""
    from trainable.evaluation import quantise

    stored = decompress(data)
    scales = {name.removesuffix(SCALE): t for name, t in stored.items() if name.endswith(SCALE)}
    kept = {name: t for name, t in stored.items() if not name.endswith(SCALE)}
    state = {name: quantise.dequantised(t, scales[name]) if name in scales else t for name, t in kept.items()}
    return {name: t.float() if t.is_floating_point() else t for name, t in state.items()}


def integer_elements(data: bytes) -> tuple[int, int]:
    """Count the elements that an artifact's file holds as integers with a scale, and all that were floats."""
    stored = decompress(data)
    own = {name: t for name, t in stored.items() if not name.endswith(SCALE)}
    integers = sum(t.numel() for name, t in own.items() if name + SCALE in stored)
    kept = sum(t.numel() for name, t in own.items() if name + SCALE not in stored and t.is_floating_point())
    return integers, integers + kept


@contextmanager
def replaced(network: Network, state: dict[str, Tensor]) -> Iterator[None]:
    """The tensors of ``state`` in the network for the time of the block; then its own, bit for bit."""
    own = distinct(network)
    if own.keys() != state.keys() or any(own[name].shape != t.shape for name, t in state.items()):
        raise ValueError("the artifact is of another model: its tensors have other names or shapes than the network's")
    kept = {name: t.detach().clone() for name, t in own.items()}
    try:
        _assign(own, state)
        yield
    finally:
        _assign(own, kept)


@no_grad
def _assign(own: dict[str, Tensor], state: dict[str, Tensor]) -> None:
    import torch

    for name, t in own.items():
        t.copy_(state[name])
    torch.clear_autocast_cache()  # it holds casts of what was there before


def distinct(network: nn.Module) -> dict[str, Tensor]:
    """The state dict, without further names of one tensor."""
    first: dict[int, tuple[str, Tensor]] = {}
    for name, t in network.state_dict(keep_vars=True).items():
        first.setdefault(id(t), (name, t))
    return dict(first.values())


# --- bytes ------------------------------------------------------------------------------------------------------------


def compress(tensors: dict[str, Tensor], compressor: str) -> bytes:
    """A file of some tensors."""
    from safetensors import torch as safetensors

    body = safetensors.save(tensors)
    if compressor == "zlib":
        packed = zlib.compress(body, 9)
    elif compressor == "lzma":
        packed = lzma.compress(body, preset=9 | lzma.PRESET_EXTREME)
    else:
        packed = _codec(compressor).compress(body, asbytes=True)
    checksum = _checksum(COMPRESSORS.index(compressor), len(body), packed)
    return HEADER.pack(MAGIC, checksum, COMPRESSORS.index(compressor), len(body)) + packed


def decompress(data: bytes) -> dict[str, Tensor]:
    """The tensors of a file; a damaged file is a ValueError."""
    from safetensors import SafetensorError
    from safetensors import torch as safetensors

    if data[:4] != MAGIC or len(data) < HEADER.size:
        raise ValueError(f"this is no artifact: it begins with {data[:4]!r}, not with {MAGIC!r} and a header")
    _, checksum, number, size = HEADER.unpack_from(data)
    packed = data[HEADER.size :]
    if checksum != _checksum(number, size, packed):
        raise ValueError("the artifact is damaged: its checksum is not that of its content")
    try:
        return safetensors.load(_decompressed(packed, COMPRESSORS[number], size))
    except (SafetensorError, zlib.error, lzma.LZMAError, OSError, IndexError) as error:
        raise ValueError(f"the artifact cannot be read: {error}") from None


def _decompressed(packed: bytes, compressor: str, size: int) -> bytes:
    if compressor == "zlib":
        return zlib.decompress(packed)
    if compressor == "lzma":
        return lzma.decompress(packed)
    found: bytes = _codec(compressor).decompress(packed, decompressed_size=size, asbytes=True)
    return found


def _codec(name: str) -> Any:
    import pyarrow as pa  # here: it takes long to import, and most runs export nothing

    codec: Any = pa.Codec  # its type names every codec
    return codec(name, {"zstd": 22, "brotli": 11}[name])


def _checksum(number: int, size: int, packed: bytes) -> int:
    return zlib.crc32(packed, zlib.crc32(struct.pack("<BQ", number, size)))
