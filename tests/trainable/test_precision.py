"""Tables in bfloat16: only those that a model names, by default its source's, and what their moments are kept in.

Autocast in bfloat16 works on a CPU too, so all of it is held here.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.component import components
from trainable.component_json import decode, encode
from trainable.config import Budget, TrainConfig
from trainable.models.gpt import GPT
from trainable.models.gpt2 import GPT2
from trainable.models.nanochat import Nanochat
from trainable.optimizers.adamw import AdamW
from trainable.optimizers.sgd import SGD
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train

BF16 = Runtime(precision="bf16")
OF_SOURCE = {"GPT": {"embedding.weight"}, "Nanochat": {"embedding.weight", "value_embeddings.1.weight"}}


@pytest.mark.parametrize("model", components("model"))
def test_under_bf16_the_tables_of_the_source_are_in_bfloat16_and_all_else_in_float32(model, tiny, dataset, shrink):
    config = replace(tiny, model=shrink(model.example()), optimizer=AdamW())
    network = Run.start(config, dataset, BF16).network
    halves = {name for name, p in network.named_parameters() if p.dtype == torch.bfloat16}
    assert halves == OF_SOURCE.get(model.__name__, set())
    assert {p.dtype for p in Run.start(config, dataset, Runtime()).network.parameters()} == {torch.float32}


@pytest.mark.parametrize("model", components("model"))
def test_a_model_names_the_tables_that_are_in_bfloat16_itself(model, tiny, dataset, shrink):
    for chosen in ((), ("embedding",)):
        config = replace(tiny, model=replace(shrink(model.example()), bf16_tables=chosen), optimizer=AdamW())
        run = Run.start(config, dataset, BF16)
        halves = [name for name, p in run.network.named_parameters() if p.dtype == torch.bfloat16]
        assert halves == [f"{role}.weight" for role in chosen]
        assert [report.status for report in train(run)] == ["completed"]


def test_a_table_that_the_model_has_not_is_refused_with_the_nearest():
    rule = r"GPT.bf16_tables is .*'embeding'.* but must be a list, each one of embedding: did you"
    with pytest.raises(ValueError, match=rule):
        GPT(bf16_tables=("embeding",))
    with pytest.raises(ValueError, match=r"must be a list, each one of embedding, value_embedding$"):
        Nanochat(bf16_tables=("head",))
    assert Nanochat(bf16_tables=("value_embedding",)).low_precision_tables == ("value_embedding",)


def test_moments_are_in_float32_unless_the_source_keeps_them_in_bfloat16(tiny, dataset):
    """Golf's own optimizer keeps the state of its table as the table is; any other's moments are exact."""
    kept = {}
    for optimizer in (tiny.optimizer, AdamW()):
        run = Run.start(replace(tiny, optimizer=optimizer), dataset, BF16)
        assert [report.status for report in train(run)] == ["completed"]
        kept[type(optimizer).__name__] = {
            moment.dtype for state in run.optimizer_states.values() for moment in state.get("square", [])
        }
    assert kept == {"MuonAdam": {torch.bfloat16, torch.float32}, "AdamW": {torch.float32}}


def test_a_table_in_float32_moves_in_every_entry_where_one_in_bfloat16_stands_still(tiny, run_to_end):
    """Of mainrun's model and optimizer: bfloat16 rounds away every step that is small beside its weight."""
    model = GPT2(num_layers=2, model_dim=16, num_heads=2)
    moved = {}
    for tables in (None, ("embedding",)):
        config = replace(tiny, model=replace(model, bf16_tables=tables), optimizer=SGD(lr=1e-3), budget=Budget(steps=6))
        table = run_to_end(config, runtime=BF16).run.network.embedding.weight
        torch.manual_seed(tiny.seed)
        fresh = model.build(*table.shape[:1], 16).embedding.weight.to(table.dtype)
        moved[tables] = float((table != fresh).float().mean())
    assert moved[None] > 0.99 and moved[("embedding",)] < 0.2


def test_the_precision_is_part_of_a_key_only_where_it_changes_the_result(tiny):
    assert replace(tiny, precision="bf16").key("data") != tiny.key("data")
    assert "precision" not in without_null(tiny) and decode(encode(replace(tiny, precision="bf16"))).precision == "bf16"
    for wrong in ("fp32", "fp16"):
        with pytest.raises(ValueError, match=rf"TrainConfig.precision is '{wrong}' but must be null \(fp32\) or bf16"):
            replace(tiny, precision=wrong)


def without_null(config: TrainConfig) -> dict[str, object]:
    return {name: value for name, value in encode(config).items() if value is not None}
