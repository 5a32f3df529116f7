"""The right to write to a folder: one at a time, and no longer than its owner lives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from h5explorer_py.lookup.packed import claim as claims
from h5explorer_py.lookup.packed.claim import FRESH_SECONDS, LONGEST_SECONDS, Claim, ClaimLostError
from h5explorer_py.lookup.packed.layout import HEADER, OWNER
from h5explorer_py.owner import Owner, started_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def another() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


ELSEWHERE = Owner("elsewhere", "another run", 1, "7")


def of(process: int) -> Owner:
    own = Owner.own()
    return Owner(own.host, own.boot, process, started_at(process) or "7")


def sign(folder: Path, owner: Owner, age: float = 0.0) -> None:
    (folder / OWNER).write_text(json.dumps({**owner.to_json(), "token": "theirs"}))
    os.utime(folder / OWNER, (time.time() - age, time.time() - age))
    (folder / HEADER).write_text("{}")


def gone() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_one_at_a_time(tmp_path: Path) -> None:
    first, second = Claim(str(tmp_path)), Claim(str(tmp_path))
    assert not first.is_held
    assert first.take()
    assert second.is_held
    assert not second.take()
    second.leave()
    assert not second.take()
    first.leave()
    assert second.take()
    second.renew()
    second.leave()
    assert not os.listdir(tmp_path)


def test_of_many_who_ask_at_once_one_gets_it(tmp_path: Path) -> None:
    sign(tmp_path, ELSEWHERE, FRESH_SECONDS + 5)
    all_claims = [Claim(str(tmp_path)) for _ in range(16)]
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(Claim.take, all_claims)) == 1


def test_one_that_is_gone_leaves_what_it_has_written(tmp_path: Path) -> None:
    sign(tmp_path, of(gone()))
    claim = Claim(str(tmp_path))
    assert not claim.is_held
    assert claim.take()
    assert (tmp_path / HEADER).exists()


def test_one_that_lives_holds_it_for_long(tmp_path: Path, another: subprocess.Popen[bytes]) -> None:
    sign(tmp_path, of(another.pid), FRESH_SECONDS + 5)
    assert not Claim(str(tmp_path)).take()
    sign(tmp_path, of(another.pid), LONGEST_SECONDS + 5)  # its number names another by now
    assert Claim(str(tmp_path)).take()
    assert not (tmp_path / HEADER).exists()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "7", '{"host": "elsewhere", "boot": "", "pid": "x", "started": ""}', "\udcff"]
)
def test_a_sign_that_says_nothing_counts_while_it_is_fresh(tmp_path: Path, text: str) -> None:
    (tmp_path / OWNER).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not Claim(str(tmp_path)).take()
    os.utime(tmp_path / OWNER, (time.time() - 100, time.time() - 100))
    assert Claim(str(tmp_path)).take()


def test_a_number_that_names_another_process_by_now(tmp_path: Path, another: subprocess.Popen[bytes]) -> None:
    sign(tmp_path, replace(of(another.pid), started="7"))
    assert Claim(str(tmp_path)).take()
    assert (tmp_path / HEADER).exists()


def test_one_on_another_machine_is_taken_over_and_begun_anew(tmp_path: Path) -> None:
    sign(tmp_path, ELSEWHERE)
    assert not Claim(str(tmp_path)).take()
    assert (tmp_path / HEADER).exists()
    sign(tmp_path, ELSEWHERE, FRESH_SECONDS + 5)
    assert Claim(str(tmp_path)).take()
    assert not (tmp_path / HEADER).exists()


def test_the_clock_of_the_folder_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(tmp_path, ELSEWHERE)
    real = time.time
    monkeypatch.setattr(claims.time, "time", lambda: real() + 10_000)
    assert not Claim(str(tmp_path)).take()


def test_one_that_was_taken_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Claim(str(tmp_path))
    assert first.take()
    monkeypatch.setattr(claims, "FRESH_SECONDS", 0.0)
    first.renew()
    second = Claim(str(tmp_path))
    assert second.take()
    with pytest.raises(ClaimLostError):
        first.renew()
    first.leave()
    second.renew()
    (tmp_path / OWNER).unlink()
    with pytest.raises(ClaimLostError):
        second.renew()
