"""--gpu-fraction auto: as many trials on a GPU as fit into its memory, on GPUs that are made up."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import pytest

from results.store import campaign_json
from results.store.campaign_json import CampaignFile
from tuner import start
from tuner.cli.option_groups import parser
from tuner.cluster import capacity, device_memory, gpu_parts, gpus, nodes
from tuner.cluster.nodes import Answer
from tuner.cluster.placement import MOST_SHARING, Node, Placement, part_for, slots
from tuner.own.train import settled as settled_of_own
from tuner.spec import CampaignSpec

GIB = 2**30
ASKED = CampaignSpec(space="toy", gpu_fraction="auto")


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be on a machine with two GPUs, and that a trial of the base needs so many GiB."""

    def pretend(need: float, each: float = 80, cores: int = 32, gpus: int = 2) -> None:
        monkeypatch.setattr(capacity, "available_cores", lambda: cores)
        monkeypatch.setattr(capacity.gpus, "count", lambda: gpus)
        monkeypatch.setattr(gpu_parts.gpus, "memory_of_each", lambda: [int(each * GIB)] * gpus)
        needed = SimpleNamespace(total=int(need * GIB))
        monkeypatch.setattr(device_memory, "needed_by", lambda *config: needed)

    return pretend


def settled(base, spec=ASKED):
    return gpu_parts.settled(start.machines(spec, None), [base], spec, None)[0]


@pytest.mark.parametrize(
    ("need", "trials"),
    [
        (0.1, MOST_SHARING),
        (6.0, 8),  # 10 GiB with the margin and CUDA's own
        (6.1, 7),
        (17.0, 3),
        (26.0, 2),
        (27.0, 1),
        (900.0, 1),  # whether it fits at all is said elsewhere
    ],
)
def test_as_many_trials_share_a_gpu_as_fit_and_no_more_than_eight(machine, toy_base, need, trials) -> None:
    machine(need)
    found = settled(toy_base)
    assert found.slots == 2 * trials and found.has_gpu
    assert int(1 / found.resources["gpu"] + 1e-6) == trials and found.resources["gpu"] * trials <= 1


def test_the_plan_says_how_many_share_a_gpu_and_why(machine, toy_base) -> None:
    machine(17.0)
    assert settled(toy_base).notes[-1] == (
        "GPU: 3 trials on each of 80.0 GiB (--gpu-fraction auto): by memory alone; 3 fit: a trial takes about 26.5 GiB "
        "(17.0 by a count of its tensors, times 1.5, and CUDA's own)"
    )
    machine(0.1)
    assert (
        "8 trials on each of 80.0 GiB (--gpu-fraction auto): by memory alone; 8 fit, at most 8:"
        in (settled(toy_base).notes[-1])
    )


def test_the_largest_config_that_is_known_decides(machine, toy_base, monkeypatch) -> None:
    machine(1.0)
    large = dataclasses.replace(toy_base, seed=1)
    sizes = {toy_base: 1 * GIB, large: 26 * GIB}
    monkeypatch.setattr(device_memory, "needed_by", lambda config, checkpointing: SimpleNamespace(total=sizes[config]))
    found, _ = gpu_parts.settled(start.machines(ASKED, None), [toy_base, large], ASKED, None)
    assert found.slots == 4


def test_the_smallest_gpu_decides(machine, toy_base, monkeypatch) -> None:
    machine(17.0)
    monkeypatch.setattr(gpu_parts.gpus, "memory_of_each", lambda: [80 * GIB, 55 * GIB])
    assert settled(toy_base).slots == 4


def test_more_at_a_time_than_fit_are_refused(machine, toy_base) -> None:
    machine(17.0)
    assert settled(toy_base, dataclasses.replace(ASKED, concurrent=6)).slots == 6
    with pytest.raises(ValueError, match=r"--concurrent is 7 but must be in 1\.\.6"):
        settled(toy_base, dataclasses.replace(ASKED, concurrent=7))


@pytest.mark.parametrize("trials", range(1, MOST_SHARING + 1))
def test_rays_rounding_leaves_no_trial_out(trials) -> None:
    node, part = Node("", "", 1, 64), part_for(trials)
    assert slots(node, Placement(part).resources([node])) == trials
    assert round(part, 4) == part and round(part * 10_000) * trials <= 10_000, "in Ray's own units"


