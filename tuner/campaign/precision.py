"""Precision of a campaign: settled before its first trial by what its devices multiply, and the same in all its starts.

Numbers of runs in bf16 and in fp32 are of different computations. So one precision holds for all trials on all nodes,
stands in every config, and with it in the key where it is bf16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results.store.campaign_folder import Store
from terminal.counted import counted
from trainable.runtime import BF16, FP32
from tuner.question import PRECISION
from tuner.spec import BY_DEVICE

Multiply = Mapping[str, bool]  # host -> whether its GPUs multiply bfloat16 themselves; empty where there are none


@dataclass(frozen=True)
class Settled:
    """A campaign's precision, and a line about it for the plan; empty where a CPU computes in fp32 as usual."""

    precision: str | None  # None where it is a knob of the space
    line: str = ""


def settle(asked: str | None, of_space: str | None, found: Multiply, gpus_to_come: bool = False) -> Settled:
    """The precision of a new campaign; a ValueError where ``asked`` cannot be had on all nodes alike.

    Where nothing was asked it is that of the space's base, or else bf16 if every GPU multiplies it itself.
    """
    if asked not in (None, BY_DEVICE):
        assert asked is not None
        return _held(asked, "as asked", found, f"--precision {asked}")
    if of_space is not None:
        return _held(of_space, "as the space has it", found, f"the space's precision {of_space}")
    emulating = _emulating(found)
    if emulating:
        why = f"{_hosts(emulating)} would emulate bf16"
        return Settled(FP32, f"precision: fp32, as {why}")
    if found:
        return Settled(BF16, "precision: bf16, which all GPUs here multiply (--precision fp32 for exact products)")
    if gpus_to_come:
        return Settled(BF16, "precision: bf16, for GPUs to come from Ampere on (--precision fp32 for older ones)")
    return Settled(FP32)


def kept(store: Store, precision: str, found: Multiply) -> Settled:
    """The precision that a campaign goes on in; a ValueError where its nodes cannot compute it alike."""
    return _held(precision, "as the campaign began", found, f"campaign {store.folder.name!r} computes in {precision}")


def of_campaign(store: Store) -> str | None:
    """The precision that a campaign began with. Of an earlier version, which did not write it down, that of its rows.

    A ValueError where those are in bf16: their keys do not say so, and their tables were in bfloat16 too.
    """
    was: Mapping[str, Any] = store.campaign
    if PRECISION in was:
        return None if was[PRECISION] is None else str(was[PRECISION])
    if any(row["precision"] == BF16 for row in store.readable_trials()):
        raise ValueError(
            f"campaign {store.folder.name!r} was trained in bf16 by a version that kept other tables in it and "
            "wrote no precision down: start a new one"
        )
    return FP32


def _held(precision: str, why: str, found: Multiply, name: str) -> Settled:
    """A precision that is given, if all GPUs compute it in the same way."""
    emulating = _emulating(found)
    if precision == BF16 and emulating and len(emulating) < len(found):
        raise ValueError(
            f"{name}, but {_hosts(emulating)} would emulate bf16 and others multiply it: leave those nodes out, or "
            "begin a campaign with --precision fp32"
        )
    if precision == FP32:
        return Settled(FP32, f"precision: fp32, {why}" if found else "")
    native = found and not emulating
    return Settled(BF16, f"precision: bf16, {why}" + ("" if native else ", which is emulated here: slower than fp32"))


def _emulating(found: Multiply) -> list[str]:
    return sorted(host for host, multiplies in found.items() if not multiplies)


def _hosts(hosts: list[str]) -> str:
    """Name the hosts, or the first of many."""
    return f"{hosts[0]} and {counted(len(hosts) - 1, 'more node')}" if len(hosts) > 1 else hosts[0]
