"""Files of a user's own that cannot be compiled: one line with file and line, each said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.own_files import forgotten
from trainable.own import modules as own_modules
from trainable.own import source as own_source

TEXTS = {
    "def f(:\n    pass\n": "odd_text.py, line 1: invalid syntax",
    "X = 1\nreturn X\n": "odd_text.py, line 2: SyntaxError: 'return' outside function",
    "\n\nfor x in ():\n    pass\nbreak\n": "odd_text.py, line 5: SyntaxError: 'break' outside loop",
    "exec('x = (')\n": "odd_text.py, line 1: SyntaxError: '(' was never closed",
}


@pytest.mark.parametrize("text", TEXTS)
def test_file_and_line_are_said_once(text, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd_text.py").write_text(text)
    with forgotten(), pytest.raises(ValueError, match=r"^odd_text\.py, line") as raised:
        own_modules.load([own_source.read("odd_text.py")])
    assert str(raised.value) == TEXTS[text]
