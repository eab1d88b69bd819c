"""A field that another field of its component switches off does nothing then: not a bit of the weights."""

from __future__ import annotations

import pytest

from trainable.component import components, switched_off
from trainable.component_paths import get_value, with_values
from tuner.audit.overrides import inert_paths

# Path of the component, its name, and another value for each field that can be switched off.
CASES = [
    ("optimizer", "AdamW", {"wd_exclude": "1d_and_norm"}),
    ("optimizer.muon", "NorMuon", {"cautious": False, "decay_schedule": "linear"}),
    ("schedule", "Circadian", {"periods": 3.0}),
    ("schedule", "PredatorPrey", {"cycles": 2}),
    ("schedule", "Warmup", {"start_frac": 0.5}),
    ("hooks.Mycorrhizal", "", {"distance": 1, "after_step": 1}),
    ("hooks.MutationDecay", "", {"rate": 2.0, "after_step": 1}),
    ("hooks.ControlledBurn", "", {"every_steps": 1}),
]


@pytest.mark.parametrize(("path", "name", "others"), CASES, ids=[name or path for path, name, _ in CASES])
def test_a_field_that_is_switched_off_changes_nothing(toy_base, path, name, others) -> None:
    parents = {"optimizer": "MuonAdamW"} if path.startswith("optimizer.") else {}
    base = with_values(toy_base, parents | ({path: name} if name else {}))
    switches = set()
    for field in others:
        by = type(get_value(with_values(base, {f"{path}.{field}": others[field]}), path)).switched_by[field]
        switches.add(by)
    (by,) = switches
    off = with_values(base, {f"{path}.{by}": 0})
    changes = {f"{path}.{field}": value for field, value in others.items()}
    changed = with_values(off, changes)
    assert {p: b for p, b in switched_off(changed).items() if p in changes} == dict.fromkeys(changes, f"{path}.{by}")
    assert inert_paths(off, changes) == list(changes)
    assert not switched_off(with_values(changed, {f"{path}.{by}": 0.5})).keys() & changes.keys()


def test_every_field_that_is_switched_off_has_its_case_here() -> None:
    known = {(name or path.partition(".")[2], field) for path, name, others in CASES for field in others}
    assert known == {(c.__name__, field) for c in components() for field in c.switched_by}