def test_without_a_gpu_it_is_refused_in_one_line(machine) -> None:
    machine(1.0, gpus=0)
    with pytest.raises(ValueError, match=r"^--gpu-fraction auto shares a GPU among trials, but this machine has none"):
        start.machines(ASKED, None)


NODES = [Node("1", "small", 2, 32), Node("2", "large", 4, 64), Node("3", "head", 0, 8)]
BYTES = {"small": 55 * GIB, "large": 80 * GIB, "head": None}


@pytest.fixture
def cluster(monkeypatch):
    """Pretend to have joined a cluster."""

    def pretend(found=NODES, problem: str = "") -> None:
        def on_each(asked, call, question, seconds):
            assert call is nodes.measuring
            return [Answer(node.host, problem, gpu_bytes=BYTES[node.host]) for node in asked]

        monkeypatch.setattr(nodes, "alive", lambda: found)
        monkeypatch.setattr(nodes, "_on_each", on_each)
        monkeypatch.setattr(device_memory, "needed_by", lambda *config: SimpleNamespace(total=17 * GIB))

    return pretend


def test_on_a_cluster_the_smallest_gpu_of_all_nodes_decides(cluster, toy_base) -> None:
    cluster()
    found, _ = gpu_parts.settled(capacity.offered(NODES, None, Placement(0.125)), [toy_base], ASKED, "auto")
    assert found.slots == 2 * (2 + 4) and "2 trials on each of 55.0 GiB" in found.notes[-1]


def test_on_a_cluster_that_has_no_gpu_yet_a_number_is_asked_for(cluster, toy_base) -> None:
    cluster(NODES[2:])
    with pytest.raises(ValueError, match=r"^--gpu-fraction auto goes by a GPU's memory, but there is no GPU yet: give"):
        gpu_parts.settled(capacity.Cluster(1, {"gpu": 0.125, "cpu": 1.0}, True), [toy_base], ASKED, "auto")


def test_a_node_whose_gpus_do_not_say_is_named(cluster, toy_base) -> None:
    cluster(problem="the GPUs of node small do not say")
    with pytest.raises(ValueError, match=r"^the GPUs of node small do not say$"):
        gpu_parts.settled(capacity.offered(NODES, None, Placement(0.125)), [toy_base], ASKED, "auto")


def test_for_a_function_of_the_users_own_it_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^gpu_fraction is 'auto' but must be a number"):
        settled_of_own(ASKED, "loss", {})


def test_gpus_are_asked_by_a_process_of_its_own(monkeypatch) -> None:
    monkeypatch.setattr(gpus, "may_be_here", lambda: True)
    assert gpus.memory_of_each("print(7, 8)") == [7, 8] and gpus.memory_of_each("print()") == []
    with pytest.raises(OSError, match=r"^RuntimeError: no driver$"):
        gpus.memory_of_each("raise RuntimeError('no driver')")
    monkeypatch.setattr(gpus, "may_be_here", lambda: False)
    assert gpus.memory_of_each() == [] and nodes.measuring().gpu_bytes is None


def test_gpus_that_do_not_say_are_one_line(machine, toy_base, monkeypatch) -> None:
    def broken() -> list[int]:
        raise OSError("no driver")

    machine(1.0)
    monkeypatch.setattr(gpu_parts.gpus, "memory_of_each", broken)
    with pytest.raises(ValueError, match=r"^the GPUs of this machine do not say what memory they have: no driver$"):
        settled(toy_base)


def test_the_option_takes_a_number_or_auto_and_the_campaign_keeps_it() -> None:
    given = parser().parse_args(["--space", "toy", "--gpu-fraction", "auto"])
    assert given.gpu_fraction == "auto"
    assert parser().parse_args(["--gpu-fraction", "0.25"]).gpu_fraction == 0.25
    assert dataclasses.replace(ASKED, objective="val_bpb").to_json()["gpu_fraction"] == "auto"


def test_another_word_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--gpu-fraction", "half"])
    said = "'half' is not a part of a GPU, which is above 0 (0.001) and at most 1, or auto"
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("kept", "says"), [("auto", None), (0.5, None), (2, "gpu_fraction is 2"), ("half", "'half'")])
def test_a_campaigns_file_may_hold_a_part_or_auto(kept, says) -> None:
    found = {"knobs": {}, "gpu_fraction": kept}
    if says is None:
        campaign_json.check(CampaignFile, found)
        return
    with pytest.raises(ValueError, match=f"gpu_fraction.*{re.escape(says.removeprefix('gpu_fraction'))}"):
        campaign_json.check(CampaignFile, found)
