"""The bundle of CORE's questions: fetched whole or not at all, and refused in one line where it is not one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import made_up_core
from trainable.data import core_bundle
from trainable.data.core_bundle import fetch_bundle, folder_in, is_here, questions_of, tasks_of


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made-up bundle as a zip file at the address."""
    made_up_core.write(tmp_path / "made")
    file = Path(shutil.make_archive(str(tmp_path / "eval_bundle"), "zip", tmp_path / "made"))
    monkeypatch.setattr(core_bundle, "ADDRESS", file.as_uri())
    return file


def test_it_is_downloaded_once_and_read(published: Path, tmp_path: Path) -> None:
    said: list[str] = []
    cache = tmp_path / "cache"
    assert not is_here(cache)
    folder = fetch_bundle(cache, said.append)
    assert folder == folder_in(cache) and is_here(cache) and len(said) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["eval_bundle"], "nothing half-written is left"
    published.unlink()
    assert fetch_bundle(cache, said.append) == folder and len(said) == 1
    tasks = {task.label: task for task in tasks_of(folder)}
    assert {label: 100 * task.chance for label, task in tasks.items()} == made_up_core.CHANCES
    assert (tasks["pick"].delimiter, tasks["who"].delimiter, tasks["pick"].examples) == ("\nAnswer: ", " ", 2)
    assert all(len(questions_of(task)) == 9 for task in tasks.values())


@pytest.mark.parametrize("wrong", ["no answer", "no zip file", "another zip file"])
def test_what_cannot_be_had_is_one_line_that_says_where_it_belongs(published, tmp_path, monkeypatch, wrong) -> None:
    if wrong == "no answer":
        monkeypatch.setattr(core_bundle, "ADDRESS", "http://127.0.0.1:9/eval_bundle.zip")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    elif wrong == "no zip file":
        published.write_bytes(b"<html>not here</html>")
    else:
        (tmp_path / "other").mkdir()
        shutil.make_archive(str(published.with_suffix("")), "zip", tmp_path / "other")
    cache = tmp_path / "cache"
    with pytest.raises(ValueError, match=r"could not download the questions of CORE from .*: where there is") as raised:
        fetch_bundle(cache, lambda line: None)
    assert "\n" not in str(raised.value) and str(folder_in(cache)) in str(raised.value)
    assert not cache.exists()


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("core.yaml", "schema", "scheme", "the task who is of the form 'scheme', not one of multiple_choice"),
        ("core.yaml", "icl_tasks:", "icl_tasks: [", "is no bundle of CORE's tasks: while parsing"),
        ("core.yaml", "icl_tasks:", "tasks:", "there is no 'icl_tasks'"),
        ("eval_meta_data.csv", "who,", "whom,", "is no bundle of CORE's tasks: there is no 'who'"),
        ("eval_meta_data.csv", "25.0", "100", "chance answers 100 % of pick right"),
        ("eval_data/some/pick.jsonl", "{", "", "pick.jsonl, line 1: "),
        ("eval_data/some/pick.jsonl", '"gold"', '"silver"', "line 1: gold is null but must be in 0..3"),
        ("eval_data/some/who.jsonl", '"continuation"', '"cont"', "line 1: continuation must be a text"),
        ("eval_data/some/pick.jsonl", '"choices": [', '"choices": [], "others": [', "choices must be a list of texts"),
    ],
)
def test_a_bundle_that_is_none_is_refused_in_one_line(tmp_path: Path, file, old, new, message) -> None:
    folder = made_up_core.write(tmp_path)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as raised:
        for task in tasks_of(folder):
            questions_of(task)
    assert "\n" not in str(raised.value)


def test_a_task_needs_more_questions_than_it_shows(tmp_path: Path) -> None:
    folder = made_up_core.write(tmp_path, questions=2)
    with pytest.raises(ValueError, match="has 2 questions, but pick shows 2 others before each"):
        questions_of(tasks_of(folder)[0])
