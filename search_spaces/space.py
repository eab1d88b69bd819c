"""A search space: base configs at two scales, knobs with ranges and conditions, an objective.

A knob's path is its name everywhere. A knob that would be inert under the values of others has a condition and is not
sampled then, so that no trial differs from another in name only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from terminal.nearest import nearest
from terminal.type_words import as_set
from trainable.component import Component, concrete
from trainable.component_paths import NOT_THERE, get_value, get_value_if_there, with_value, with_values
from trainable.config import TrainConfig
from trainable.training import Training

from search_spaces.constraints import Constraint
from search_spaces.domains import Choice, Domain, Value
from search_spaces.field_types import check_member_types, check_types
from search_spaces.objectives import COSTS, JUDGED_ON_THE_WAY, OBJECTIVES
from search_spaces.width import WidthRules, check_rule

T = TypeVar("T", bound=Training)


@dataclass(frozen=True)
class Knob:
    """One dimension: where it is, what it may be, and under which values of other knobs it does anything."""

    path: str
    domain: Domain
    why: str  # where the range comes from
    when: Mapping[str, tuple[Value, ...]] | None = (
        None  # path of an earlier knob -> the labels under which this one is live
    )
    likely: Domain | None = None  # the part of the domain where those who know would look first (likely.py)

    def __post_init__(self) -> None:
        check_types("a knob", {"path": (self.path, str, "text")})
        domains = "a domain: Uniform, LogUniform, Integer, LogInteger or Choice"
        fields = {
            "domain": (self.domain, Domain, domains),
            "reason": (self.why, str, "text"),
            "condition": (self.when, Mapping | None, "a mapping from paths of knobs to tuples of labels, or None"),
            "likely part": (self.likely, Domain | None, f"{domains}, or None"),
        }
        check_types(f"the knob {self.path!r}", fields)
        labels = (self.when or {}).values()  # a text would be taken for its letters
        check_member_types(f"the knob {self.path!r}", "labels of conditions", labels, tuple | list, "a tuple")


@dataclass(frozen=True)
class Scale:
    """A size of the same question."""

    base: TrainConfig
    trials: int  # how many trials a search runs unless told otherwise
    about: str
    # For recorded runs, whose values are full-size: path -> value at full size -> value here. See recorded.py.
    sizes: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    # The same for rates, which have one rule for all values: path -> value here / value at full size.
    factors: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fields = {
            "base": (self.base, TrainConfig, "a TrainConfig"),
            "number of trials": (self.trials, int, "a whole number of at least 1"),
            "description": (self.about, str, "text"),
            "sizes": (self.sizes, Mapping, "a mapping from paths to values"),
            "factors": (self.factors, Mapping, "a mapping from paths to numbers"),
        }
        check_types("a scale", fields)
        if self.trials < 1:
            raise ValueError(f"a scale has the number of trials {self.trials}, which must be at least 1")


@dataclass(frozen=True)
class Space:
    """Space of a search: its question, scales and knobs."""

    name: str
    question: str
    objective: str
    scales: Mapping[str, Scale]
    knobs: tuple[Knob, ...]
    second_objective: str | None = None  # minimised too: a search then looks for the Pareto front of the two
    constraints: tuple[Constraint, ...] = ()
    width_rules: WidthRules = WidthRules()  # what becomes of searched rates at another scale's width

    def __post_init__(self) -> None:
        self.check_fields()
        self.check_objectives()
        seen: list[str] = []
        for knob in self.knobs:
            if knob.path in seen:
                raise ValueError(f"space {self.name}: the knob {knob.path} stands twice")
            for condition in knob.when or {}:
                if condition not in seen:
                    where = f"space {self.name}: {knob.path} depends on {condition}"
                    raise ValueError(f"{where}, which must be a knob that comes before it")
            if knob.path in self.width_rules.exponents:
                check_rule(f"space {self.name}", knob.path, knob.domain)
            for value in _bounds(knob.likely):
                if value not in knob.domain:
                    where = f"space {self.name}: {knob.path} is likely {as_set(value)}"
                    raise ValueError(f"{where}, which is not in {knob.domain}")
            seen.append(knob.path)

    def check_fields(self) -> None:
        """Hold that every field is of its type; a ValueError names the first that is not."""
        several = "a tuple"
        check_types("a space", {"name": (self.name, str, "text")})
        fields = {
            "question": (self.question, str, "text"),
            "objective": (self.objective, str, "text"),
            "second objective": (self.second_objective, str | None, "text or None"),
            "scales": (self.scales, Mapping, "a mapping from names to Scales"),
            "knobs": (self.knobs, tuple | list, several),
            "constraints": (self.constraints, tuple | list, several),
            "rules of width": (self.width_rules, WidthRules, "WidthRules"),
        }
        owner = f"space {self.name}"
        check_types(owner, fields)
        check_member_types(owner, "names of scales", self.scales, str, "text")
        check_member_types(owner, "scales", self.scales.values(), Scale, "Scales")
        check_member_types(owner, "knobs", self.knobs, Knob, "Knobs")

    def check_objectives(self) -> None:
        """Hold that what is minimised is a number of a report; a ValueError names the nearest where it is none."""
        if self.objective not in OBJECTIVES:
            near = nearest(self.objective, OBJECTIVES, "objectives")
            raise ValueError(f"space {self.name} has the objective {self.objective!r}: {near}")
        if self.second_objective not in (None, *OBJECTIVES, *COSTS):
            near = nearest(str(self.second_objective), {*OBJECTIVES, *COSTS}, "objectives")
            raise ValueError(f"space {self.name} has the second objective {self.second_objective!r}: {near}")

    @property
    def measured_on_the_way(self) -> bool:
        """Tell whether trials can be stopped early: a rung needs the objective before the end, and judges by one alone.

        Of two objectives, a trial that is behind in the first may be ahead in the second.
        """
        return self.objective in JUDGED_ON_THE_WAY and self.second_objective is None

    @property
    def objectives(self) -> tuple[str, ...]:
        """Name what is minimised: one name or two."""
        return (self.objective,) if self.second_objective is None else (self.objective, self.second_objective)

    def scale(self, name: str) -> Scale:
        """The scale called ``name``; a ValueError with the nearest name where there is none."""
        if name not in self.scales:
            raise ValueError(f"space {self.name} has no scale {name!r}: {nearest(name, self.scales, 'scales')}")
        return self.scales[name]

    def knob(self, path: str) -> Knob:
        for knob in self.knobs:
            if knob.path == path:
                return knob
        raise ValueError(
            f"space {self.name} has no knob {path!r}: {nearest(path, [k.path for k in self.knobs], 'knobs')}"
        )

    def fixed(self, base: TrainConfig, overrides: Mapping[str, Any]) -> tuple[TrainConfig, Space]:
        """The base with ``overrides`` set for the whole campaign, and the space without the knobs they settle.

        A knob that goes is one that was set, whose condition can no longer hold, or that a component which was set does
        not have (:meth:`without_place`). A value set inside a component that is itself sampled goes into every option
        that has it: ``schedule.min_lr_frac=0.2`` holds for all schedules with a floor.
        """
        new = with_values(base, overrides)
        homeless, kept = self.without_place(new, overrides), list[Knob]()
        for knob in self.knobs:
            if knob.path in homeless:
                continue
            parents, when = {k.path for k in kept}, knob.when or {}
            dead = any(p not in parents and label_at(new, self.knob(p)) not in labels for p, labels in when.items())
            if knob.path not in overrides and not dead:
                live = {p: labels for p, labels in when.items() if p in parents}
                inside = {
                    p.removeprefix(f"{knob.path}."): v for p, v in overrides.items() if p.startswith(f"{knob.path}.")
                }
                kept.append(replace(knob, domain=_with_inside(knob.domain, inside), when=live or None))
        return new, replace(self, knobs=tuple(kept))

    def without_place(self, config: TrainConfig, overrides: Mapping[str, Any]) -> dict[str, str]:
        """Path of each knob that a component of ``overrides`` does not have in ``config`` -> name of that component.

        A knob is not among them whose condition names the component: its space says itself where it does nothing.
        """
        found = {}
        for knob in self.knobs:
            parents = [path for path in overrides if knob.path.startswith(f"{path}.")]
            said = any(path in (knob.when or {}) for path in parents)
            if parents and not said and not _has(config, knob.path):
                found[knob.path] = type(get_value(config, max(parents, key=len))).__name__
        return found

    def active(self, knob: Knob, values: Mapping[str, Value]) -> bool:
        """Tell whether ``knob`` does anything under ``values``, which hold the knobs that come before it."""
        return not knob.when or all(path in values and values[path] in labels for path, labels in knob.when.items())

    def values_of(self, config: Training) -> dict[str, Value]:
        """A config as values of the active knobs: the inverse of :meth:`config`."""
        assert isinstance(config, TrainConfig), "of a space of its own: own_train.py"
        values: dict[str, Value] = {}
        for knob in self.knobs:
            if self.active(knob, values):
                values[knob.path] = label_at(config, knob)
        return values

    def config(self, base: T, values: Mapping[str, Value]) -> T:
        """The base with ``values`` set, labels of choices standing for what they name.

        A ValueError for an unknown knob, a value outside its domain, or a result that is no valid run.
        """
        assert isinstance(base, TrainConfig), "of a space of its own: own_train.py"
        changes: dict[str, Any] = {}
        for knob in self.knobs:  # in the space's order, so that a component's choice is known before its fields
            if knob.path in values:
                label = values[knob.path]
                if label not in knob.domain:
                    raise ValueError(f"{knob.path} is {as_set(label)} but must be in {knob.domain}")
                untouched = not any(knob.path.startswith(f"{path}.") for path in changes)
                if not (untouched and label_at(base, knob) == label):
                    changes[knob.path] = knob.domain.options[label] if isinstance(knob.domain, Choice) else label
        if unknown := values.keys() - {knob.path for knob in self.knobs}:
            self.knob(min(unknown))  # raises: the space has no such knob
        return with_values(base, changes)

    def column_types(self) -> dict[str, str]:
        """Path -> type of the column that holds a knob's sampled values in the results."""
        return {knob.path: knob.domain.column_type for knob in self.knobs}


