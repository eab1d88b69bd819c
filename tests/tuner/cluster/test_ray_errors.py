from __future__ import annotations

import pytest

from tuner.cluster import ray_errors
from tuner.cluster.ray_errors import ray_error_line

FAILED_SERVER = """Failed to start GCS.
Last 2 lines of error file:
======
[C] gcs_server.cc:10: starting
[C] gcs_server.cc:99: Address already in use
======
"""
RAISED = """\x1b[36mray::answer()\x1b[39m (pid=1, ip=10.0.0.1)
  File "nodes.py", line 1, in answer
ModuleNotFoundError: No module named 'tuner'
"""
PACKAGE = """Failed to set up runtime environment.
Could not create the actor because its associated runtime env failed to be created.
Traceback (most recent call last):
  File "packaging.py", line 1, in upload
RuntimeError: Package size exceeds the limit
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nobody there", "nobody there"),
        (FAILED_SERVER, "Failed to start GCS. ... [C] gcs_server.cc:99: Address already in use"),
        (RAISED, "ModuleNotFoundError: No module named 'tuner'"),
        (PACKAGE, "RuntimeError: Package size exceeds the limit"),
        ("no token was found.\n\n  See the   docs.\n", "no token was found. ... See the docs."),
        ("", "it does not say why"),
        ("\n===\n", "it does not say why"),
    ],
)
def test_the_line_holds_the_cause_wherever_ray_has_put_it(text, said) -> None:
    assert ray_error_line(text) == said
    if text.strip():
        assert ray_error_line(RuntimeError(text)) == (said if "does not say" not in said else "RuntimeError")


def test_an_error_that_hides_its_cause_tells_it_once() -> None:
    hiding = ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379")
    hiding.__cause__ = RuntimeError("Timed out while waiting for GCS\nafter 5 s")
    assert ray_error_line(hiding) == (
        "Failed to connect to Ray cluster at 10.0.0.1:6379: Timed out while waiting for GCS ... after 5 s"
    )
    hiding.__cause__ = RuntimeError("10.0.0.1:6379")
    assert ray_error_line(hiding) == "Failed to connect to Ray cluster at 10.0.0.1:6379"


def test_an_error_without_a_text_is_named_by_its_type() -> None:
    assert ray_error_line(TimeoutError()) == "TimeoutError"


def test_a_line_is_short_and_one() -> None:
    said = ray_error_line(RuntimeError("a" * 5000 + "\n" + "b" * 5000))
    assert len(said) <= ray_errors.LONGEST and "\n" not in said and "aaa..." in said and "bbb..." in said
