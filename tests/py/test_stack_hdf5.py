"""Arrays in HDF5 files, at any path."""

from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest

from h5explorer_py.errors import OutsideDataError, StackNotFoundError, StackUnreadableError
from h5explorer_py.stacks import Hdf5Stack
from h5explorer_py.stacks.hdf5 import list_arrays
from tests.fixtures.splits import COMPRESSIONS, numbers
from tests.py import test_stack_index as kinds
from tests.py.test_split import compare

ARRAY = numbers((9, 3, 40, 50))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    made = tmp_path_factory.mktemp("hdf5") / "a.h5"
    with h5py.File(made, "w") as file:
        for name, options in COMPRESSIONS.items():
            file.create_dataset(f"entry/{name}", data=ARRAY, **options())
        file.create_dataset("entry/odd", data=ARRAY, chunks=(4, 2, 17, 50), fletcher32=True, compression="lzf")
        file.create_dataset("entry/compact", data=np.arange(6, dtype="f4").reshape(2, 3))
        file["entry/none"].attrs.update({"unit": "counts", "offset": np.float32(1.5)})
        file["line"] = np.arange(2_000_000, dtype="u2")
        file["soft"] = h5py.SoftLink("/entry/again")
        file["entry/again"] = h5py.SoftLink("none")
        file["round"] = h5py.SoftLink("/round")
        file["text"] = "some words"
        file["records"] = np.zeros(3, [("a", "u2"), ("b", "u2")])
        file["away"] = h5py.ExternalLink("b.h5", "/x")
        file.create_dataset("outside", (3, 4), "u2", external=[("/etc/hostname", 0, 24)])
    return made


@pytest.mark.parametrize("name", [*COMPRESSIONS, "odd"])
def test_every_layout_reads_as_numpy(path, name):
    stack, random = Hdf5Stack(path, f"/entry/{name}"), np.random.default_rng(3)
    kinds.same(stack[...], ARRAY)
    for kind in (kinds.mixed, kinds.one_list, kinds.many_lists, kinds.masks):
        for _ in range(40):
            compare(stack, ARRAY, kind(random, ARRAY.shape))


def test_links_attributes_and_lines(path):
    kinds.same(Hdf5Stack(path, "soft")[3:5], ARRAY[3:5])
    assert Hdf5Stack(path, "entry/none").attributes == {"unit": "counts", "offset": 1.5}
    line = Hdf5Stack(path, "/line")
    kinds.same(line[::-99_999], np.arange(2_000_000, dtype="u2")[::-99_999])
    assert [axis.name for axis in line.axes] == ["x"]
    kinds.same(Hdf5Stack(path, "entry/compact")[:, 1], np.array([1, 4], "f4"))
    again = pickle.loads(pickle.dumps(Hdf5Stack(path, "entry/blosc")))
    kinds.same(again[4], ARRAY[4])


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("nothing", StackUnreadableError, "no data set /nothing"),
        ("entry", StackUnreadableError, "/entry is not a data set"),
        ("line/x", StackUnreadableError, "no data set"),
        ("round", StackUnreadableError, "round in circles"),
        ("text", StackUnreadableError, "Python object or text|no axes"),
        ("records", StackUnreadableError, "records of several fields"),
        ("away", OutsideDataError, "other files"),
        ("outside", OutsideDataError, "other files"),
        (None, StackNotFoundError, "8 arrays: /entry/"),
    ],
)
def test_what_cannot_be_read_is_told(path, name, error, words):
    with pytest.raises(error, match=words):
        Hdf5Stack(path, name)


def test_the_arrays_of_a_file(path, tmp_path):
    found = list_arrays(str(path))
    assert found["/entry/blosc"] == ARRAY.shape
    assert found["/line"] == (2_000_000,)
    assert not {"/text", "/outside", "/away", "/entry"} & set(found)
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["a/b"] = ARRAY
    kinds.same(Hdf5Stack(tmp_path / "one.h5")[2], ARRAY[2])
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file["a"] = "x"
    with pytest.raises(StackUnreadableError, match="no array of numbers"):
        Hdf5Stack(tmp_path / "none.h5")
    (tmp_path / "junk.h5").write_bytes(b"junk")
    for name, error in (("junk.h5", StackUnreadableError), ("gone.h5", StackNotFoundError)):
        with pytest.raises(error):
            Hdf5Stack(tmp_path / name)


def test_an_array_that_became_another_is_told(tmp_path):
    for shape in ((3, 4), (4, 3)):
        with h5py.File(tmp_path / "new", "w") as file:
            file["x"] = np.ones(shape)
        (tmp_path / "new").replace(tmp_path / "a.h5")
        stack = Hdf5Stack(tmp_path / "a.h5") if shape == (3, 4) else stack  # noqa: F821
    with pytest.raises(StackUnreadableError, match="become another array"):
        stack[0]