def label_at(config: TrainConfig, knob: Knob) -> Value:
    """The value of a knob in a config, as its domain would label it."""
    value = _value_or_neutral(config, knob.path)
    if isinstance(knob.domain, Choice):
        for label, option in knob.domain.options.items():
            if type(option) is type(value) and option == value:
                return label
    if isinstance(value, Component):
        return type(value).__name__
    return value  # type: ignore[no-any-return]


def _value_or_neutral(config: TrainConfig, path: str) -> Any:
    """The value at ``path``; that of the neutral setting where a tuple lacks the component."""
    found = get_value_if_there(config, path)
    return get_value(with_neutral(config, path), path) if found is NOT_THERE else found


def _has(config: TrainConfig, path: str) -> bool:
    try:
        _value_or_neutral(config, path)
    except ValueError:
        return False
    return True


def with_neutral(config: TrainConfig, path: str) -> TrainConfig:
    """``config`` with the component that ``path`` addresses in a tuple there, at its neutral setting if it was not."""
    names = path.split(".")
    for i in range(1, len(names)):
        holder = get_value(config, ".".join(names[:i]))
        if isinstance(holder, tuple) and names[i] not in [type(member).__name__ for member in holder]:
            neutral = neutral_component(names[i])
            return with_value(config, ".".join(names[: i + 1]), neutral)
    return config


def neutral_component(name: str) -> Component:
    """The trick called ``name`` at its neutral setting."""
    known = concrete(name)
    assert known is not None, f"there is no component {name}"
    neutral = known.neutral()
    assert neutral is not None, f"{name} has no neutral setting"
    return neutral


def _with_inside(domain: Domain, values: Mapping[str, Any]) -> Domain:
    """A choice of components with ``values`` set in each option that has such fields."""
    if not values or not isinstance(domain, Choice):
        return domain
    options: dict[Value, Any] = {}
    for label, option in domain.options.items():
        here = {p: v for p, v in values.items() if p.partition(".")[0] in {f.name for f in fields(option)}}
        options[label] = with_values(option, here)
    return Choice.of(options)


def _bounds(domain: Domain | None) -> Sequence[Value]:
    """The values that show whether a domain lies within another: all of a choice, else the ends."""
    if domain is None:
        return ()
    return domain.labels if isinstance(domain, Choice) else (domain.low, domain.high)
