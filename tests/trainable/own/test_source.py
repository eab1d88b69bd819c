"""Source code of a user's own as data: what is read, what is refused, and when two are the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from trainable.own import source as own_source
from trainable.own.source import Source, fingerprints

TEXT = '"""A trick."""\n\nVALUE = 1\n'


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_one_module_by_the_name_of_the_file() -> None:
    Path("my_tricks.py").write_text(TEXT)
    source = own_source.read("my_tricks.py")
    assert (source.name, source.file, source.modules) == ("my_tricks", "my_tricks.py", {"my_tricks": "my_tricks.py"})
    assert Source.of_json(json.loads(json.dumps(source.to_json()))) == source
    assert source.identity == f"my_tricks@{source.digest}" and len(source.digest) == 64


def test_a_package_is_all_its_files_and_a_module_in_it_is_named_with_points() -> None:
    Path("project/inner").mkdir(parents=True)
    for name in ("__init__", "tricks", "inner/__init__", "inner/deep"):
        Path(f"project/{name}.py").write_text(TEXT)
    Path("project/.hidden.py").write_text(TEXT)
    whole = own_source.read("project/")
    assert whole.name == "project" and set(whole.modules) == {
        "project", "project.tricks", "project.inner", "project.inner.deep",
    }  # fmt: skip
    assert whole.file == "project/__init__.py"


def test_a_module_is_found_by_its_name_and_is_not_executed(workplace, monkeypatch) -> None:
    (workplace / "elsewhere" / "pack").mkdir(parents=True)
    (workplace / "elsewhere" / "alone_of_mine.py").write_text("raise SystemExit('executed')")
    (workplace / "elsewhere" / "pack" / "__init__.py").write_text("raise SystemExit('executed')")
    (workplace / "elsewhere" / "pack" / "part.py").write_text(TEXT)
    monkeypatch.syspath_prepend(str(workplace / "elsewhere"))
    assert own_source.read("alone_of_mine").file == "alone_of_mine.py"
    assert own_source.read("pack.part").file == "pack/part.py" and set(own_source.read("pack.part").files) == {
        "pack/__init__.py",
        "pack/part.py",
    }
    with pytest.raises(ValueError, match=r"package 'pack' has no module 'pack.prt': did you mean 'pack.part'"):
        own_source.read("pack.prt")


def test_ends_of_lines_and_a_mark_of_byte_order_make_no_other_source() -> None:
    Path("a.py").write_bytes(TEXT.encode())
    Path("b").mkdir()
    Path("b/a.py").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert own_source.read("a.py") == own_source.read("b/a.py")
    Path("a.py").write_bytes(TEXT.encode() + b"#")
    assert own_source.read("a.py").digest != own_source.read("b/a.py").digest


WRONG = {
    "no_such.py": "there is no file 'no_such.py': ",
    "tricky.py": "there is no file 'tricky.py': did you mean 'tricks.py'",
    "trickz": "'trickz' is neither a file nor a module that can be imported: did you mean 'tricks.py'",
    "notes.txt/": "'notes.txt' is no file of Python: its name must end in .py",
    "my-tricks.py": "'my-tricks' is no name of a Python module; rename it, as to 'my_tricks.py'",
    "latin.py": "'latin.py' cannot be read: it is no UTF-8 text",
    "large.py": r"'large.py' cannot be taken along: it holds 262,145 bytes but may",
    "json": "'json' is Python's own",
    "UPPER.PY": "'UPPER.PY' is no file of Python: its name must end in .py",
    "json.py.txt": r"'json.py.txt' is no file of Python: its name must end in .py",
    "notes.txt": "'notes.txt' is no file of Python: its name must end in .py",
    "torch": "'torch' is an installed package .*, which cannot be taken along: give a file of your own",
    "empty_folder/": "'empty_folder' is a folder without __init__.py",
    "s3://bucket/tricks.py": "must be a path of this machine",
    "": "'' is neither a file nor a module",
    "..": "is a folder without __init__.py",
    "pipe.py": "'pipe.py' cannot be read: it is no file",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_source_is_one_line(text) -> None:
    Path("tricks.py").write_text(TEXT)
    Path("notes.txt").write_text(TEXT)
    for name in ("UPPER.PY", "json.py.txt", "my-tricks.py"):
        Path(name).write_text(TEXT)
    Path("latin.py").write_bytes("# \xe4".encode("latin-1"))
    Path("large.py").write_text("#" * (own_source.FILE_BYTES + 1))
    Path("empty_folder").mkdir()
    os.mkfifo("pipe.py")
    with pytest.raises(ValueError, match=WRONG[text]) as raised:
        own_source.read(text)
    assert "\n" not in str(raised.value)


def test_more_than_may_travel_with_every_trial_is_refused() -> None:
    Path("pack").mkdir()
    for name in ("__init__", *(f"part{i}" for i in range(5))):
        Path(f"pack/{name}.py").write_text("#" * (own_source.FILE_BYTES - 1))
    with pytest.raises(ValueError, match=r"pack: 6 files of 1,572,858 bytes, .* at most 200 files of 1,048,576 bytes"):
        own_source.read("pack/")


def test_the_fingerprint_of_a_module_is_that_of_all_that_it_imports_and_of_nothing_else() -> None:
    low, high, other = (Source(n, {f"{n}.py": t}) for n, t in (("low", "X = 1"), ("high", "import low"), ("other", "")))
    changed = Source("low", {"low.py": "X = 2"})
    before, after = fingerprints([low, high, other]), fingerprints([other, high, changed])
    assert before["low"] != after["low"] and before["high"] != after["high"] and before["other"] == after["other"]
    assert fingerprints([high])["high"] != before["high"]
