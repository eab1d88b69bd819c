from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from ray.exceptions import GetTimeoutError

from trainable.data.dataset import DataConfig
from tuner.cluster import nodes
from tuner.cluster.nodes import Answer
from tuner.cluster.placement import Node

HERE = [Node("1", "head", 0, 0.0), Node("2", "worker", 2, 8.0, "L4")]
DATA = DataConfig()


def test_a_row_of_rays_becomes_a_node() -> None:
    have = {"CPU": 8.0, "GPU": 2.0, "accelerator_type:L4": 1.0, "memory": 5.0}
    row = {"NodeID": "2", "NodeManagerHostname": "worker", "Resources": have}
    assert nodes.node_of(row) == HERE[1]
    assert nodes.node_of({**row, "Resources": {"memory": 1.0}}) == Node("2", "worker", 0, 0.0)


@pytest.fixture
def prepared(monkeypatch, dataset) -> None:
    monkeypatch.setattr(nodes, "prepare", lambda config, train_tokens_needed=None: dataset)


def test_nodes_that_see_the_folder_and_have_the_data_are_named_by_device(prepared, tmp_path) -> None:
    def ask(found, question):
        return [nodes.answer(*question) for _ in found]

    seen = nodes.check(HERE, tmp_path / "runs", DATA, "made-up", None, ask)
    assert seen == {"1": nodes.processor(), "2": "L4"}
    assert list((tmp_path / "runs").iterdir()) == []  # no trace of the question


def test_a_folder_that_a_node_does_not_share_is_one_clear_line(tmp_path) -> None:
    def ask(found, question):
        (tmp_path / "runs" / question[0].rpartition("/")[2]).unlink()
        return [nodes.answer(*question) for _ in found]

    with pytest.raises(ValueError, match=r"--results '.*/runs' is not shared: node \S+ does not see"):
        nodes.check(HERE, tmp_path / "runs", DATA, "made-up", None, ask)


def test_a_folder_of_the_same_name_with_other_content_is_not_the_drivers(tmp_path) -> None:
    sign = tmp_path / ".seen-0"
    sign.write_text("another")
    assert "is not shared" in nodes.answer(str(sign), "secret", DATA, None).problem


def test_a_node_without_the_data_is_named(monkeypatch, tmp_path) -> None:
    def missing(config, train_tokens_needed=None):
        raise ValueError("there are no data '/data', which is neither a file or folder nor a dataset")

    monkeypatch.setattr(nodes, "prepare", missing)
    sign = tmp_path / ".seen-0"
    sign.write_text("secret")
    problem = nodes.answer(str(sign), "secret", DATA, None).problem
    assert problem.startswith("node ") and "lacks the data: there are no data '/data'" in problem


def test_a_node_with_other_data_is_refused(prepared, tmp_path) -> None:
    with pytest.raises(ValueError, match="on node worker have fingerprint other, not made-up"):
        nodes.check(HERE[1:], tmp_path, DATA, "made-up", None, lambda *_: [Answer("worker", fingerprint="other")])


class SilentRay:
    """Plays a Ray of which one node never answers; ``asked`` are the calls and the seconds that each was given."""

    def __init__(self, silent: str, stage: str) -> None:
        self.silent, self.stage, self.asked = silent, stage, []  # type: ignore[var-annotated]

    def remote(self, **options):
        def of(call):
            return SimpleNamespace(
                options=lambda scheduling_strategy: SimpleNamespace(
                    remote=lambda *question: (call, scheduling_strategy.node_id)
                )
            )

        return of

    def get(self, reference, timeout: float) -> Answer:
        call, node = reference
        self.asked.append((call.__name__, timeout))
        if call.__name__ == self.stage and node == self.silent:
            raise GetTimeoutError
        return Answer(node)


@pytest.mark.parametrize(("stage", "seconds"), [("greeting", "180"), ("answer", "3600")])
def test_a_node_that_never_answers_is_named_after_a_while(monkeypatch, tmp_path, stage, seconds) -> None:
    ids = [replace(node, id=str(index) * 56) for index, node in enumerate(HERE)]
    played = SilentRay("1" * 56, stage)
    monkeypatch.setattr(nodes, "ray", played)
    with pytest.raises(ValueError, match=f"^node worker does not answer: nothing came within {seconds} s$"):
        nodes.check(ids[1:], tmp_path, DATA, "", None, nodes.ask_each)
    assert all(0 < limit <= float(seconds) or name == "greeting" for name, limit in played.asked)
    assert ("answer" in dict(played.asked)) == (stage == "answer"), "nobody prepares data where a node is silent"
    assert list(tmp_path.iterdir()) == []
