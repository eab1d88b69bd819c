from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.component_paths import with_value, with_values
from trainable.config import TrainConfig
from trainable.evaluation import artifact, quantise
from trainable.evaluation import artifact as artifact_module
from trainable.evaluation.artifact import COMPRESSORS, Artifact, compress, decompress, integer_elements, pack, replaced
from trainable.evaluation.evaluate import evaluate
from trainable.evaluation.source_bytes import source_bytes
from trainable.networks.network import Network
from trainable.report import validation
from trainable.run import Run
from trainable.runtime import Runtime

EVERY_TENSOR = {"keep_elements": 500}  # at the tiny size: all matrices, and none of the rest


@pytest.fixture(scope="module")
def config(tiny) -> TrainConfig:
    return with_values(tiny, {"artifact": Artifact(**EVERY_TENSOR, min_clip=0.0), "model.num_layers": 1})


@pytest.fixture
def run(config, dataset) -> Run:
    """A network whose weights are all different from zero."""
    run = Run.start(config, dataset, Runtime())
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in run.network.parameters():
            p.add_(torch.randn(p.shape, generator=generator) * 0.05)
    return run


def export(run: Run) -> bytes:
    """The artifact of a run."""
    with run.evaluation_weights():
        return pack(run.network, run.config.artifact)


@pytest.fixture
def network(run) -> Network:
    return run.network


# --- what is stored ---------------------------------------------------------------------------------------------------


def test_matrices_are_integers_small_weights_halves_and_gains_stay_exact(network):
    stored = decompress(pack(network, Artifact(keep_elements=600, min_clip=0.0)))
    parameters = dict(network.named_parameters())
    assert {n.removesuffix(":scale") for n in stored} == parameters.keys()
    for name, p in parameters.items():
        if p.ndim == 2 and p.numel() > 600:
            integers, scales = quantise.by_row(p, 8, 0.0)
            assert torch.equal(stored[name], integers) and torch.equal(stored[f"{name}:scale"], scales)
        elif name.endswith(("k.weight", "v.weight")):  # 512 elements
            assert torch.equal(stored[name], p.half())
        else:
            assert name.endswith(("_scale", "resid_mix", "q_gain", "skip_weights"))
            assert torch.equal(stored[name], p) and stored[name].dtype == torch.float32


def test_what_is_stored_as_integers_is_counted(network):
    sizes = [p.numel() for p in network.parameters()]
    assert integer_elements(pack(network, Artifact())) == (0, sum(sizes))
    large = sum(p.numel() for p in network.parameters() if p.ndim == 2 and p.numel() > 600)
    assert integer_elements(pack(network, Artifact(keep_elements=600))) == (large, sum(sizes))


def test_the_limit_between_small_and_large_is_the_competitions():
    network = TrainConfig(model=replace(TrainConfig().model, num_layers=1, model_dim=256)).model.build(260, 8)
    stored = decompress(pack(network, Artifact()))
    sizes = {name: (p.numel(), stored[name].dtype) for name, p in network.named_parameters() if p.ndim == 2}
    assert sizes["blocks.0.attention.q.weight"] == (65_536, torch.float16)
    assert sizes["embedding.weight"] == (66_560, torch.int8)


@pytest.mark.parametrize("tied", [True, False])
def test_tables_keep_8_bits_or_become_halves_whatever_the_bits_of_the_others(config, dataset, tied):
    network = Run.start(with_value(config, "model.tie_embeddings", tied), dataset, Runtime()).network
    tables = {"embedding.weight"} if tied else {"embedding.weight", "head.weight"}
    torch.nn.init.normal_(network.get_parameter(max(tables)))  # the head begins at zero
    coarse = decompress(pack(network, Artifact(**EVERY_TENSOR, bits=4, min_clip=0.0)))
    halves = decompress(pack(network, Artifact(**EVERY_TENSOR, bits=4, min_clip=0.0, embedding="fp16")))
    for name in tables:
        assert coarse[name].abs().max() == 127
        assert torch.equal(halves[name], network.get_parameter(name).half())
    assert coarse["blocks.0.attention.q.weight"].abs().max() == 7


