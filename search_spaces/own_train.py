"""The space of a user's own train function: flat names with a domain each, and a config that is a mapping of them.

Nothing is known of what the function computes, so no knob is audited, none has a condition, and the objective is
whatever the function reports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from terminal.nearest import nearest
from terminal.number import number
from terminal.short import shortened
from terminal.type_words import as_set
from trainable.component_json import fingerprint
from trainable.config import Budget
from trainable.ranges import MOST_COUNT
from trainable.training import Training

from search_spaces.domains import Choice, Domain, Integer, LogInteger, LogUniform, Uniform, Value
from search_spaces.plain import plain_value
from search_spaces.space import Knob, Space

HANDED_IN = ("seed", "steps")  # names in a config that are not the space's
LARGEST = 1e100  # a number that a row may hold (results/store/validate.py)
LARGEST_WHOLE = 2**53  # beyond it samplers and pandas round
MOST_NAMES = 1000  # what campaign.json may hold (results/store/campaign_json.py), as the next one
MOST_TEXT = 100_000  # characters of a domain, which has each option twice
OWN = "OwnConfig"  # the type of such a config in a row
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
T = TypeVar("T", bound=Training)


@dataclass(frozen=True)
class OwnConfig:
    """The config of one training by a user's function: name -> value, a budget in steps and a seed."""

    values: Mapping[str, Value]
    budget: Budget
    seed: int

    def key(self, data_fingerprint: str) -> str:
        """The training's identity: the hash of values, budget, seed and the function's fingerprint, for the data's."""
        return fingerprint({**self.to_json(), "train": data_fingerprint})

    def to_json(self) -> dict[str, Any]:
        """Convert it to what a row keeps."""
        return {"type": OWN, "values": dict(self.values), "steps": self.budget.steps, "seed": self.seed}

    def handed_in(self) -> dict[str, Any]:
        """The mapping that the function gets."""
        return {**self.values, "seed": self.seed, "steps": self.budget.steps}


def of_json(found: Any) -> OwnConfig:
    """The inverse of :meth:`OwnConfig.to_json`; a ValueError for anything else."""
    if not isinstance(found, dict) or found.get("type") != OWN or found.keys() != {"type", "values", "steps", "seed"}:
        raise ValueError("it is none of a train function of the user's own")
    values, steps, seed = found["values"], found["steps"], found["seed"]
    if not isinstance(values, dict) or not all(v is None or isinstance(v, str | int | float) for v in values.values()):
        raise ValueError(f"its values are {json.dumps(values)[:80]} but must be numbers, texts or truth values")
    for name, number_of in (("seed", seed), ("steps", steps)):
        if isinstance(number_of, bool) or not isinstance(number_of, int):
            raise ValueError(f"its {name} is {number_of!r} but must be a whole number")
    return OwnConfig(values, Budget(steps=steps), seed)


@dataclass(frozen=True)
class OwnSpace(Space):
    """Space of a campaign with a user's own function. It has no scales: the base is given with it."""

    def check_objectives(self) -> None:
        """Accept any objective: it is the function's."""

    @property
    def measured_on_the_way(self) -> bool:
        return True

    def config(self, base: T, values: Mapping[str, Value]) -> T:
        for path, value in values.items():
            if value not in self.knob(path).domain:
                raise ValueError(f"{path} is {as_set(value)} but must be in {self.knob(path).domain}")
        assert isinstance(base, OwnConfig)
        return replace(base, values={**base.values, **values})

    def values_of(self, config: Training) -> dict[str, Value]:
        assert isinstance(config, OwnConfig)
        if config.values.keys() != {knob.path for knob in self.knobs}:
            raise ValueError(f"it has {', '.join(config.values)}, which are not the names of the space")
        return {knob.path: config.values[knob.path] for knob in self.knobs}


def own_space(
    name: str, domains: Mapping[str, Any], base: Mapping[str, Any], steps: int, seed: int, objective: str
) -> tuple[OwnSpace, OwnConfig]:
    """The space and the base config of name -> domain and name -> value; a ValueError for what cannot be searched.

    A domain is one of ``search_spaces.domains``, a list of options, or text: ``"0.001..0.1 log"``, ``"8..64"`` (whole
    numbers where the base is one), ``"relu|gelu"``.
    """
    if not isinstance(domains, Mapping) or not domains:
        rule = "must be a mapping from names to domains, with at least one"
        raise ValueError(f"space is {shortened(domains)} but {rule}")
    if not isinstance(base, Mapping):
        rule = "must be a mapping from the names of the space to values"
        raise ValueError(f"base is {shortened(base)} but {rule}")
    domains, base = ({plain_value(knob): each for knob, each in given.items()} for given in (domains, base))
    if len(domains) > MOST_NAMES:
        raise ValueError(f"the space has {len(domains):,} names but may have at most {MOST_NAMES:,}")
    for knob in domains:
        _check_name(knob)
    for given in base:
        if given not in domains:
            near = nearest(str(given), domains, "names")
            raise ValueError(f"base has {shortened(given)}, which the space has not: {near}")
    steps = plain_value(steps)
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_COUNT:
        raise ValueError(f"steps is {shortened(steps)} but must be a whole number in 1..{MOST_COUNT}")
    knobs, values = [], {}
    for knob, domain in domains.items():
        if knob not in base:
            raise ValueError(f"base has no value for {knob!r}: every name of the space needs one")
        value = plain_value(base[knob])
        read = _domain(knob, domain, value)
        values[knob] = _in_domain(knob, value, read)
        knobs.append(Knob(knob, read, "given to tuner.tune"))
    question = f"Which config of {name} gives the lowest {objective}?"
    return OwnSpace(name, question, objective, {}, tuple(knobs)), OwnConfig(values, Budget(steps=steps), seed)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        rule = "must be text of letters, digits, '_' and '.', at most 100"
        raise ValueError(f"the space's name {shortened(name)} {rule}")
    if name in HANDED_IN:
        raise ValueError(f"the space must not have {name!r}: the config that train gets has the campaign's there")


