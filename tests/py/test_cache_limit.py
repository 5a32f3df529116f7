"""The cache stays within its limit: what was used longest ago goes, and nothing that is in use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py import Explorer
from h5explorer_py.cli import main
from h5explorer_py.errors import BadRequestError
from h5explorer_py.lookup import rows as lookup_rows
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.packed import room, store, using
from h5explorer_py.lookup.packed.claim import Claim
from h5explorer_py.lookup.packed.progress import Phase, Progress
from h5explorer_py.lookup.rows import LookupRows
from h5explorer_py.sizes import parse_size
from tests.py.support import COLUMNS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 3_000
ONE = 36 * ROWS + 20_000
"""Enough for a packed lookup; less than for two."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "SMALLEST", 1_000)
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 0.0)
    monkeypatch.setenv("H5EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(room.LIMIT_VARIABLE, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def lookups(tmp_path: Path) -> list[str]:
    return [write(tmp_path / f"l{number}.parquet", number) for number in range(4)]


def write(path: Path, seed: int, rows: int = ROWS, key: str = "") -> str:
    random = np.random.default_rng(seed)
    uuids = [key * row + str(UUID(bytes=random.bytes(16))) for row in range(rows)]
    pq.write_table(pa.table({"uuid": uuids, "filepath": [f"s{row % 7}" for row in range(rows)]}), path)
    return str(path)


def packed(lookup: str, limit: int | None = None) -> Progress:
    with closing(LookupRows(open_lookup(lookup, COLUMNS), cache=True, cache_limit=limit)) as rows:
        done = rows.prepare(30)
        assert rows.keys(7, 9).to_pydict() == pq.read_table(lookup).slice(7, 2).to_pydict()
        return done


def names(cache: Path) -> list[str]:
    return sorted(each.rpartition("-")[0] for each in os.listdir(cache / "lookups"))


def used(cache: Path, name: str, seconds: float) -> None:
    """Have it look as if it was used so many seconds ago."""
    (folder,) = (cache / "lookups").glob(f"{name}-*")
    os.utime(folder, (time.time() - seconds, time.time() - seconds))


def test_what_was_used_longest_ago_goes(cache: Path, lookups: list[str]) -> None:
    for lookup in lookups[:3]:
        assert packed(lookup, 3 * ONE).phase is Phase.READY
    assert names(cache) == ["l0", "l1", "l2"]
    for name, seconds in (("l0", 20), ("l1", 30), ("l2", 10)):
        used(cache, name, seconds)
    assert packed(lookups[3], 3 * ONE).phase is Phase.READY
    assert names(cache) == ["l0", "l2", "l3"]
    assert packed(lookups[0], 3 * ONE).phase is Phase.READY  # which is using it
    assert packed(lookups[1], 2 * ONE).phase is Phase.READY
    assert names(cache) == ["l0", "l1"]
    assert sum(each.bytes for each in store.kept_lookups(str(cache))) <= 2 * ONE


def test_listing_what_is_kept_is_no_use_of_it(
    cache: Path, lookups: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for lookup in lookups[:2]:
        packed(lookup)
    used(cache, "l0", 20)
    assert main(["cache", "list"]) == 0
    capsys.readouterr()
    assert packed(lookups[2], 2 * ONE).phase is Phase.READY
    assert names(cache) == ["l1", "l2"]


def test_without_a_limit_nothing_goes(cache: Path, lookups: list[str]) -> None:
    for lookup in lookups:
        packed(lookup)
    assert names(cache) == ["l0", "l1", "l2", "l3"]


def test_one_that_is_larger_than_the_limit_says_so_and_works_without(cache: Path, lookups: list[str]) -> None:
    packed(lookups[0])
    done = packed(lookups[1], 50_000)
    assert done.phase is Phase.FAILED
    assert done.message == (
        "The index takes 0.1 MB, and the cache is limited to 50.0 kB. "
        "Raise cache_limit or H5EXPLORER_CACHE_LIMIT, or clear the cache."
    )
    assert names(cache) == ["l0"]


def test_one_that_turns_out_to_be_larger_is_not_left_half(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that are no uuids are kept as texts, of any length."""
    monkeypatch.setattr(room, "_LOOK_SECONDS", 0.0)
    lookup = write(tmp_path / "texts.parquet", 1, rows=1_500, key="x")
    done = packed(lookup, 60_001)
    assert done.phase is Phase.FAILED
    assert "the cache is limited to 60.0 kB" in done.message
    assert names(cache) == []


def test_what_another_explorer_uses_stays(cache: Path, lookups: list[str]) -> None:
    with closing(LookupRows(open_lookup(lookups[0], COLUMNS), cache=True)) as first:
        assert first.prepare(30).phase is Phase.READY
        packed(lookups[1])
        used(cache, "l0", 20)
        assert packed(lookups[2], 2 * ONE).phase is Phase.READY
        assert names(cache) == ["l0", "l2"]
        done = packed(lookups[3], ONE)
        assert done.phase is Phase.FAILED
        assert done.message.startswith(
            "The cache is limited to 0.1 MB, and of that too much is in use. The index takes"
        )
        assert names(cache) == ["l0", "l2"]  # nothing goes in vain
    assert packed(lookups[3], ONE).phase is Phase.READY
    assert names(cache) == ["l3"]


@pytest.fixture
def reader(lookups: list[str]) -> Iterator[subprocess.Popen[str]]:
    code = (
        "import sys\n"
        "from h5explorer_py.lookup.packed import store\n"
        "store.SMALLEST = 1_000\n"
        "from h5explorer_py import Explorer\n"
        "ex = Explorer(sys.argv[1])\n"
        "print(ex.prepare(30)['phase'], flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, lookups[0]], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_what_another_kernel_uses_stays_until_it_ends(
    cache: Path, lookups: list[str], reader: subprocess.Popen[str]
) -> None:
    assert packed(lookups[1], ONE).phase is Phase.FAILED
    reader.kill()  # without a word
    reader.wait()
    assert packed(lookups[1], ONE).phase is Phase.READY
    assert names(cache) == ["l1"]
    assert os.listdir(cache / "using") == []


def test_what_is_just_being_packed_stays(cache: Path, lookups: list[str]) -> None:
    packed(lookups[0])
    (folder,) = map(str, (cache / "lookups").glob("l0-*"))
    claim = Claim(folder)
    assert claim.take()
    fields = json.loads((cache / "lookups" / folder / "owner.json").read_text())
    (cache / "lookups" / folder / "owner.json").write_text(json.dumps({**fields, "host": "another"}))
    assert packed(lookups[1], ONE).phase is Phase.FAILED
    assert "l0" in names(cache)


def test_the_sign_of_another_machine_counts_for_a_day(cache: Path, lookups: list[str]) -> None:
    packed(lookups[0])
    sign = using.Use(next(map(str, (cache / "lookups").glob("l0-*"))))
    path = Path(sign._path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "host": "another"}))
    assert packed(lookups[1], ONE).phase is Phase.FAILED
    os.utime(path, (time.time() - 90_000,) * 2)
    assert packed(lookups[1], ONE).phase is Phase.READY


def test_the_explorer_and_the_environment_set_it(
    lookups: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Explorer(lookups[0], cache_limit="50 kB")) as explorer:
        assert "the cache is limited to 50.0 kB" in explorer.prepare(30)["message"]
        explorer.open(lookups[1])
        assert "the cache is limited to 50.0 kB" in explorer.prepare(30)["message"]
        explorer.open(lookups[1], cache_limit=10 * ONE)
        assert explorer.prepare(30)["phase"] == "ready"
    monkeypatch.setenv(room.LIMIT_VARIABLE, "60kB")
    assert "the cache is limited to 60.0 kB" in packed(lookups[2]).message
    assert packed(lookups[2], 10 * ONE).phase is Phase.READY
    assert main(["cache", "list"]) == 0
    assert " of 60.0 kB, in " in capsys.readouterr().out
    assert main(["cache", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["limit"] == 60_000
    monkeypatch.setenv(room.LIMIT_VARIABLE, "a lot")
    assert packed(lookups[3]).message == "H5EXPLORER_CACHE_LIMIT is 'a lot', which is no size, such as 20 GB."
    assert main(["cache", "list"]) == 1


def test_the_command_that_packs_takes_it(lookups: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "build", lookups[0], "--cache-limit", "50kB"]) == 1
    assert "the cache is limited to 50.0 kB" in capsys.readouterr().err
    assert main(["cache", "build", lookups[0], "--cache-limit", "1 MB"]) == 0
    with pytest.raises(SystemExit, match="2"):
        main(["cache", "build", lookups[0], "--cache-limit", "much"])
    assert "'much' is no size, such as 20 GB." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "size"),
    [(1, 1), ("1024", 1024), ("20 GB", 20 * 10**9), ("1.5tb", 15 * 10**11), (" 512 MiB ", 512 << 20), ("3 b", 3)],
)
def test_a_size_is_understood(text: Any, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", 0, "0.1", "1 PB", "1e9", "1,000", "٣", True, "1 ib", None])
def test_what_is_no_size_is_refused(text: Any) -> None:
    with pytest.raises(BadRequestError, match="is no size, such as 20 GB"):
        parse_size(text)


@given(st.one_of(st.text(), st.integers(), st.floats()))
def test_whatever_is_said_is_a_size_or_refused(text: Any) -> None:
    with suppress(BadRequestError):
        assert parse_size(text) >= 1