def test_larger_tensors_of_other_shapes_have_one_scale_and_shared_ones_are_stored_once(network):
    network.experts = torch.nn.Parameter(torch.randn(3, 20, 20))
    network.register_buffer("mask", torch.ones(4, dtype=torch.bool))
    network.register_buffer("scratch", torch.ones(4), persistent=False)
    network.again = network.blocks[0]
    data = pack(network, Artifact(**EVERY_TENSOR, bits=6))
    stored, back = decompress(data), artifact.load(data)
    integers, scale = quantise.whole(network.experts, 6)
    assert torch.equal(stored["experts"], integers) and torch.equal(stored["experts:scale"], scale)
    assert torch.equal(back["experts"], integers.float() * scale)
    assert back["mask"].dtype == torch.bool and back.keys() == {*dict(network.named_parameters()), "mask"}


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_every_compressor_gives_back_what_it_was_given(network, compressor):
    tensors = decompress(pack(network, Artifact(**EVERY_TENSOR)))
    data = compress(tensors, compressor)
    back = decompress(data)
    assert back.keys() == tensors.keys() and all(torch.equal(back[n], t) for n, t in tensors.items())
    assert len(data) < sum(t.nbytes for t in tensors.values())


def test_fewer_bits_make_a_smaller_file(network):
    for min_clip in (0.0, 1.0):
        sizes = [len(pack(network, Artifact(**EVERY_TENSOR, bits=b, min_clip=min_clip))) for b in (8, 7, 6, 5, 4)]
        assert sizes == sorted(set(sizes), reverse=True)


def test_heavier_weights_make_a_larger_file_and_the_smallest_clip_is_why(network):
    sizes = []
    for _ in range(3):
        sizes.append([len(pack(network, Artifact(**EVERY_TENSOR, min_clip=m))) for m in (1.0, 0.0)])
        with torch.no_grad():
            for p in network.parameters():
                p.mul_(2)
    floored, free = np.array(sizes).T
    assert (np.diff(floored) > 100).all() and np.ptp(free) < 100


# --- reading back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 6, 4])
def test_what_is_read_back_is_within_a_step_of_what_was_written(network, bits):
    back = artifact.load(pack(network, Artifact(**EVERY_TENSOR, bits=bits, min_clip=0.0)))
    for name, p in network.named_parameters():
        step = p.abs().amax(-1, keepdim=True) / (2 ** (bits - 1) - 1) if p.ndim == 2 else p.abs() * 2**-10
        assert ((back[name] - p).abs() <= 0.55 * step + 1e-6).all(), name


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_score_is_that_of_the_weights_as_read_back(config, run_to_end, dataset, precision):
    ended = run_to_end(with_value(config, "artifact.bits", 4), runtime=Runtime(precision=precision))
    run, last = ended.run, ended.last
    other = Run.start(run.config, dataset, run.runtime)
    with torch.no_grad():
        for name, p in other.network.named_parameters():
            p.copy_(artifact.load(export(run))[name])
    other.network.eval()
    with other.runtime.autocast():
        expected = evaluate(other.network, dataset, config.evaluation, "cpu")
    assert (last.val_loss_quantised, last.val_bpb_quantised) == (expected.loss, expected.bpb)
    assert last.val_bpb_quantised != last.val_bpb


def test_at_8_bits_the_score_is_close_to_that_of_the_full_weights_and_at_4_less_so(config, run_to_end):
    config = with_value(config, "budget.steps", 20)
    lost = []
    for bits in (8, 4):
        last = run_to_end(with_value(config, "artifact.bits", bits)).last
        lost.append(abs(last.val_bpb_quantised - last.val_bpb) / last.val_bpb)
    assert lost[0] < 1e-3 and lost[0] < lost[1]


def test_a_network_has_its_own_weights_again_afterwards(run, first_difference):
    before = [p.detach().clone() for p in run.network.parameters()]
    state = artifact.load(export(run))
    with pytest.raises(ZeroDivisionError), replaced(run.network, state):
        assert torch.equal(run.network.embedding.weight, state["embedding.weight"])
        raise ZeroDivisionError
    assert first_difference(before, [p.detach() for p in run.network.parameters()]) is None


def test_weights_of_another_model_are_refused(run, dataset, config):
    other = Run.start(with_value(config, "model.model_dim", 16), dataset, Runtime())
    for state in (artifact.load(export(other)), {}):
        with pytest.raises(ValueError, match="the artifact is of another model"), replaced(run.network, state):
            pass