def _in_domain(name: str, value: Any, domain: Domain) -> Value:
    if isinstance(domain, Uniform) and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        value = float(value)
    if value not in domain:
        raise ValueError(f"base: {name} is {shortened(value)} but must be in {domain}")
    found: Value = value
    return found


def _domain(name: str, given: Any, base: Any) -> Domain:
    if isinstance(given, Uniform | Integer):
        return given
    try:
        if isinstance(given, Choice):
            return _checked_choice(given)
        if isinstance(given, list | tuple):
            return _checked_choice(Choice(*_options(given)))
        if isinstance(given, str) and ".." in given:
            return _range(given, whole=isinstance(base, int) and not isinstance(base, bool))
        if isinstance(given, str) and "|" in given:
            return _checked_choice(Choice(*map(_option, given.split("|"))))
    except (ValueError, TypeError) as error:
        raise ValueError(f"space: {name} is {shortened(given)}: {error}") from None
    rule = "must be LOW..HIGH, LOW..HIGH log, A|B, a list or a domain"
    raise ValueError(f"space: {name} is {shortened(given)} but {rule}")


def _options(given: Sequence[Any]) -> list[Value]:
    """The options of a list as plain values; a ValueError for the first that is none."""
    found = [plain_value(option) for option in given]
    for option in found:
        if not (option is None or isinstance(option, str | int | float)):
            raise ValueError(f"the option {shortened(option)} must be a number, text, True, False or None")
    return found


def _checked_choice(choice: Choice) -> Choice:
    """The choice, whose options are what a config of JSON may hold."""
    for label, option in choice.options.items():
        if not (option is None or isinstance(option, str | int | float)) or option != label:
            raise ValueError(f"the option {shortened(option)} must be a number, text, True, False or None")
        if isinstance(option, str) and option != option.encode(errors="replace").decode():
            raise ValueError(f"the option {shortened(option)} must be UTF-8: it holds half a character")
        if option is not None and not isinstance(option, str):
            _check_number(option)
    if len(repr(choice)) > MOST_TEXT:
        long = f"its {len(choice.options):,} options are too long together"
        raise ValueError(f"{long}: at most {MOST_TEXT // 2:,} characters")
    if len({_kind(option) for option in choice.options.values() if option is not None}) > 1:
        raise ValueError("the options must be of one kind (beside None): numbers, texts, or True and False")
    return choice


def _kind(option: object) -> str:
    """Return the kind of the values: a column of the results holds one kind."""
    if isinstance(option, bool):
        return "truth"
    return "text" if isinstance(option, str) else "number"


def _check_number(value: float) -> None:
    """Raise a ValueError where the sampler, JSON or a column of the results cannot hold the number exactly."""
    most = LARGEST_WHOLE if isinstance(value, int) else LARGEST
    if not -most <= value <= most:
        raise ValueError(f"{shortened(value)} must be in {-most:g}..{most:g}")


def _range(text: str, whole: bool) -> Domain:
    is_log = text.split()[-1] == "log"
    span = text.rstrip().removesuffix("log") if is_log else text
    low, high = (number(bound.strip()) for bound in span.split("..", 1))
    if low is None or high is None or "..." in span:  # of three points, one may be of a number: which?
        raise ValueError("it must be LOW..HIGH or LOW..HIGH log, with two numbers")
    for bound in (low, high):
        _check_number(bound if whole else float(bound))
    if not whole:
        return LogUniform(float(low), float(high)) if is_log else Uniform(float(low), float(high))
    if not (isinstance(low, int) and isinstance(high, int)):
        raise ValueError("the base's value is a whole number, and so must be the bounds (or write the base as 8.0)")
    return LogInteger(low, high) if is_log else Integer(low, high)


def _option(text: str) -> Value:
    text = text.strip()
    named: dict[str, Value] = {"true": True, "false": False, "null": None}
    if text.lower() in named:
        return named[text.lower()]
    found = number(text)
    return text if found is None else found
