"""Data that has moved: what is said is true, and what is suggested opens it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import threading
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py import Explorer, errors, session
from h5explorer_py.dataset import Dataset
from h5explorer_py.moved import Sought, absence
from h5explorer_py.shards import ShardPaths
from tests.fixtures.datasets import GOOD_SHARDS, key
from tests.py.support import COLUMNS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Make = Callable[..., Explorer]

NAMES = st.sampled_from(["a", "b", "lab", "data", 'x "y"', "{z}", "ü", "it's", "back\\slash", "2020: new"])
FOLDERS = st.lists(NAMES, min_size=1, max_size=4)
INSIDE = st.lists(NAMES, max_size=2)


def there(files: Iterable[str]) -> Callable[[str], bool]:
    """A file system with these files and the folders above them."""
    known = {"/"}
    for file in files:
        known |= {file, *map(str, PurePosixPath(file).parents)}
    return lambda path: os.path.normpath(path) in known


def path(*names: str) -> str:
    return "/" + "/".join(names)


def sought(filepaths: Iterable[str], folder: str, root: Any = None) -> list[Sought]:
    return [Sought(each, ShardPaths(root).files(each, folder).images, folder) for each in filepaths]


def suggested(action: str) -> Any:
    found = re.search(r"open it with root=(.*)\.$", action, re.DOTALL)
    assert found, action
    return ast.literal_eval(found[1])


def test_the_sentence() -> None:
    shards = sought(["/old/lab/data/s_1", "/old/lab/data/s_2"], "/home/me/project")
    found = absence(shards, there(["/old/readme", "/home/me/project/lookup.parquet"]))
    assert str(found) == (
        "Files below /old/lab/data are not there (/old is). "
        'If the data has moved, open it with root={"/old/lab/data": "/where/it/is/now"}.'
    )
    now = there(["/old/readme", "/home/me/data/s_1_images.h5", "/home/me/data/s_2_images.h5"])
    assert str(absence(shards, now)) == (
        "Files below /old/lab/data are not there (/old is). "
        'It seems to be in /home/me/data: open it with root={"/old/lab/data": "/home/me/data"}.'
    )
    assert absence(shards, there(["/old/lab/data/s_1_images.h5", "/old/lab/data/s_2_images.h5"])) is None
    some = absence(shards, there(["/old/lab/data/s_2_images.h5"]))
    assert some is not None
    assert some.message == "1 of the 2 shards looked at are not there, such as /old/lab/data/s_1_images.h5."
    folder = absence(shards, there(["/old/lab/data/other"]))
    assert folder is not None
    assert folder.message == "None of the 2 shards looked at is there, such as /old/lab/data/s_1_images.h5."
    assert absence([], there([])) is None


@pytest.mark.parametrize(
    ("filepaths", "files", "root"),
    [
        (["data/s"], ["/home/me/lookups/s_images.h5"], {"data": "/home/me/lookups"}),
        (["data/s"], ["/home/me/data/s_images.h5"], "/home/me"),
        (["s"], ["/home/me/s_images.h5"], "/home/me"),
        (["/x/data/s"], ["/home/me/lookups/s_images.h5"], {"/x/data": "/home/me/lookups"}),
        (["/x/data/s.h5"], ["/home/me/lookups/data/s.h5"], {"/x/data": "/home/me/lookups/data"}),
        (["/x/1/s", "/x/2/s"], ["/home/me/1/s_images.h5", "/home/me/2/s_images.h5"], {"/x": "/home/me"}),
        (["/x/1/s", "/x/2/t"], ["/home/me/s_images.h5"], None),  # only one of two
    ],
)
def test_places_that_are_likely(filepaths: list[str], files: list[str], root: Any) -> None:
    folder = "/home/me/lookups"
    found = absence(sought(filepaths, folder), there([f"{folder}/lookup.parquet", *files]))
    assert found is not None
    if root is None:
        assert "It seems" not in found.action
    else:
        assert suggested(found.action) == root


@given(
    old=FOLDERS,
    shards=st.lists(INSIDE, min_size=1, max_size=6),
    folder=FOLDERS,
    others=st.lists(FOLDERS, max_size=4),
    there_too=st.sets(st.integers(0, 5)),
)
def test_what_is_said_is_true(
    old: list[str], shards: list[list[str]], folder: list[str], others: list[list[str]], there_too: set[int]
) -> None:
    filepaths = [path(*old, *inside, f"s{number}") for number, inside in enumerate(shards)]
    all_sought = sought(filepaths, path(*folder))
    files = [path(*other, "file") for other in others]
    files += [all_sought[number].images for number in there_too if number < len(shards)]
    exists = there(files)
    missing = [each for each in all_sought if not exists(each.images)]
    found = absence(all_sought, exists)
    if not missing:
        assert found is None
        return
    assert found is not None
    assert found.some == (len(missing) < len(all_sought))
    if found.some:
        assert found.message.startswith(f"{len(missing)} of the {len(all_sought)} shards looked at are not there")
        assert missing[0].images in found.message
        return
    if not found.below:
        assert exists(os.path.commonpath([os.path.dirname(each.images) for each in missing]))
        return
    assert not exists(found.below)
    assert all(each.images.startswith(found.below + "/") for each in missing)
    parent = found.message.removeprefix(f"Files below {found.below} are not there (").removesuffix(" is).")
    assert exists(parent)
    next_one = PurePosixPath(parent) / PurePosixPath(found.below).relative_to(parent).parts[0]
    assert not exists(str(next_one))
    assert "It seems" not in found.action  # nothing that exists is called as a shard is
    (prefix,) = suggested(found.action)
    for each in missing:  # wherever it is now, that root opens it
        placed = ShardPaths({prefix: "/new"}).files(each.filepath, path(*folder)).images
        assert placed == "/new" + each.images.removeprefix(found.below)


@given(
    old=FOLDERS,
    kept=INSIDE,
    shards=st.lists(INSIDE, min_size=1, max_size=6, unique_by=tuple),
    folder=FOLDERS,
    beside=st.booleans(),
    relative=st.booleans(),
)
def test_what_is_suggested_opens_most(
    old: list[str], kept: list[str], shards: list[list[str]], folder: list[str], *, beside: bool, relative: bool
) -> None:
    """Data that lies below the lookup's folder or beside it, under the last names of its old path."""
    lookups = path("home", *folder)
    base = os.path.dirname(lookups) if beside else lookups
    names = [[*kept, *inside, f"s{number}"] for number, inside in enumerate(shards)]
    filepaths = ["/".join([*old, *each]) if relative else path("gone", *old, *each) for each in names]
    files = [f"{base}/{'/'.join(each)}_images.h5" for each in names]
    exists = there([*files, f"{lookups}/lookup.parquet"])
    all_sought = sought(filepaths, lookups)
    found = absence(all_sought, exists)
    if found is None or found.some:
        assert any(exists(each.images) for each in all_sought)
        return
    opened = ShardPaths(suggested(found.action))
    placed = [opened.files(each, lookups).images for each in filepaths]
    assert 2 * sum(map(exists, placed)) > len(placed)


