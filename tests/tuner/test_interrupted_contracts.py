"""A signal while contracts are asked: pytest, which catches output and interrupts, does not keep the line back."""

from __future__ import annotations

import os
import signal

import pytest

from tuner import contracts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_one_line_and_its_exit_code(number, tmp_path, monkeypatch, capfd) -> None:
    def interrupted_pytest(*arguments: object, **named: object) -> int:
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:  # as pytest does
            return int(pytest.ExitCode.INTERRUPTED)
        return 0

    monkeypatch.setattr(contracts, "define", lambda given: ["Steady"])
    monkeypatch.setattr(pytest, "main", interrupted_pytest)
    assert contracts.main(["steady.py"]) == 128 + number
    assert capfd.readouterr().err == "python -m tuner.contracts: interrupted\n"


def test_a_file_whose_name_begins_as_an_option_is_named(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-x.py").write_text("")
    for name, hint in (("-x.py", "; the file is './-x.py'"), ("-y.py", "")):
        with pytest.raises(SystemExit) as ended:
            contracts.main([name])
        said = f"python -m tuner.contracts: unknown option {name!r}: valid options: --help, -h{hint}\n"
        assert (ended.value.code, capsys.readouterr().err) == (2, said)
