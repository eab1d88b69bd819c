"""Plans for devices that are not here: what they count with, and that they say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

import search_spaces
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from tuner.cluster.counted_shapes import shapes_counted
from tuner.cluster.device_memory import check_fits_somewhere, needed_by
from tuner.plan.card_speed import UTILISATION, elsewhere
from tuner.plan.known_devices import CARDS, card


@pytest.fixture(scope="module")
def golf() -> TrainConfig:
    return search_spaces.load("parameter_golf").scale("full").base


@pytest.mark.parametrize("name", CARDS)
def test_a_known_card_has_a_speed_a_memory_and_their_source(golf, name) -> None:
    known = card(name)
    assert 10 < known.bf16_teraflops < 10_000 and 8 <= known.memory_gb <= 1000 and known.source
    found = elsewhere(golf, name, None, compiles=True)
    each = golf.model.flops_per_token(1024, golf.data.seq_len)
    assert found.arithmetic == pytest.approx(UTILISATION * known.bf16_teraflops * 1e12 / each)
    assert " 25% of the" in found.speed and known.source in found.speed and known.about in found.device


@pytest.mark.parametrize(
    ("name", "key"),
    [("NVIDIA H100 80GB HBM3", "h100"), ("H 100", "h100"), ("NVIDIA H100 PCIe", "h100-pcie"), ("H100_NVL", "h100-nvl"),
     ("NVIDIA H100 NVL", "h100-nvl"), ("NVIDIA H200", "h200"), ("NVIDIA B200", "b200"), ("NVIDIA A10", "a10"),
     ("NVIDIA A30", "a30"), ("NVIDIA A40", "a40"), ("NVIDIA L4", "l4"), ("NVIDIA L40S", "l40s"),
     ("NVIDIA A100-SXM4-40GB", "a100-40gb"), ("A100-SXM4-40GB", "a100-40gb"), ("NVIDIA A100-PCIE-40GB", "a100-40gb"),
     ("NVIDIA A100-SXM4-80GB", "a100-80gb"), ("NVIDIA A100 80GB PCIe", "a100-80gb"), ("A100 40GB", "a100-40gb"),
     ("NVIDIA GeForce RTX 3090", "rtx3090"), ("NVIDIA GeForce RTX 4090", "rtx4090"), ("RTX 5090", "rtx5090")],
)  # fmt: skip
def test_a_card_is_known_by_the_names_that_drivers_print(name, key) -> None:
    assert card(name) is CARDS[key]


@pytest.mark.parametrize(
    ("name", "near"),
    [("h10", "'h100'"), ("rtx409", "'rtx4090'"), ("a100", "'a100-40gb' or 'a100-80gb'"), ("NVIDIA A10G", "'a10'"),
     ("NVIDIA H100 96GB HBM3", "'h100' or 'h100-nvl' or 'h100-pcie'"), ("NVIDIA H200 NVL", "'h200'"),
     ("NVIDIA GeForce RTX 4090 Laptop GPU", "'rtx4090'"), ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "'a100-40gb' or")],
)  # fmt: skip
def test_an_unknown_card_is_answered_with_the_nearest_and_is_not_taken_for_it(name, near) -> None:
    with pytest.raises(ValueError, match=f"--device '{name}' is no card that is known: did you mean {near}"):
        card(name)


@pytest.mark.parametrize("name", ["tpu", "", "Apple M3 Max", "V100"])
def test_where_no_card_is_near_all_are_named(name) -> None:
    with pytest.raises(ValueError, match=r"is no card that is known: known are a10, a30, .*--tokens-per-second"):
        card(name)


def test_a_measured_speed_takes_the_place_of_the_assumed_one_and_the_card_still_gives_the_memory(golf) -> None:
    found = elsewhere(golf, "h100", 1e6)
    assert found.tokens_per_second == 1e6 and "given with --tokens-per-second" in found.speed
    assert "of 80 (weights, gradients and moments" in found.memory and "an evaluation" in found.memory
    assert elsewhere(golf, None, 1e6).memory == "not compared: no card is named (--device)"


def test_memory_grows_with_the_model_and_shrinks_with_smaller_micro_batches(golf) -> None:
    need = needed_by(golf)
    assert need.parameters > 10**7 and 12 < need.state / need.parameters < 16, "of Muon's matrices one moment"
    parts = needed_by(with_values(golf, {"data.grad_accum_steps": 2 * golf.data.grad_accum_steps}))
    assert parts.batch == pytest.approx(need.batch / 2, rel=0.02) and parts.state == need.state


def test_what_does_not_fit_a_card_is_said_with_what_would_help(golf) -> None:
    whole = replace(golf, data=replace(golf.data, grad_accum_steps=1))
    assert "it does not fit; data.grad_accum_steps=16 would" in elsewhere(whole, "l4", None).memory
    wide = with_values(golf, {"model.model_dim": 32768})
    assert "it does not fit; a smaller model would" in elsewhere(wide, "l4", None).memory


def test_what_no_machine_holds_is_refused_with_the_number(golf) -> None:
    check_fits_somewhere(golf, shapes_counted(golf))
    wide = with_values(golf, {"model.model_dim": 10**6})
    with pytest.raises(ValueError, match=r"the model has [\d,]+ parameters, which take about [\d,.]+ TB to train"):
        check_fits_somewhere(wide, shapes_counted(wide))
    rows = with_values(golf, {"data.batch_tokens": golf.data.seq_len * golf.data.grad_accum_steps * 10**9})
    with pytest.raises(ValueError, match=r"a micro-batch of [\d,]+ tokens .* no machine has more than 32 TB"):
        check_fits_somewhere(rows, shapes_counted(rows))


def test_every_space_at_every_scale_fits_somewhere() -> None:
    for name in search_spaces.names():
        for scale in search_spaces.load(name).scales.values():
            check_fits_somewhere(scale.base, shapes_counted(scale.base))
