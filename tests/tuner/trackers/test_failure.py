"""What a tracker's error says is printed: no key and no password is in it."""

from __future__ import annotations

from tuner.trackers.failure import failure


def test_keys_of_the_environment_and_passwords_in_urls_are_not_said(monkeypatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "f00dfeedf00dfeed")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")  # too short to tell from other text
    said = failure(
        ConnectionError("401 for key f00dfeedf00dfeed at https://me:pass@host/x?y=abc,\n http://t0ken@other")
    )
    assert said == "ConnectionError: 401 for key [WANDB_API_KEY] at https://...@host/x?y=abc, http://...@other"


def test_an_error_without_a_message_is_its_kind() -> None:
    assert failure(MemoryError()) == "MemoryError: "
