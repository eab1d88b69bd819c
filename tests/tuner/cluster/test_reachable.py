from __future__ import annotations

import socket

import pytest

from tuner.cluster import reachable


@pytest.mark.parametrize("port", ["99999", "0", "six", "", "-1", "٣"])
def test_a_port_that_is_none_is_named(port) -> None:
    with pytest.raises(ValueError, match=r"--address '127\.0\.0\.1:.*' has the port .* in 1\.\.65535"):
        reachable.check(f"127.0.0.1:{port}")


def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reachable.check(f"127.0.0.1:{port}")
        reachable.check(f"ray://127.0.0.1:{port}")
    with pytest.raises(ValueError, match=rf"^no Ray cluster can be reached at '127\.0\.0\.1:{port}': \S"):
        reachable.check(f"127.0.0.1:{port}")


def test_a_host_whose_name_cannot_be_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^no Ray cluster can be reached at"):
        reachable.check(f"{'a' * 70}.invalid:6379")


def test_auto_at_a_cluster_that_is_over_is_refused_with_its_address(monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(reachable, "canonicalize_bootstrap_address", lambda address: gone)
        reachable.check("auto")
    with pytest.raises(ValueError, match=rf"^no Ray cluster can be reached at 'auto' \({gone}\): \S"):
        reachable.check("auto")


@pytest.mark.parametrize("address", ["auto", "local", "anyscale://there"])
def test_other_forms_are_left_to_ray(address, monkeypatch) -> None:
    monkeypatch.setattr(reachable, "canonicalize_bootstrap_address", lambda address: None)
    reachable.check(address)
