"""Rules of width: how a searched rate moves when the model gets wider or narrower, as muP has it.

Under Adam, an output matrix moves each logit by about rate x width a step, so that its best rate falls as the model
gets wider (Yang et al. 2022, arXiv:2203.03466). A space says which of its knobs follow such a rule, and how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from trainable.component_paths import get_value
from trainable.config import TrainConfig

from search_spaces.domains import Domain, Uniform
from search_spaces.field_types import check_types


@dataclass(frozen=True)
class WidthRules:
    """Exponents of width: at ``n`` times the width, a knob's value is ``n ** exponent`` times what it was."""

    width: str = "model.model_dim"  # path of the model's width
    exponents: Mapping[str, float] = field(default_factory=dict)  # path of a knob -> exponent; -1: rate x width stays

    def __post_init__(self) -> None:
        mapping = (self.exponents, Mapping, "a mapping from paths of knobs to exponents")
        check_types("a rule of width", {"path of the width": (self.width, str, "text"), "exponents": mapping})
        for path, exponent in self.exponents.items():
            check_types(f"the rule of width of {path!r}", {"exponent": (exponent, int | float, "a number")})

    def factors(self, here: TrainConfig, there: TrainConfig) -> dict[str, float]:
        """Factor of each knob that a rule moves on the way from the width of ``here`` to that of ``there``."""
        ratio = get_value(there, self.width) / get_value(here, self.width)
        return {} if ratio == 1 else {path: float(ratio**exponent) for path, exponent in self.exponents.items()}


def check_rule(owner: str, path: str, domain: Domain) -> None:
    """Raise a ValueError unless a knob's values can be moved by a factor."""
    if not isinstance(domain, Uniform):
        raise ValueError(f"{owner}: {path} has a rule of width, which is for a Uniform or a LogUniform, not {domain}")


def with_moved(domain: Domain, factor: float) -> Domain:
    """The range that holds a knob's values as they are, and those that come of them times ``factor``."""
    assert isinstance(domain, Uniform), "check_rule"
    ends = (domain.low, domain.high, domain.low * factor, domain.high * factor)
    return replace(domain, low=min(ends), high=max(ends))