# In a data set


def moved_lookup(contract: Path, path: Path, prefix: str) -> Path:
    table = pq.read_table(contract / "lookup.parquet").slice(0, 300)
    filepaths = pa.array([f"{prefix}/{each}" for each in table["filepath"].to_pylist()])
    pq.write_table(table.set_column(1, "filepath", filepaths), path)
    return path


def test_a_data_set_says_so(contract: Path, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = f"{tmp_path}/old/lab/data"
    lookup = moved_lookup(contract, tmp_path / "l.parquet", old)
    dataset = Dataset(lookup, COLUMNS)
    with pytest.raises(errors.ShardNotFoundError) as caught:
        dataset.image(dataset.entry(5))  # before anything has been looked for
    says = f"Files below {old} are not there ({tmp_path}/old is)."
    assert caught.value.action.startswith(says)
    assert dataset.notices == ()
    dataset.look_for_shards()
    assert dataset.notices == (f'{says} If the data has moved, open it with root={{"{old}": "/where/it/is/now"}}.',)
    for ask in (dataset.image, dataset.image_state):
        with pytest.raises(errors.ShardNotFoundError) as caught:
            ask(dataset.entry(250))
        assert caught.value.action == dataset.notices[0]
    dataset.close()
    opened = Dataset(lookup, COLUMNS, {old: str(contract)})
    opened.look_for_shards()
    assert opened.notices == ()
    assert opened.image(opened.entry(5)).key == key(5)
    opened.close()


def test_one_missing_shard_is_not_moved_data(contract: Path, expected: dict[str, Any]) -> None:
    dataset = Dataset(contract / "lookup.parquet", COLUMNS)
    dataset.look_for_shards()
    assert dataset.notices == ()  # the rows looked at have theirs
    with pytest.raises(errors.ShardNotFoundError) as caught:
        dataset.image(dataset.entry(expected["bad"]["no_shard"]))
    assert caught.value.action == "If the data has moved, pass root= with its new place."
    dataset.close()


def test_some_missing_shards_are_counted(contract: Path, tmp_path: Path) -> None:
    for path in contract.glob("shard_*"):
        shutil.copy(path, tmp_path)
    lookup = tmp_path / "l.parquet"
    pq.write_table(pq.read_table(contract / "lookup.parquet").slice(0, 300), lookup)
    (tmp_path / "shard_001_images.h5").unlink()
    dataset = Dataset(lookup, COLUMNS)
    dataset.look_for_shards()
    (notice,) = dataset.notices
    assert notice.startswith(
        f"1 of the {len(GOOD_SHARDS)} shards looked at are not there, such as {tmp_path}/shard_001"
    )
    dataset.close()


def test_looking_is_given_up(contract: Path) -> None:
    dataset = Dataset(contract / "lookup.parquet", COLUMNS)

    def give_up() -> None:
        raise errors.CancelledError("enough")

    with pytest.raises(errors.CancelledError):
        dataset.look_for_shards(give_up)
    assert dataset.notices == ()
    dataset.close()


def test_the_panel_is_told(explorer: Make, contract: Path, tmp_path: Path) -> None:
    lookup = moved_lookup(contract, tmp_path / "l.parquet", "/nowhere/data")
    ex = explorer(lookup)
    wait_for(lambda: ex._opened["notices"])
    assert " ".join(ex._opened["notices"]) == (
        "Files below /nowhere/data are not there (/ is). "
        'If the data has moved, open it with root={"/nowhere/data": "/where/it/is/now"}.'
    )
    assert ex._opened["dataset"] == 1
    ex.open(contract / "lookup.parquet", root=contract)
    assert ex._opened["notices"] == []
    with pytest.raises(errors.ShardNotFoundError):
        explorer(lookup).image(0)


def test_a_file_system_that_does_not_answer_holds_nothing_up(
    explorer: Make, contract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(session, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr("h5explorer_py.dataset.Dataset.look_for_shards", lambda *_: (begun.set(), go_on.wait(30)))
    ex = explorer(contract / "lookup.parquet")
    assert begun.wait(10)
    assert ex.image(3).key == key(3)
    ex.close()
    go_on.set()
