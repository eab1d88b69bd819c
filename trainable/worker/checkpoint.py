"""Checkpoints as data: tensors in safetensors, everything else as JSON in its header. Nothing is ever unpickled.

Which of a trial are kept, and who may go on from which, is in ``attempt.py``.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from storage import files, inside
from storage.location import Location
from torch import Tensor

# 1 had no training curve; 2 no precision of Muon, and its tall matrices lay between the wide ones; 3 no monitors
VERSION = 4


def save(campaign: Location, name: str, state: dict[str, Any], key: str) -> None:
    """Write ``state`` for the trial ``key`` below the campaign's folder; the file appears whole or not at all.

    An OSError where it cannot be written; what is there stays.
    """
    tensors: dict[str, Tensor] = {}
    plain = json.dumps(_split(state, "", tensors))
    write_file(campaign, name, tensors, {"version": str(VERSION), "key": key, "plain": plain}, "checkpoint")


def load(path: Location, key: str) -> dict[str, Any]:
    """The state saved for the trial ``key``. A damaged file or one of another trial is a ValueError that names it.

    An OSError where an object store cannot be reached: that says nothing of the file.
    """
    plain, tensors = read_file(path, key, VERSION, "checkpoint")
    try:
        state: dict[str, Any] = _join(json.loads(plain), tensors)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:  # a checksum can be forged
        raise ValueError(f"checkpoint {path} is damaged: {error!r}") from None
    return state


def write_file(
    campaign: Location, name: str, tensors: Mapping[str, Tensor], header: Mapping[str, str], kind: str
) -> None:
    """Write tensors of the host below the campaign's folder, whole or not at all, with a checksum in their header.

    ``kind`` is what a message calls the file. An OSError where it cannot be written.
    """
    checked = {**header, "checksum": _checksum(header["plain"], tensors)}
    try:
        with inside.replacing(campaign, name) as temporary:
            save_file(dict(tensors), temporary, metadata=checked)
    except SafetensorError as error:  # it wraps what the system says
        raise OSError(f"{kind} {name} cannot be written: {error}") from None


def read_file(path: Location, key: str, version: int, kind: str) -> tuple[str, dict[str, Tensor]]:
    """The header's text and the tensors of a file of :func:`write_file`; errors as of :func:`load`."""
    try:
        with files.local_copy(path) as local, safe_open(local, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError) as error:
        if not isinstance(error, SafetensorError | FileNotFoundError) and not isinstance(path, Path):
            raise
        raise ValueError(f"{kind} {path} cannot be read: {error}") from None
    if header.get("version") != str(version):
        raise ValueError(f"{kind} {path} has version {header.get('version')!r} but must have {version}")
    if header.get("key") != key:
        raise ValueError(f"{kind} {path} belongs to trial {header.get('key')!r}, not to {key!r}")
    plain = header.get("plain", "")
    if header.get("checksum") != _checksum(plain, tensors):
        raise ValueError(f"{kind} {path} is damaged: its checksum is not that of its content")
    return plain, tensors


def _checksum(plain: str, tensors: Mapping[str, Tensor]) -> str:
    """CRC-32 of the text and the tensors' bytes: the format itself notices a cut, but not a changed byte."""
    crc = zlib.crc32(plain.encode())
    for name in sorted(tensors):
        crc = zlib.crc32(name.encode(), crc)
        crc = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, crc)
    return f"{crc:08x}"


def _split(node: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """``node`` with each tensor moved to ``tensors`` and replaced by a reference to it."""
    if isinstance(node, Tensor):
        assert path not in tensors, f"two tensors are called {path}"
        # cloned: safetensors refuses tensors that share memory
        tensors[path] = node.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(node, dict):
        return {"dict": {k: _split(v, f"{path}/{k}", tensors) for k, v in node.items()}}
    if isinstance(node, list | tuple):
        return [_split(v, f"{path}/{i}", tensors) for i, v in enumerate(node)]
    assert node is None or isinstance(node, bool | int | float | str), f"{path} is no plain data: {type(node)}"
    return node


def _join(node: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(node, dict):
        if "tensor" in node:
            return tensors[node["tensor"]]
        return {k: _join(v, tensors) for k, v in node["dict"].items()}
    if isinstance(node, list):
        return [_join(v, tensors) for v in node]
    return node
