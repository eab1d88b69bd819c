"""The training curve of a run: numbers of its steps, kept where they are computed until a report is made.

A tensor among them stays on the device, so that recording waits for nothing; a report reads them all in one transfer.
A run has at most ``POINTS_OF_A_CURVE`` points (see thinning.py). They are part of its state: a resumed run has the
curve that it would have had. Recording reads losses, gradients and rates, and changes none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainable.no_grad import no_grad
from trainable.thinning import POINTS_OF_A_CURVE, Thinning

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.hooks.hook import Step
    from trainable.optimizers.update_rule import Group


@dataclass(frozen=True)
class Taken:
    """A step between its backward pass and what hooks and the update make of it."""

    step: Step
    loss: Tensor  # mean cross-entropy of its batch
    groups: Sequence[Group]
    tokens: int  # seen so far, its own included


@dataclass(frozen=True)
class Measure:
    """A number of a step."""

    name: str
    unit: str
    of: Callable[[Taken], Tensor | Mapping[str, float]]  # a mapping gives NAME.KEY for each of its keys


@no_grad
def gradient_norm(taken: Taken) -> Tensor:
    """The L2 norm of the gradient of all parameters together, in float32, as backward left it: before any clipping."""
    import torch

    found = [p.grad for p in taken.step.network.parameters() if p.grad is not None]
    whole = [g for g in found if g.dtype == torch.float32]
    norms = [*torch._foreach_norm(whole)] if whole else []
    norms += [torch.linalg.vector_norm(g, dtype=torch.float32) for g in found if g.dtype != torch.float32]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return norm


# One line each: a name that is added here is in the files, the frames and the pictures.
MEASURES = (
    Measure("loss", "nats/token", lambda taken: taken.loss),
    Measure("gradient_norm", "nats/token per unit of weight", gradient_norm),
    Measure(  # of each parameter group: its base rate times the schedule's multiplier
        "learning_rate", "factor", lambda taken: {g.name: g.lr * taken.step.multiplier for g in taken.groups}
    ),
)


class CurveRecorder:
    """The curve of one run so far."""

    def __init__(self) -> None:
        self.thinning = Thinning()
        self.steps: list[int] = []
        self.tokens: list[int] = []
        self.known: dict[str, list[float]] = {}  # numbers that the host has
        self.measured: Tensor | None = None  # (POINTS_OF_A_CURVE, names), on the device
        self.names: list[str] = []  # of its columns

    def add(self, taken: Taken) -> None:
        """Record a step, if it is one that is kept."""
        if self.thinning.keeps_next:
            if self.thinning.makes_room():
                self._halve()
            self._put(self.thinning.kept, _numbers(taken))
            self.steps.append(taken.step.index + 1)
            self.tokens.append(taken.tokens)
        self.thinning.seen += 1

    def _put(self, at: int, numbers: Mapping[str, Tensor | float]) -> None:
        import torch

        tensors = {name: number for name, number in numbers.items() if isinstance(number, torch.Tensor)}
        if self.measured is None:
            device = next(iter(tensors.values())).device
            self.measured, self.names = torch.zeros(POINTS_OF_A_CURVE, len(tensors), device=device), list(tensors)
        with torch.no_grad():
            self.measured[at] = torch.stack([tensors[name] for name in self.names])
        for name, number in numbers.items():
            if not isinstance(number, torch.Tensor):
                self.known.setdefault(name, []).append(number)

    def _halve(self) -> None:
        """Leave every second point out."""
        self.steps, self.tokens = self.steps[::2], self.tokens[::2]
        self.known = {name: numbers[::2] for name, numbers in self.known.items()}
        if self.measured is not None:
            self.measured[: POINTS_OF_A_CURVE // 2] = self.measured[::2].clone()

    def plain(self) -> dict[str, Any]:
        """The curve as numbers of Python: ``steps``, ``tokens``, and by name ``values`` and ``units``."""
        rows = [] if self.measured is None else self.measured[: len(self.steps)].tolist()
        values = dict(zip(self.names, map(list, zip(*rows, strict=True)), strict=True)) | self.known if rows else {}
        units = {m.name: m.unit for m in MEASURES}
        return {
            "steps": list(self.steps),
            "tokens": list(self.tokens),
            "values": {name: list(each) for name, each in values.items()},
            "units": {name: units[name.partition(".")[0]] for name in values},
        }

    def state_dict(self) -> dict[str, Any]:
        """Plain data, as a checkpoint holds it."""
        return {
            "seen": self.thinning.seen,
            "stride": self.thinning.stride,
            "steps": list(self.steps),
            "tokens": list(self.tokens),
            "known": {name: list(each) for name, each in self.known.items()},
            "names": list(self.names),
            "measured": None if self.measured is None else self.measured[: len(self.steps)],
        }

    def load_state_dict(self, state: dict[str, Any], device: str) -> None:
        """Go on with the curve of ``state``, on the run's device."""
        self.thinning = Thinning(state["seen"], state["stride"])
        self.steps, self.tokens, self.names = list(state["steps"]), list(state["tokens"]), list(state["names"])
        self.known = {name: list(each) for name, each in state["known"].items()}
        kept = state["measured"]
        self.measured = None
        if kept is not None:
            self.measured = kept.new_zeros(POINTS_OF_A_CURVE, len(self.names), device=device)
            self.measured[: len(kept)] = kept


def _numbers(taken: Taken) -> dict[str, Tensor | float]:
    found: dict[str, Tensor | float] = {}
    for measure in MEASURES:
        number = measure.of(taken)
        if isinstance(number, Mapping):
            found |= {f"{measure.name}.{key}": each for key, each in number.items()}
        else:
            found[measure.name] = number
    return found
