"""The files of the reference of knobs, and which component stands in which of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from trainable.component import Component
from trainable.config import TrainConfig
from trainable.data.sources import DOWNLOADED

from search_spaces.reference.places import Classes, addresses, product_components

PROJECT = Path(__file__).parents[2]
COMMAND = "python -m search_spaces.reference --write docs"
GENERATED = f"*Written by `{COMMAND}` from the code; a test holds that it is current.*"


@dataclass(frozen=True)
class Page:
    """A file of the reference, and the modules whose components stand in it."""

    file: str
    title: str
    about: str
    modules: tuple[str, ...]  # the starts of their names

    @property
    def members(self) -> Classes:
        """Its components: the config itself first, then by kind, each kind in the order of its names."""
        mine = [cls for cls in product_components() if page_of(cls) is self]
        kinds = list(dict.fromkeys(cls.kind for cls in sorted(mine, key=_outermost)))
        return tuple(sorted(mine, key=lambda cls: (kinds.index(cls.kind), cls.__name__)))


PAGES = (
    Page(
        "training.md",
        "The run: data, budget, evaluation, seed",
        f"The fields of a config, and its parts that are no tricks. Data sets by name: {', '.join(DOWNLOADED)}.",
        ("trainable.config", "trainable.data.", "trainable.evaluation.", "trainable.target"),
    ),
    Page(
        "models.md",
        "Models",
        "A model's wiring and sizes.",
        tuple(f"trainable.models.{name}" for name in ("blueberry", "gpt", "gpt2", "nanochat", "ngpt")),
    ),
    Page(
        "model_parts.md",
        "Parts of models",
        "What is swapped in one place of a model, or added to it.",
        ("trainable.models.",),
    ),
    Page(
        "optimizers.md",
        "Optimizers",
        "Optimizers, the update rules that they give to groups of weights, and how Muon orthogonalises.",
        ("trainable.optimizers.",),
    ),
    Page(
        "schedules.md",
        "Schedules",
        "Learning-rate schedules, and those that combine others.",
        ("trainable.schedules.",),
    ),
    Page("losses.md", "Loss terms", "Terms added to the cross-entropy, in training only.", ("trainable.losses.",)),
    Page("hooks.md", "Hooks", "Tricks on batches, gradients and weights.", ("trainable.hooks.",)),
)


def page_of(cls: type[Component]) -> Page:
    """The page of a component."""
    found = [page for page in PAGES if any(_is_in(cls.__module__, module) for module in page.modules)]
    assert found, f"no page of the reference takes {cls.__module__}"
    return found[0]


def _is_in(module: str, start: str) -> bool:
    return module.startswith(start) if start.endswith(".") else module == start


def _outermost(cls: type[Component]) -> tuple[int, int, str]:
    """Sorts the config first, then what stands in its own fields, in their order."""
    if cls is TrainConfig:
        return (-1, 0, cls.kind)
    tops = [f.name for f in dataclasses.fields(TrainConfig)]
    place = addresses()[cls.__name__][0]
    depth = place.path.count(".") - place.member
    return (depth, tops.index(place.path.partition(".")[0]) if depth == 0 else 0, cls.kind)
