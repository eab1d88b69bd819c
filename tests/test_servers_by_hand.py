"""The servers of the tests that a person may start by hand: their help, and what they refuse."""

from __future__ import annotations

import runpy
import socket
import sys
from pathlib import Path

import pytest

from tests import hub_server


@pytest.mark.parametrize("file", ["hub_server.py", "s3_server.py"])
def test_help_is_printed_and_nothing_is_served(file: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", [file, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(Path(__file__).parent / file), run_name="__main__")
    said = capsys.readouterr()
    assert ended.value.code == 0 and said.out.startswith("usage: ") and said.err == ""


@pytest.mark.parametrize(("port", "rule"), [("x", "in 0..65,535"), ("70000", "in 0..65,535"), (None, "cannot be had")])
def test_a_port_that_cannot_be_had_is_one_line(port: str | None, rule: str, capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        try:
            code = hub_server.main([str(taken.getsockname()[1]) if port is None else port])
        except SystemExit as ended:
            code = ended.code
    said = capsys.readouterr()
    assert code == 2 and rule in said.err and said.err.count("\n") == 1 and said.out == ""
