"""Trials of an earlier version, whose result the same settings would not give now: told apart, and not taken for it."""

from __future__ import annotations

import json

import pytest

from search_spaces import load
from tests.one_file_a_trial import one_file_a_trial
from trainable.component_json import encode, fingerprint, what_acts, without_null
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from tuner.campaign.resumed import check_same_question
from tuner.campaign.row_config import EarlierVersionError, came_later, config_of
from tuner.proposals.reuse import Library
from tuner.proposals.warm_start import of_folder

# Fields that came later, by the config that has them: without them it was another training of the same settings.
MOE = {"model": "Blueberry", "model.experts.num_experts": 4, "losses.LoadBalancing.weight": 0.01}
CAME_LATER = [
    (load("nanochat").scale("proxy").base, ("model",), "smear_gate_init", "model.smear_gate_init"),
    (with_values(TrainConfig(), MOE), ("losses", 0), "over_layers", "losses.LoadBalancing.over_layers"),
]


def row_of_before(config: TrainConfig, place: tuple, field: str) -> dict:
    """A trial's row as the version before wrote it, under the key that it had there."""
    data = encode(config)
    node = data
    for step in place:
        node = node[step]
    del node[field]
    keyed = json.loads(json.dumps(without_null(data)))
    del keyed["data"]["source"]
    keyed["data"]["fingerprint"] = "made-up"
    return {"key": fingerprint(keyed), "config": json.dumps(data), "data": "made-up", "status": "completed"}


@pytest.mark.parametrize(("config", "place", "field", "path"), CAME_LATER, ids=lambda value: str(value)[:20])
def test_a_config_of_before_has_another_key_and_is_named_as_what_it_is(config, place, field, path):
    row = row_of_before(config, place, field)
    assert row["key"] != config.key("made-up")
    with pytest.raises(EarlierVersionError, match=f"was trained by an earlier version, which had no {path}") as raised:
        config_of(row)
    assert raised.value.field == path
    row["key"] = config.key("made-up")
    assert config_of(row) == config  # what lacks a field and has the key of now is of a short notation


def test_a_row_with_another_config_is_still_refused(toy_base):
    row = {"key": "0" * 16, "config": json.dumps(encode(toy_base)), "data": "d", "status": "completed"}
    with pytest.raises(ValueError, match="has the config of another trial") as raised:
        config_of(row)
    assert not isinstance(raised.value, EarlierVersionError)


def test_what_came_later_is_found_by_its_path_and_nulls_are_nothing():
    now = {"a": {"b": 1, "c": None}, "hooks": [{"type": "X", "d": 2}]}
    assert came_later(now, now) is None
    assert came_later({"a": {"b": 1}, "hooks": [{"type": "X"}]}, now) == "hooks.X.d"
    assert came_later({"a": {}, "hooks": []}, now) == "a.b"
    assert came_later({"a": 3, "hooks": "none"}, now) is None


@pytest.fixture
def of_before(make_bench, play):
    """A campaign whose last trial is of a version in which the config lacked a field."""
    bench = make_bench("old")
    play(bench.search(trials=3, stopper="none")).run()
    row = bench.rows()[-1]
    config = json.loads(row["config"])
    del config["optimizer"]["muon_ns_steps"]
    keyed = without_null(config)
    del keyed["data"]["source"]
    keyed["data"]["fingerprint"] = row["data"]
    one_file_a_trial(bench.folder)
    for kept in ("trials", "reports", "curves"):
        (bench.folder / kept / f"{row['key']}.parquet").unlink(missing_ok=True)
    changed = {**row, "key": fingerprint(keyed), "config": json.dumps(config)}
    bench.store().write_trial(changed)
    return bench, changed["key"]


def test_reuse_leaves_them_out_and_says_why(of_before):
    bench, key = of_before
    library = Library([bench.folder])
    assert len(library) == 2 and library.get(key) is None
    earlier = [why for why in library.left_out.values() if not why.startswith("never trained")]
    assert earlier == ["trained by an earlier version, which had no optimizer.muon_ns_steps"]


def test_a_warm_start_leaves_them_out_and_says_why(of_before, toy_space, toy_base):
    bench, _ = of_before
    prior = of_folder(bench.folder, toy_space, toy_base, "made-up-data")
    assert len(prior.points) == 2
    earlier = [why for why in prior.left_out.values() if "earlier" in why]
    assert earlier == ["trained by an earlier version, which had no optimizer.muon_ns_steps"]


def test_a_campaign_of_before_is_not_gone_on_with(make_bench, play):
    """The base of nanochat has a field more; hooks of a base that do nothing are no other question."""

    class Asked:
        def __init__(self, base: TrainConfig, space) -> None:
            self.base, self.space = base, space

    space = load("nanochat")
    base = space.scale("proxy").base
    was = {"overrides": {}, "base": encode(base), "knobs": space.column_types(), "space": "nanochat"}

    class Kept:
        folder, campaign = type("Folder", (), {"name": "night"}), was

    check_same_question(Kept, Asked(base, space))
    idle = with_values(base, {"hooks.UphillDrift.radius": 0.0})
    assert idle.hooks and what_acts(encode(idle)) == what_acts(encode(base))
    check_same_question(Kept, Asked(idle, space))
    with pytest.raises(ValueError, match="campaign 'night' was started with another version of space 'nanochat'"):
        check_same_question(Kept, Asked(with_values(base, {"hooks.UphillDrift.radius": 0.1}), space))
    del was["base"]["model"]["smear_gate_init"]
    with pytest.raises(ValueError, match="campaign 'night' was started with another version of space 'nanochat'"):
        check_same_question(Kept, Asked(base, space))
