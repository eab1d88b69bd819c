"""Points of a curve: numbers of some steps, kept where they are computed until somebody reads the curve.

A number on the device is written into one table there, which waits for nothing and is read in one transfer. A point
need not have all numbers: one that a step did not measure is absent there, and never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainable.thinning import Thinning

if TYPE_CHECKING:
    from torch import Tensor

Numbers = Mapping[str, "Tensor | float"]  # name -> a number of the host, or a tensor of one number


class Points:
    """The points of one series so far, thinned."""

    def __init__(self, thinning: Thinning) -> None:
        self.thinning = thinning
        self.steps: list[int] = []
        self.tokens: list[int] = []
        self.known: dict[str, list[float | None]] = {}  # numbers that the host has; None at points without
        self.layouts: list[list[str]] = []  # each collection of names that a point has on the device
        self.layout_of: list[int] = []  # of each point
        self.columns: list[str] = []
        self.measured: Tensor | None = None  # (points at most, columns), on the device

    def put(self, step: int, tokens: int, numbers: Numbers) -> None:
        """Add the point that is kept next; where there are as many as may be, every second one goes first."""
        import torch

        assert self.thinning.keeps_next
        if self.thinning.makes_room():
            self._halve()
        tensors = {name: number for name, number in numbers.items() if isinstance(number, torch.Tensor)}
        at = self.thinning.kept
        self._write(at, tensors)
        for name, number in numbers.items():
            if name not in tensors:
                self.known.setdefault(name, [None] * at).append(float(number))
        for column in self.known.values():
            column.extend([None] * (at + 1 - len(column)))
        self.steps.append(step)
        self.tokens.append(tokens)

    def _write(self, at: int, tensors: Mapping[str, Tensor]) -> None:
        import torch

        layout = list(tensors)
        if layout not in self.layouts:
            self.layouts.append(layout)
        self.layout_of.append(self.layouts.index(layout))
        if not tensors:
            return
        device = next(iter(tensors.values())).device
        if self.measured is None:
            self.measured = torch.zeros(self.thinning.most, 0, device=device)
        if new := [name for name in layout if name not in self.columns]:
            more = self.measured.new_zeros(self.thinning.most, len(new))
            self.measured, self.columns = torch.cat([self.measured, more], 1), [*self.columns, *new]
        with torch.no_grad():
            row = torch.stack([number.detach().float().reshape(()) for number in tensors.values()])
            if layout == self.columns:
                self.measured[at] = row
            else:
                for place, name in enumerate(layout):
                    self.measured[at, self.columns.index(name)] = row[place]

    def _halve(self) -> None:
        """Leave every second point out."""
        self.steps, self.tokens, self.layout_of = self.steps[::2], self.tokens[::2], self.layout_of[::2]
        self.known = {name: numbers[::2] for name, numbers in self.known.items()}
        if self.measured is not None:
            kept = self.measured[::2].clone()
            self.measured[: len(kept)] = kept

    def values(self) -> dict[str, tuple[Sequence[int], Sequence[float]]]:
        """The steps at which each name was measured, and its numbers there; one transfer from the device."""
        rows = [] if self.measured is None else self.measured[: len(self.steps)].tolist()
        by_name: dict[str, list[float | None]] = {}
        for place, name in enumerate(self.columns):
            has = [name in layout for layout in self.layouts]
            by_name[name] = [row[place] if has[of] else None for row, of in zip(rows, self.layout_of, strict=True)]
        for name, numbers in self.known.items():
            there = by_name.get(name, [None] * len(numbers))
            by_name[name] = [d if n is None else n for n, d in zip(numbers, there, strict=True)]
        found: dict[str, tuple[Sequence[int], Sequence[float]]] = {}
        for name, numbers in by_name.items():
            pairs = [(step, number) for step, number in zip(self.steps, numbers, strict=True) if number is not None]
            found[name] = ([step for step, _ in pairs], [number for _, number in pairs])
        return found

    def state_dict(self) -> dict[str, Any]:
        """Plain data, as a checkpoint holds it."""
        return {
            "seen": self.thinning.seen,
            "stride": self.thinning.stride,
            "steps": list(self.steps),
            "tokens": list(self.tokens),
            "known": {name: list(each) for name, each in self.known.items()},
            "layouts": [list(layout) for layout in self.layouts],
            "layout_of": list(self.layout_of),
            "columns": list(self.columns),
            "measured": None if self.measured is None else self.measured[: len(self.steps)],
        }

    def load_state_dict(self, state: dict[str, Any], device: str) -> None:
        """Go on with the points of ``state``, on the run's device."""
        self.thinning = Thinning(state["seen"], state["stride"], self.thinning.most)
        self.steps, self.tokens = list(state["steps"]), list(state["tokens"])
        self.known = {name: list(each) for name, each in state["known"].items()}
        self.layouts = [list(layout) for layout in state["layouts"]]
        self.layout_of, self.columns = list(state["layout_of"]), list(state["columns"])
        kept = state["measured"]
        self.measured = None
        if kept is not None:
            self.measured = kept.new_zeros(self.thinning.most, len(self.columns), device=device)
            self.measured[: len(kept)] = kept
