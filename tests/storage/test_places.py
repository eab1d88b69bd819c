"""Texts that name a place, and texts that only look as if they did."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.location import KINDS, Url, absolute, is_path, local, location

REFUSED = {  # text -> what the one line must hold
    "": "'' names no place",
    "a\0b": r"control character '\x00'",
    "a\nb": r"control character '\n'",
    "\udcff": "must be UTF-8",
    "n" * 256: "a name of 256 bytes but at most 255 go",
    "ä" * 128: "a name of 256 bytes",
    "/".join(["ab"] * 3000): "longer than",
    "~nobody-of-that-name/runs": "there is no user 'nobody-of-that-name' here",
    "s3:/bucket/x": "did you mean 's3://bucket/x'?",
    "S3:bucket": "did you mean 's3://bucket'?",
    "s3//bucket/x": "did you mean 's3://bucket/x'?",
    "file:/tmp/x": "did you mean 'file:///tmp/x'?",
    "file:x": "is no URL",
    "file://host/x": "names the host 'host'",
    "file://~/x": "names the host '~'",
    "file://": "names the host ''",
    "file:///a?b": "must hold no query",
    "file:///a#b": "must hold no query",
    "file:///a%zz": "no percent-encoding",
    "file:///a%00": "control character",
    "file:///a%ff": "must be UTF-8",
    "simplecache::s3://bucket/x": "simplecache:: puts one kind of storage over another",
    "zip://a::s3://bucket/x": "zip://",
    "memory://runs": "memory:// is no place that lasts",
    "ftp://host/x": "ftp:// is no place that lasts",
    "github://owner:repo@main/x": "github:// is no place",
    "https://host/x": "https:// is no place",
    "hdfs://host/x": "hdfs:// is no place",
    "s3a://bucket/x": "did you mean s3://?",
    "abfz://bucket/x": "did you mean abfs://?",
    "://bucket": "is no place that lasts",
    " s3://bucket": "is no place that lasts",
    "host:/mnt/x": "looks like a URL or a host's folder",
    "C:\\runs": "a path of Windows",
    "C:/runs": "a path of Windows",
    "c:runs": "a path of Windows",
    "\\\\server\\runs": "a path of Windows",
    "s3://": "names no bucket",
    "s3://-b/x": "names no bucket",
    "s3://b:80/x": "nor a port",
    "s3://[b/x": "names no bucket",
    "s3://user@bucket/x": "no credentials",
    "s3://b/a b": "must not hold ' '",
    "s3://b/a%20b": "must not hold '%'",
    "s3://b/ä": "must not hold 'ä'",
    "s3://b/" + "x/" * 600: "1,200 bytes below its bucket",
}


@pytest.fixture(autouse=True)
def no_bucket_of_tests(monkeypatch) -> None:
    monkeypatch.delitem(KINDS, "memory")


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
def test_a_text_that_names_no_place_is_refused_in_one_line_and_makes_nothing(text, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as refused:
        location(text)
    assert REFUSED[text] in str(refused.value) and "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["s3:/key:hidden@bucket", "host:/x?key=hidden", "s3//key:hidden@bucket/a"])
def test_what_is_no_url_may_hold_a_secret_all_the_same_and_is_not_repeated(text) -> None:
    with pytest.raises(ValueError) as refused:
        location(text)
    assert "hidden" not in str(refused.value)


def test_a_home_is_where_the_shell_would_find_it(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert location("~") == tmp_path and location("~/runs/") == tmp_path / "runs"
    assert location("runs/~") == Path("runs/~")


def test_a_file_url_is_percent_encoded_and_of_this_host() -> None:
    assert location("file:///tmp/a%20b%3F") == Path("/tmp/a b?") == location("FILE://localhost/tmp/a%20b%3F")


def test_a_folder_that_only_has_a_name_like_a_url_is_said_by_its_path(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("~", "s3:", "C:x", "host:", "~x"):
        assert location(f"./{name}") == tmp_path / name
    assert location("run:1") == tmp_path / "run:1"


def test_the_current_folder_and_the_one_around_it_have_names(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert location(".") == tmp_path and location("..") == tmp_path.parent and location("a/..") == tmp_path
    assert location("a/") == Path("a")


def test_scheme_and_slashes_of_a_url_have_one_spelling() -> None:
    assert str(location("S3://Bucket//a/")) == "s3://Bucket/a"


def test_what_must_be_of_this_machine_is_no_url() -> None:
    assert local("a") == Path("a")
    with pytest.raises(ValueError, match="must be a path of this machine"):
        local("s3://bucket/a")


def test_a_path_is_told_from_a_name() -> None:
    for path in ("a/b", "./a", "/a", "a/", ".", "..", "~", "~a", "s3://b/a", "C:\\a"):
        assert is_path(path), path
    for name in ("a", "night-2", "a.b", "recorded"):
        assert not is_path(name), name


@given(st.text(max_size=30))
def test_any_text_is_a_place_that_can_be_written_down_or_one_line(text: str) -> None:
    try:
        place = location(text)
    except ValueError as error:
        assert str(error)
        return
    assert isinstance(place, Url | Path)
    assert location(absolute(place)) == (place if isinstance(place, Url) else Path(os.path.realpath(place)))
    assert absolute(location(str(place))) == absolute(place)
