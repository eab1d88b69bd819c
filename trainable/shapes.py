"""Networks of shapes alone: built for the number, names and sizes of their parameters, without memory for the weights.

On PyTorch's meta device alone that loads its compiler, for operations that are written in Python there: 1.3 s of CPU
and 67 MiB in every process that counts parameters. So only what has the size of weights lies there, nothing is drawn
for it, and what is small (gains, tables of a rotary embedding) is computed as ever.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

Built = TypeVar("Built")
LARGE = ("empty", "rand", "randn", "randint", "randperm")  # functions of torch that make what is filled later, or drawn
SMALL = ("arange", "zeros", "ones", "full")  # those that make what is computed
LARGEST_SMALL = 2**18  # numbers in one of these: more is not computed here
FILLS = ("normal_", "uniform_", "bernoulli_", "exponential_", "log_normal_", "random_", "cauchy_", "geometric_")


class _TooLargeError(RuntimeError):
    """Signals that what would be computed takes memory itself."""


def shapes_of(build: Callable[[], Built]) -> Built:
    """Return what ``build`` makes, with weights that have no values. It may be called twice."""
    import torch
    from torch.overrides import TorchFunctionMode

    large, small = ({getattr(torch, name) for name in names} for names in (LARGE, SMALL))
    fills = {getattr(torch.Tensor, name) for name in FILLS}
    fills |= {function for name, function in vars(torch.nn.init).items() if name.endswith("_") and callable(function)}

    class ShapesOnly(TorchFunctionMode):
        def __torch_function__(
            self,
            function: Callable[..., Any],
            types: Sequence[type],
            given: Sequence[Any] = (),
            named: Mapping[str, Any] | None = None,
        ) -> Any:
            named = named or {}
            if function in large and named.get("device") is None:
                return function(*given, **{**named, "device": "meta"})
            if function in small and _numbers(function is torch.arange, given, named) > LARGEST_SMALL:
                raise _TooLargeError
            filled = next(iter(given), named.get("tensor"))
            if function in fills and isinstance(filled, torch.Tensor) and filled.is_meta:
                return filled
            return function(*given, **named)

    try:
        with ShapesOnly():
            return build()
    except RuntimeError:  # also where something is computed from weights and what is small, on two devices
        with torch.device("meta"):
            return build()


def _numbers(is_range: bool, given: Sequence[Any], named: Mapping[str, Any]) -> float:
    """Count the numbers, at most, in what a function makes: from the ends of a range, or from the sizes."""
    found = [*given, *(named[name] for name in ("size", "start", "end") if name in named)]
    if is_range:
        return max(map(float, found))
    sizes = found[0] if isinstance(found[0], Sequence) else [one for one in found if isinstance(one, int)]
    return math.prod(sizes)
