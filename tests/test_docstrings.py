"""Docstrings are plain prose: each begins with a verb or a noun and is understood without its neighbours.

An indirect question ("Whether ...", "How many ...") and a fragment ("Of each ...", "In each layer.", "As above ...")
hold back what they are about, so that a reader must look at the code, or at the docstring before. Every module has a
docstring, and so has every public function and class of a module that is too long to explain itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("tuner", "results", "trainable", "search_spaces", "storage", "terminal", "benchmarks", "deploy")

QUESTION_WORDS = {"Can", "Does", "How", "Is", "Are", "Has", "What", "When", "Where", "Whether", "Which", "Who", "Why"}
FRAGMENT_WORDS = {"Against", "As", "By", "For", "From", "If", "In", "Inside", "Into", "It", "Nobody", "Not", "Nothing"}
FRAGMENT_WORDS |= {"Of", "On", "Only", "Over", "So", "Than", "That", "This", "Those", "To", "Under", "Unlike", "Until"}
RIDDLES = QUESTION_WORDS | FRAGMENT_WORDS | {"While", "Within"}
ECHOES = tuple(f"The same {word}" for word in ("after", "as", "at", "for", "of", "so", "where", "with", "within"))

QUESTIONS = "results/questions/"  # its functions answer a question each, and say which: test_catalogue.py asks for it
LONGEST_UNEXPLAINED = 12  # lines; methods are not counted: what they are for stands where their interface is

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def parsed() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every docstring of a module with the name of what it explains; that of the module itself has no name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | Definition) and (found := ast.get_docstring(node)):
            yield getattr(node, "name", ""), found


def is_riddle(docstring: str, may_ask: bool = False) -> bool:
    """Tell whether a docstring opens as an indirect question or a fragment, or asks where it ``may_ask`` nothing."""
    first = docstring.split("\n\n")[0]
    if "?" in first.split(". ")[0]:
        return not may_ask
    return docstring.split()[0].strip(".,:;") in RIDDLES or first.startswith(ECHOES)


def test_no_docstring_opens_as_a_question_or_a_fragment() -> None:
    found = [
        f"{path}: {name} {docstring.splitlines()[0]!r}"
        for path, tree in parsed()
        for name, docstring in docstrings(tree)
        if is_riddle(docstring, may_ask=path.startswith(QUESTIONS))
    ]
    assert not found, "begin with a verb or a noun:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "Whether the lock is held.",
        "How many trials have a value at the rung.",
        "In each layer.",
        "As it stands.",
        "Of one forward and backward pass.",
        "By reading.",
        "To two digits.",
        "The same for a text of several lines.",
        "Nothing to tell.",
        "Does every recorded run train here?",
        "Good values: do they lie at an edge?",
    ],
)
def test_a_riddle_is_known(text: str) -> None:
    assert is_riddle(text)


@pytest.mark.parametrize(
    "text",
    [
        "Tell whether the lock is held.",
        "Count the trials with a value at the rung.",
        "Options by mode: one table.",
        "Do a task, and keep what was found.",
        "Answer of a node.\n\nIs it alive? Then it has one.",
    ],
)
def test_plain_prose_is_none(text: str) -> None:
    assert not is_riddle(text)


def test_a_direct_question_stands_where_questions_are_answered_and_nowhere_else() -> None:
    text = "Which trials are the best? A row a trial."
    assert is_riddle(text) and not is_riddle(text, may_ask=True)
    assert is_riddle("Which trials are the best.", may_ask=True)


def unexplained(path: str, tree: ast.Module) -> Iterator[str]:
    """Name the module, and its long public functions and classes, where they have no docstring."""
    if tree.body and not ast.get_docstring(tree):
        yield path
    for node in tree.body:
        if not isinstance(node, Definition) or node.name.startswith("_") or ast.get_docstring(node):
            continue
        if (node.end_lineno or 0) - node.lineno >= LONGEST_UNEXPLAINED:
            yield f"{path}: {node.name}"


def test_every_module_and_every_long_public_function_and_class_has_a_docstring() -> None:
    assert not [name for path, tree in parsed() for name in unexplained(path, tree)]


def test_a_module_and_a_long_function_without_a_docstring_are_found() -> None:
    body = "".join(f"    x = {number}\n" for number in range(LONGEST_UNEXPLAINED))
    assert list(unexplained("a.py", ast.parse(f"def long():\n{body}"))) == ["a.py", "a.py: long"]
    assert not list(unexplained("a.py", ast.parse(f'"""A module."""\ndef long():\n    """Count."""\n{body}')))
    assert not list(unexplained("a.py", ast.parse(f'"""A module."""\ndef _own():\n{body}')))
