"""The article before a name."""

from __future__ import annotations

import pytest

from terminal.article import a


@pytest.mark.parametrize("said", ["an optimizer", "a hook", "an Artifact", "a Uniform", "an update_rule", "a schedule"])
def test_the_article_is_that_of_the_sound(said: str) -> None:
    assert a(said.partition(" ")[2]) == said
