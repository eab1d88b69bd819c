"""Weights of a finished run: what is kept is what was scored, and reading it again gives the very same score."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from storage.location import location
from trainable import weights
from trainable.evaluation.artifact import distinct
from trainable.hooks.quantisation_aware import QuantisationAware
from trainable.hooks.stochastic_weight_average import StochasticWeightAverage
from trainable.hooks.weight_average import WeightAverage
from trainable.models.attention.head_pruning import HeadPruning
from trainable.models.layers.progressive_growing import ProgressiveGrowing
from trainable.report import validation
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train

CPU = Runtime()
HOOKS = {
    "none": (),
    "average": (WeightAverage(decay=0.8),),
    "plain mean": (StochasticWeightAverage(start_frac=0.3, every_steps=2),),
    "quantised": (QuantisationAware(bits=4),),
}


@pytest.fixture
def trained(dataset):
    def finished(config):
        run = Run.start(config, dataset, CPU)
        *_, report = train(run)
        assert report.status == "completed"
        return run, report

    return finished


@pytest.mark.parametrize("hooks", HOOKS)
def test_what_is_kept_was_scored_and_is_scored_the_same_when_it_is_read_again(
    hooks, tmp_path, tiny, dataset, trained
) -> None:
    config = dataclasses.replace(tiny, hooks=HOOKS[hooks])
    run, report = trained(config)
    last = {name: t.clone() for name, t in distinct(run.network).items()}
    weights.write_weights(tmp_path, "w", weights.scored(run), "key", "made-up")
    assert all(torch.equal(last[name], t) for name, t in distinct(run.network).items()), "the run has its own again"
    read = weights.read_weights(tmp_path / "w", "key")
    assert any(not torch.equal(read[name], last[name]) for name in last) == bool(HOOKS[hooks])
    again = validation(weights.run_with(config, read, dataset, CPU), final=True)
    assert (again.bpb, again.loss) == (report.val_bpb, report.val_loss)


@pytest.mark.parametrize(
    "parts",
    [
        {"layers": (ProgressiveGrowing(start_layers=1, every_steps=3),)},
        {"attention": (HeadPruning(keep=2, at_step=2),)},
    ],
    ids=["grown", "pruned"],
)
def test_what_changed_on_the_way_and_evaluation_uses_is_kept_too(parts, tmp_path, tiny, dataset, trained) -> None:
    config = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, **parts))
    run, report = trained(config)
    weights.write_weights(tmp_path, "w", weights.scored(run), "key", "made-up")
    again = validation(weights.run_with(config, weights.read_weights(tmp_path / "w", "key"), dataset, CPU), final=True)
    assert again.bpb == report.val_bpb


def test_tables_in_bfloat16_stay_so_and_the_size_is_known_beforehand(tmp_path, tiny, dataset) -> None:
    for precision in (None, "bf16"):
        config = dataclasses.replace(tiny, precision=precision)
        run = Run.start(config, dataset, Runtime(precision=config.number_format))
        kept = weights.scored(run)
        weights.write_weights(tmp_path, "w", kept, "key", "made-up")
        read = weights.read_weights(tmp_path / "w", "key")
        assert {n: t.dtype for n, t in read.items()} == {n: t.dtype for n, t in kept.items()}
        size = weights.num_bytes(config, dataset.vocab_size)
        assert size == sum(t.nbytes for t in read.values())
        assert 0 < (tmp_path / "w").stat().st_size - size < 20_000, "beside them only a header"


def test_weights_in_a_bucket_come_back_as_they_were(tiny, dataset, trained) -> None:
    run, report = trained(tiny)
    folder = location("memory://bucket/weights/campaign")
    weights.write_weights(folder, "weights/key/a1.safetensors", weights.scored(run), "key", "made-up")
    read = weights.read_weights(folder / "weights" / "key" / "a1.safetensors", "key")
    assert validation(weights.run_with(tiny, read, dataset, CPU), final=True).bpb == report.val_bpb


def test_weights_of_another_model_and_of_another_trial_are_refused(tmp_path, tiny, dataset) -> None:
    run = Run.start(tiny, dataset, CPU)
    weights.write_weights(tmp_path, "w", weights.scored(run), "key", "made-up")
    with pytest.raises(ValueError, match="belongs to trial 'key', not to 'other'"):
        weights.read_weights(tmp_path / "w", "other")
    wider = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, model_dim=48))
    with pytest.raises(ValueError, match="of another model: skip_weights is 1 x 32, not 1 x 48"):
        weights.run_with(wider, weights.read_weights(tmp_path / "w", "key"), dataset, CPU)
    deeper = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, num_layers=3))
    with pytest.raises(ValueError, match=r"of another model: .* is missing, not"):
        weights.run_with(deeper, weights.read_weights(tmp_path / "w", "key"), dataset, CPU)


@pytest.mark.parametrize("damage", [b"", b"nothing", slice(0, 200), 3], ids=["empty", "other", "cut", "one bit"])
def test_a_damaged_file_is_named(damage, tmp_path, tiny, dataset) -> None:
    file = tmp_path / "w"
    weights.write_weights(tmp_path, "w", weights.scored(Run.start(tiny, dataset, CPU)), "key", "made-up")
    whole = file.read_bytes()
    if isinstance(damage, int):
        file.write_bytes(whole[:-damage] + bytes([whole[-damage] ^ 1]) + whole[1 - damage :])
    else:
        file.write_bytes(whole[damage] if isinstance(damage, slice) else damage)
    with pytest.raises(ValueError, match=rf"weights file {file} (cannot be read|is damaged)"):
        weights.read_weights(file, "key")