def test_a_damaged_file_is_one_clear_error(network):
    data = pack(network, Artifact(**EVERY_TENSOR))
    draw = np.random.default_rng(0)
    for place in [*range(20), *draw.integers(0, len(data), 50)]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << draw.integers(8)
        with pytest.raises(ValueError, match=r"^(this is no artifact|the artifact is damaged): "):
            artifact.load(bytes(damaged))
    for end in (0, 3, 10, 17, len(data) // 2, len(data) - 1):
        with pytest.raises(ValueError, match=r"^(this is no artifact|the artifact is damaged): "):
            artifact.load(data[:end])


@pytest.mark.parametrize("number", range(len(COMPRESSORS) + 1))
def test_a_file_whose_checksum_holds_but_whose_body_is_nonsense_is_one_clear_error(number):
    body = struct.pack("<BQ", number, 100) + b"nonsense"
    with pytest.raises(ValueError, match=r"^the artifact cannot be read: "):
        artifact.load(artifact_module.MAGIC + struct.pack("<I", zlib.crc32(body)) + body)


# --- in a run ---------------------------------------------------------------------------------------------------------


def test_a_completed_run_reports_the_size_and_the_score_and_nothing_before_does(config, run_to_end):
    ended = run_to_end(config, [2, 4])
    assert [r.artifact_bytes for r in ended.reports[:-1]] == [None, None]
    assert [r.val_bpb_quantised for r in ended.reports[:-1]] == [None, None]
    last = ended.last
    assert last.artifact_bytes == len(export(ended.run)) + source_bytes(config)
    assert (last.status, last.violation) == ("completed", "")


def test_over_the_limit_the_run_still_completes_and_names_the_violation(config, run_to_end):
    size = len(export(run_to_end(config).run)) + 1000
    for limit, says in ((size, ""), (size - 1, f"artifact {size:,} > {size - 1:,} bytes")):
        last = run_to_end(with_values(config, {"artifact.limit_bytes": limit, "artifact.code_bytes": 1000})).last
        assert (last.artifact_bytes, last.status, last.violation) == (size, "completed", says)


def test_an_export_changes_nothing_else_in_a_run(config, run_to_end, first_difference):
    with_export, without = run_to_end(config).numbers, run_to_end(replace(config, artifact=None)).numbers
    new = ("artifact_bytes", "val_loss_quantised", "val_bpb_quantised")
    assert all(with_export["report"].pop(name) and without["report"].pop(name) is None for name in new)
    assert first_difference(with_export, without) is None


def test_the_weights_exported_are_those_that_hooks_want_evaluated(config, run_to_end):
    averaged = run_to_end(with_value(config, "hooks.WeightAverage.decay", 0.9)).run
    names = [name for name, _ in averaged.network.named_parameters()]
    average = dict(zip(names, averaged.hook_states["WeightAverage"]["average"], strict=True))
    name = next(n for n in names if n.endswith("q_gain"))
    assert torch.equal(artifact.load(export(averaged))[name], average[name])
    assert not torch.equal(average[name], averaged.network.get_parameter(name))


def test_weights_trained_on_a_grid_are_stored_without_loss(config, run_to_end):
    """The int6 of the records: nothing is lost between the last evaluation and the file."""
    tricks = {"hooks.QuantisationAware.bits": 6, "artifact.bits": 6, "artifact.embedding": "fp16"}
    last = run_to_end(with_values(config, tricks)).last
    assert last.val_bpb_quantised == pytest.approx(last.val_bpb, rel=1e-4)


def test_a_diverged_run_exports_nothing(config, run_to_end):
    rates = {f"optimizer.{name}": 1e20 for name in ("matrix_lr", "scalar_lr", "tied_embed_lr")}
    last = run_to_end(with_values(config, rates)).last
    assert last.status == "diverged" and last.artifact_bytes is None


def test_validation_without_an_artifact_is_untouched(run):
    plain = replace(run.config, artifact=None)
    found = validation(run)
    run.config = plain
    assert validation(run) == found


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"bits": 9}, r"Artifact\.bits is 9 but must be in 4\.\.8"),
        ({"embedding": "int4"}, r"Artifact\.embedding is 'int4' but must be int8 or fp16"),
        ({"compressor": "zlip"}, r"Artifact\.compressor is 'zlip' .* did you mean 'zlib'\?"),
        ({"min_clip": -1.0}, r"Artifact\.min_clip is -1\.0"),
        ({"keep_elements": -1}, r"Artifact\.keep_elements is -1"),
        ({"limit_bytes": 0}, r"Artifact\.limit_bytes is 0"),
        ({"code_bytes": -1}, r"Artifact\.code_bytes is -1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(values, says):
    with pytest.raises(ValueError, match=says):
        Artifact(**values)
