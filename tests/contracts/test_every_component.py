"""What holds for everything that may stand in a config, whatever its kind."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import trainable
from terminal.nearest import nearest
from trainable.component import Component, components
from trainable.component_json import canonical_json, decode, encode, fingerprint
from trainable.component_paths import with_value

EVERY = pytest.mark.parametrize("cls", components())


@EVERY
def test_it_comes_back_from_json(cls):
    for value in filter(None, (cls.example(), cls.neutral())):
        again = decode(json.loads(json.dumps(encode(value))))
        assert again == value and type(again) is cls
        assert canonical_json(again) == canonical_json(value)
        assert fingerprint(again) == fingerprint(value)


@EVERY
def test_an_unknown_field_is_answered_with_the_nearest(cls):
    names = [f.name for f in dataclasses.fields(cls)]
    if not names:
        with pytest.raises(ValueError, match=f"{cls.__name__} has no knob 'x': there are no knobs"):
            decode({**encode(cls.example()), "x": 1})
        return
    misspelt = names[0] + "x"
    with pytest.raises(
        ValueError, match=f"{cls.__name__} has no knob '{misspelt}': {nearest(misspelt, names, '')[:-1]}"
    ):
        decode({**encode(cls.example()), misspelt: 1})
    with pytest.raises(ValueError, match=f"has no knob '{misspelt}'"):
        with_value(cls.example(), misspelt, 1)


@EVERY
def test_every_field_has_a_default_and_is_keyword_only(cls):
    for f in dataclasses.fields(cls):
        assert f.kw_only, f.name
        assert f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING, f.name


@EVERY
def test_it_is_frozen_and_hashable(cls):
    example = cls.example()
    assert hash(example) == hash(cls.example())
    with pytest.raises(dataclasses.FrozenInstanceError):
        example.anything = 1


@EVERY
def test_it_says_what_it_is(cls):
    assert cls.__dict__.get("__doc__") and not cls.__doc__.startswith(f"{cls.__name__}("), "dataclass wrote its own"
    assert sys.modules[cls.__module__].__doc__


@EVERY
def test_the_example_is_active(cls):
    assert isinstance(cls.example(), cls)
    assert cls.example() != cls.neutral()


@EVERY
def test_no_field_takes_a_boolean_for_a_number_or_text_for_a_number(cls):
    for f in dataclasses.fields(cls):
        value = getattr(cls.example(), f.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for wrong in (True, str(value), "inf", float("nan"), float("inf"), [value]):
            with pytest.raises(ValueError, match=rf"{cls.__name__}\.{f.name} is .* but must be"):
                with_value(cls.example(), f.name, wrong)


def test_every_file_of_components_is_imported_with_the_config():
    """A file that its package does not import would be unknown on disk, on the command line and to these tests."""
    program = (
        "from trainable import config, component\nfor c in component.components(): print(c.__module__, c.__name__)"
    )
    root = Path(trainable.__file__).parent.parent
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    registered = {tuple(line.split()) for line in found.stdout.splitlines()}
    for module in pkgutil.walk_packages([str(root / "trainable")], "trainable."):
        importlib.import_module(module.name)
    written = {(c.__module__, c.__name__) for c in components() if c.__module__.startswith("trainable.")}
    assert written == registered


def test_components_of_each_kind_are_found():
    kinds = ("schedule", "hook", "loss term", "update rule", "optimizer", "model", "mlp", "block", "init")
    for kind in (*kinds, "stem part", "layer part", "attention part"):
        assert components(kind) and all(issubclass(c, Component) and c.kind == kind for c in components(kind))
