"""``torch.no_grad`` as a decorator for files that a config is read from: torch's own loads torch with the file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


def no_grad(function: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
    """The function outside of autograd's graph: it may change weights and gradients in place."""

    @functools.wraps(function)
    def without_graph(*arguments: Arguments.args, **named: Arguments.kwargs) -> Returned:
        import torch

        with torch.no_grad():
            return function(*arguments, **named)

    return without_graph
