"""Matrices of one shape as one tensor (n, rows, columns), those that are its transposes among them.

An update is then a few operations on the whole, not some on each matrix: on small models, and on accelerators above
all, a loop over matrices spends its time on launches, not on arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.optimizers.update_rule import dtype_of_moments, gradients

if TYPE_CHECKING:
    from torch import Tensor, nn

CACHED_NUMBERS = 2**18  # in the matrices that a CPU treats at once


@dataclass(frozen=True)
class Stack:
    """Matrices that lie in a tensor as (n, shorter side, longer side): the wide ones first, then the tall ones turned.

    So Gram matrices are built on the short side.
    """

    wide: list[nn.Parameter]  # rows <= columns
    tall: list[nn.Parameter]

    @property
    def members(self) -> list[nn.Parameter]:
        return self.wide + self.tall

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, shorter side, longer side)."""
        return len(self.members), *wide_shape(self.members[0])

    def zeros(self) -> Tensor:
        """Make the momentum of all members, before the first update."""
        first = self.members[0]
        return first.new_zeros(self.shape, dtype=dtype_of_moments(first))

    def parts(self) -> Iterator[tuple[Stack, slice]]:
        """Cut into pieces that are treated at once, with the place of each: the whole, but on a CPU by its cache."""
        members, size = self.members, at_once(self.members)
        for i in range(0, len(members), size):
            j = i + size
            split = len(self.wide)
            yield Stack(self.wide[i:j], self.tall[max(0, i - split) : max(0, j - split)]), slice(i, j)

    def gradients(self) -> Tensor:
        """Copy the gradients into one tensor, of the momentum's type."""
        import torch

        first = self.members[0]
        whole = first.new_empty(self.shape, dtype=dtype_of_moments(first))
        for members, place in self.halves(whole):
            torch.stack(gradients(members), out=place)
        return whole

    def halves(self, whole: Tensor) -> Iterator[tuple[list[Tensor], Tensor]]:
        """The wide and the tall members, where there are any, each with their part of ``whole`` in their own shape."""
        split = len(self.wide)
        if self.wide:
            yield [*self.wide], whole[:split]
        if self.tall:
            yield [*self.tall], whole[split:].mT

    def changes(self, directions: Tensor) -> Iterator[tuple[list[Tensor], Tensor]]:
        """The halves of ``directions``, contiguous and of the members' type, as one operation on all of them needs."""
        directions = directions.to(self.members[0].dtype)
        for members, part in self.halves(directions):
            yield members, part.contiguous()


def stacks(parameters: Sequence[nn.Parameter]) -> list[Stack]:
    """The matrices grouped by shape, a matrix and its transpose alike; groups in order of first appearance."""
    found: dict[tuple[int, int], Stack] = {}
    for p in parameters:
        assert p.ndim == 2, f"Muon is for matrices, not for shape {tuple(p.shape)}"
        stack = found.setdefault(wide_shape(p), Stack([], []))
        (stack.tall if p.shape[0] > p.shape[1] else stack.wide).append(p)
    return list(found.values())


def at_once(members: Sequence[Tensor]) -> int:
    """Return how many matrices to treat together: all of them, but on a CPU no more than its cache holds."""
    on_cpu = members[0].device.type == "cpu"
    return max(1, CACHED_NUMBERS // members[0].numel()) if on_cpu else len(members)


def wide_shape(matrix: Tensor) -> tuple[int, int]:
    """(shorter side, longer side)."""
    rows, columns = matrix.shape
    return min(rows, columns), max(rows, columns)
