"""One spec of a campaign: it is kept whole, the file's own check knows all of it, and older files are read."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from results.design import Design
from results.store import campaign_json
from results.store.campaign_json import CampaignFile
from results.store.places import RECORDED
from search_spaces import load as load_space
from tests.hostile_content import dataset
from tests.hostile_content import record as record_of_version_1
from tuner.campaign.carried import Carried, CarriedTrial
from tuner.campaign.record import NOT_ASKED, asked_of, campaign_record, first_difference
from tuner.question import ask
from tuner.spec import ALWAYS_KEPT, HOW_IT_IS_RUN, CampaignSpec, Replay

SEARCH = CampaignSpec(
    space="parameter_golf", scale="proxy", overrides={"model.num_layers": 8}, objective="val_loss",
    constraints=("parameters<=1000000000",), likely=("optimizer.matrix_lr=0.02..0.1",), trials=7, seed=11,
    warm_start=(RECORDED, "/runs/a"), reuse=("/runs/b",), stopper="median", fidelity="branch", reports=3,
    confirm=Design(2, 2, 4), ablate=True, concurrent=1, gpu_fraction=0.5, cpus=3, mixed_devices=True,
    stall_minutes=3.0, compile=True, checkpoint_activations=True, keep="best", sampler="random", precision="bf16",
    promote=False, imports=(f"my_tricks@{'1f' * 32}",),
    monitor="updates,clips", checkpoint_every=7,
    compile_blocks=True, flex_attention=True, cuda_graphs=True,
    confirm_scale="full", carry=3,
)  # fmt: skip
BEST = CarriedTrial(3, {"optimizer.matrix_lr": 0.02, "model.tie_embeddings": True}, 2.5, 2.4, True)
CARRIED = CampaignSpec(
    space="parameter_golf", scale="full", trials=2, stopper="none", reports=2, confirm=Design(2, 2, 4), seed=11,
    carried=Carried("night", "proxy", (BEST,), replace(BEST, values={}), {"optimizer.head_lr": 0.5}, ("data.seq_len",)),
)  # fmt: skip
REPLAY = CampaignSpec(space="parameter_golf", scale="proxy", replay=Replay(("BASE,1", "1 x2"), "as_logged", 3))


def settled(spec: CampaignSpec) -> CampaignSpec:
    return ask(load_space("parameter_golf"), spec).spec


def test_the_search_here_gives_every_field_but_those_of_other_campaigns() -> None:
    bare = CampaignSpec(space="")
    assert [f.name for f in fields(SEARCH) if getattr(SEARCH, f.name) == getattr(bare, f.name)] == ["replay", "carried"]


@pytest.mark.parametrize(
    "spec", [SEARCH, REPLAY, CARRIED, replace(SEARCH, confirm=False, ablate=False, objective=None)]
)
def test_a_settled_spec_is_kept_whole_and_settling_it_again_changes_nothing(spec) -> None:
    once = settled(spec)
    kept = json.loads(json.dumps(once.to_json()))
    campaign_json.check(CampaignFile, {"knobs": dict.fromkeys(BEST.values, "float64"), **kept})
    assert CampaignSpec.of_json(kept) == once == settled(once)
    given = {f.name for f in fields(spec) if getattr(spec, f.name) not in (None, ())}
    assert all(getattr(once, name) == getattr(spec, name) for name in given)


def test_the_check_of_the_file_knows_every_field_that_is_written_and_no_other() -> None:
    written = campaign_record(ask(load_space("parameter_golf"), CampaignSpec(space="parameter_golf")), dataset())
    assert {*written, "knobs"} == set(CampaignFile.model_fields) - {
        "compacted",
        "compiled",
        "checkpointed",
        "gpu_sharing",
        "shapes",
        "own_train",
        "winner_command",
    }
    assert set(ALWAYS_KEPT) <= set(written) and set(HOW_IT_IS_RUN) | {"created_at"} < set(NOT_ASKED)
    defaults = CampaignFile.model_validate({"knobs": {}})
    for name in HOW_IT_IS_RUN:
        assert getattr(defaults, name) == getattr(CampaignSpec(space=""), name)


@pytest.mark.parametrize("name", ["parameter_golf", "ngpt"])
def test_a_campaign_that_the_version_before_wrote_is_read(name) -> None:
    kept = json.loads((Path("results/recorded") / name / "campaign.json").read_text())
    assert "spec_version" not in kept
    spec = CampaignSpec.of_json(kept)
    assert (spec.space, spec.replay.reading, spec.confirm, spec.stall_minutes) == (name, "as_run", False, 30.0)
    assert spec.trials == kept["trials"] and spec.concurrent is None


def test_a_search_of_the_version_before_asks_the_same_now() -> None:
    kept = record_of_version_1()
    spec = CampaignSpec.of_json(kept)
    assert spec.confirm == Design(2, 2, 2) and spec.warm_start == (RECORDED,) and not spec.reuse
    assert first_difference(kept, asked_of(ask(load_space("parameter_golf"), spec))) is None


def test_a_campaign_of_a_later_version_is_refused() -> None:
    with pytest.raises(ValueError, match="spec_version 3, but this code reads up to 2: update it"):
        CampaignSpec.of_json({"spec_version": 3})


def test_campaigns_that_differ_only_in_how_they_are_run_ask_the_same() -> None:
    bare = CampaignSpec(space="parameter_golf", scale="proxy")
    asked = [asked_of(ask(load_space("parameter_golf"), spec)) for spec in (bare, replace(bare, concurrent=2, cpus=3))]
    assert first_difference(*asked) is None and asked[0] != asked[1]
    other = asked_of(ask(load_space("parameter_golf"), replace(bare, trials=3)))
    assert first_difference(asked[0], other) == "trials is 24 there and 3 here"
