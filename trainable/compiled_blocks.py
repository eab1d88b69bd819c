"""Compilation of a network as a whole, or of each kind of its blocks once.

As a whole it is one graph, which takes longer to compile, the deeper the network is. By blocks one graph serves all
blocks that compute alike, with their weights as its inputs, and another what comes after the blocks (torch's recipe of
regional compilation). Between them torch runs as without a compiler, and the host makes a call for each block.
``torch.compiler.nested_compile_region``, which would keep one graph, was tried with torch 2.13 and left: it took a
block that is given the stem twice for one that is given it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from trainable.networks.network import Network

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

# torch keeps 8 graphs of one function and then fails; a process that trains many trials needs one for each structure.
GRAPHS = 1_000_000


@contextmanager
def many_graphs() -> Iterator[None]:
    """Keep the graphs of all trials of this process, for what is compiled inside the block."""
    from torch._dynamo import config as dynamo  # takes a second to load, which only those who compile have to spend

    with dynamo.patch(recompile_limit=GRAPHS, accumulated_recompile_limit=GRAPHS):
        yield


def with_many_graphs(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """The function within ``many_graphs``: for one in which parts are compiled when they are first called."""

    @wraps(function)
    def called(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        with many_graphs():
            return function(*args, **kwargs)

    return called


def compiled_whole(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """The function as one graph."""
    import torch

    compiled: Callable[Given, Returned] = torch.compile(function, fullgraph=True, dynamic=False)
    return compiled


def compile_blocks(network: Network) -> None:
    """Let each block of a network be a graph, one for all that compute alike."""
    for block in network.blocks:
        block.compile(fullgraph=True, dynamic=False)
