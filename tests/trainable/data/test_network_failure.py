"""The words for a network failure: those of the system or the server, out of whatever a library wraps them in."""

from __future__ import annotations

import urllib.error
from email.message import Message

import pytest
import requests
import urllib3
from huggingface_hub import get_hf_file_metadata

from tests.hub_server import serving
from trainable.data.network_failure import network_reason


def of_requests(address: str) -> BaseException:
    with pytest.raises(requests.RequestException) as raised:
        requests.get(address, timeout=5)
    return raised.value


def test_a_refused_connection_is_said_in_the_systems_words_whatever_the_library(monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert network_reason(of_requests("http://127.0.0.1:9/x")) == "Connection refused"
    with pytest.raises(urllib.error.URLError) as raised:
        urllib.request.urlopen("http://127.0.0.1:9/x", timeout=5)
    assert network_reason(raised.value) == "Connection refused"
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert network_reason(of_requests("http://example.invalid/x")) == "Connection refused"  # of the proxy


def test_an_answer_of_the_server_is_said_by_its_number(monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    response = requests.Response()
    response.status_code = 403
    assert network_reason(requests.HTTPError("403 Client Error: ...", response=response)) == "the server answered 403"
    with serving() as made, pytest.raises(Exception, match="404") as raised:
        get_hf_file_metadata(f"{made.address}/no/such/file", endpoint=made.address)
    assert network_reason(raised.value) == "the server answered 404"
    assert network_reason(urllib.error.HTTPError("http://x", 500, "no", Message(), None)) == "the server answered 500"


def test_other_failures_are_one_short_line() -> None:
    assert network_reason(TimeoutError()) == "no answer in time"
    assert network_reason(urllib3.exceptions.ReadTimeoutError(None, "x", "Read timed out")) == "no answer in time"  # type: ignore[arg-type]
    assert network_reason(RuntimeError()) == "RuntimeError"
    assert len(network_reason(RuntimeError("x" * 5000))) <= 200 and network_reason(RuntimeError("one\ntwo")) == "one"
    own = ValueError("it came damaged: run it again")
    own.__context__ = ConnectionRefusedError(111, "Connection refused")
    assert network_reason(own) == "it came damaged: run it again"


def test_a_full_disk_is_said_as_one() -> None:
    assert network_reason(OSError(28, "No space left on device")) == "No space left on device"
