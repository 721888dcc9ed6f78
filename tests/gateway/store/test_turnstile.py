"""The queue before the write lock, among threads and among processes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.store.sqlite.members import Membership, gone
from gateway.store.sqlite.turnstile import Turnstile


def test_only_one_process_has_its_turn(tmp_path: Path) -> None:
    # A second opening of the files stands for a second process: the kernel sees no difference.
    one, two = Turnstile(tmp_path, seconds=30), Turnstile(tmp_path, seconds=0.01)
    with one.turn(), pytest.raises(Unavailable, match="busy"), two.turn():
        pass
    with two.turn():
        pass
    one.close()
    two.close()


def test_only_one_thread_has_its_turn(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path, seconds=30)
    inside, most = 0, 0
    guard = threading.Lock()

    def take_turns() -> None:
        nonlocal inside, most
        for _ in range(50):
            with turnstile.turn():
                with guard:
                    inside += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=take_turns) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    turnstile.close()


def test_a_turn_that_failed_is_given_back(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path, seconds=0.05)
    with pytest.raises(RuntimeError), turnstile.turn():
        raise RuntimeError
    with turnstile.turn():
        pass
    turnstile.close()


def test_a_member_is_there_until_it_leaves(tmp_path: Path) -> None:
    member = Membership(tmp_path, "a1")
    assert not gone(tmp_path, "a1")
    member.close()
    member.close()
    assert gone(tmp_path, "a1")


def test_a_file_that_nobody_holds_is_of_a_process_gone(tmp_path: Path) -> None:
    (tmp_path / "a1").touch()
    assert gone(tmp_path, "a1")
    assert not (tmp_path / "a1").exists()
