"""Plans for devices that are not here: what they count with, and that they say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

import search_spaces
from trainable.component import with_values
from trainable.config import TrainConfig
from tuner.device_memory import MOST_BYTES, check_fits_somewhere, needed_by
from tuner.hardware import CARDS, UTILISATION, card, elsewhere


@pytest.fixture(scope="module")
def golf() -> TrainConfig:
    return search_spaces.load("parameter_golf").scale("full").base


@pytest.mark.parametrize("name", CARDS)
def test_a_known_card_has_a_speed_a_memory_and_their_source(golf, name) -> None:
    known = card(name)
    assert 10 < known.bf16_teraflops < 10_000 and 8 <= known.memory_gb <= 1000 and known.source
    found = elsewhere(golf, name, None)
    each = golf.model.flops_per_token(1024, golf.data.seq_len)
    assert found.tokens_per_second == pytest.approx(UTILISATION * known.bf16_teraflops * 1e12 / each)
    assert "assumed: 25% of the" in found.speed and known.source in found.speed and known.about in found.device


@pytest.mark.parametrize(("name", "nearest"), [("h10", "a10|h100"), ("H 100", ""), ("rtx409", "rtx4090"), ("tpu", "")])
def test_an_unknown_card_is_answered_with_the_nearest(name, nearest) -> None:
    if name == "H 100":
        assert card(name).about == "NVIDIA H100 SXM"  # as people write it
        return
    with pytest.raises(ValueError, match=f"--device '{name}' is no card that is known: .*({nearest})"):
        card(name)


def test_a_measured_speed_takes_the_place_of_the_assumed_one_and_the_card_still_gives_the_memory(golf) -> None:
    found = elsewhere(golf, "h100", 1e6)
    assert found.tokens_per_second == 1e6 and "given with --tokens-per-second" in found.speed
    assert found.memory.endswith("roughly)") and "of 80 (" in found.memory
    assert elsewhere(golf, None, 1e6).memory == "not compared: no card is named (--device)"


def test_memory_grows_with_the_model_and_shrinks_with_smaller_micro_batches(golf) -> None:
    need = needed_by(golf)
    assert need.state == 16 * need.parameters and need.parameters > 10**7
    parts = needed_by(with_values(golf, {"data.grad_accum_steps": 2 * golf.data.grad_accum_steps}))
    assert parts.batch == need.batch // 2 and parts.state == need.state


def test_what_does_not_fit_a_card_is_said_with_what_would_help(golf) -> None:
    whole = replace(golf, data=replace(golf.data, grad_accum_steps=1))
    assert "it does not fit; more data.grad_accum_steps would" in elsewhere(whole, "l4", None).memory
    wide = with_values(golf, {"model.model_dim": 32768})
    assert "it does not fit; a smaller model would" in elsewhere(wide, "l4", None).memory


def test_what_no_machine_holds_is_refused_with_the_number(golf) -> None:
    check_fits_somewhere(golf)
    wide = with_values(golf, {"model.model_dim": 10**6})
    with pytest.raises(ValueError, match=r"the model has [\d,]+ parameters, which take about [\d,.]+ TB to train"):
        check_fits_somewhere(wide)
    assert needed_by(wide).state > MOST_BYTES
    rows = with_values(golf, {"data.batch_tokens": golf.data.seq_len * golf.data.grad_accum_steps * 10**9})
    with pytest.raises(ValueError, match=r"a micro-batch of [\d,]+ tokens .* no machine has more than 32 TB"):
        check_fits_somewhere(rows)


def test_every_space_at_every_scale_fits_somewhere() -> None:
    for name in search_spaces.names():
        for scale in search_spaces.load(name).scales.values():
            check_fits_somewhere(scale.base)
