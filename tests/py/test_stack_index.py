"""What an index of any kind gives, by NumPy's own word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from h5explorer_py.errors import BadArrayError, BadIndexError
from h5explorer_py.stacks import ArrayStack, Axis, Stack
from h5explorer_py.stacks import index as indexing
from h5explorer_py.stacks.tiles import pieces

TIMES = 1_000
SHAPES = [(7,), (5, 6), (4, 1, 5), (3, 4, 2, 5)]


class Counted(Stack):
    """An array that notes how many values are read of it, and refuses positions that are not in rising order."""

    def __init__(self, array):
        self.array = array
        self.boxes = []

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    axes = property(lambda self: tuple(Axis("x") for _ in self.array.shape))

    def take(self, selections):
        for chosen, length in zip(selections, self.shape, strict=True):
            steps = np.diff(np.asarray(chosen))
            assert (steps > 0).all()
            assert not len(chosen) or (chosen[0] >= 0 and chosen[-1] < length)
        self.boxes.append(indexing.selected_shape(selections))
        return self.array[np.ix_(*map(list, selections))] if selections else self.array.copy()


def same(got, expected):
    assert type(got) is type(expected)
    assert np.shape(got) == np.shape(expected)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


def compare(array, index):
    """Both give the same, or both refuse."""
    stack = Counted(array)
    try:
        expected = array[index]
    except (IndexError, ValueError):
        with pytest.raises(BadIndexError):
            stack[index]
        return
    same(stack[index], expected)


def array_of(shape, dtype="<u2"):
    return np.arange(int(np.prod(shape)), dtype=dtype).reshape(shape)


def some_int(random, length):
    value = int(random.integers(-length - 1, length + 1))
    return [value, np.int64(value), np.array(value), np.int8(value)][random.integers(4)]


def some_slice(random, length):
    ends = [None if random.random() < 0.3 else int(random.integers(-length - 3, length + 4)) for _ in range(2)]
    step = [None, 1, 2, 3, -1, -2, -7, 50][random.integers(8)]
    return slice(*ends, step)


def some_list(random, length, *, shape=None):
    shape = tuple(random.integers(0, 4, random.integers(1, 3))) if shape is None else shape
    found = random.integers(-length, length, shape)
    return found.tolist() if random.random() < 0.5 else found.astype([np.int16, np.int64][random.integers(2)])


def ints(random, shape):
    return tuple(some_int(random, n) for n in shape[: random.integers(0, len(shape) + 1)])


def slices(random, shape):
    return tuple(some_slice(random, n) for n in shape[: random.integers(0, len(shape) + 1)])


def mixed(random, shape):
    index = [some_int(random, n) if random.random() < 0.4 else some_slice(random, n) for n in shape]
    for _ in range(random.integers(0, 3)):
        index.insert(random.integers(len(index) + 1), None)
    if random.random() < 0.5:
        at = random.integers(len(index) + 1)
        index[at : at + random.integers(0, 3)] = [...]
    return tuple(index)


def one_list(random, shape):
    index = list(mixed(random, shape))
    places = [at for at, part in enumerate(index) if isinstance(part, slice)]
    if places and ... not in [part for part in index if part is ...]:
        at = places[random.integers(len(places))]
        index[at] = some_list(random, shape[sum(part is not None for part in index[:at])])
    return tuple(index)


def many_lists(random, shape):
    wide = (int(random.integers(1, 5)),)
    index = []
    for n in shape:
        kind = random.integers(4)
        size = [wide, (1,), (2, *wide), wide][random.integers(4)]
        index.append([some_list(random, n, shape=size), some_int(random, n), some_slice(random, n)][max(0, kind - 1)])
    for extra in (None, ...):
        if random.random() < 0.3:
            index.insert(random.integers(len(index) + 1), extra)
    return tuple(index)


def masks(random, shape):
    first = int(random.integers(0, len(shape)))
    wide = int(random.integers(1, len(shape) - first + 1))
    mask = random.random(shape[first : first + wide]) < 0.4
    if random.random() < 0.05:
        mask = np.ones((*mask.shape[:-1], mask.shape[-1] + 1), bool)
    before = [some_slice(random, n) for n in shape[:first]]
    after = [some_int(random, n) if random.random() < 0.3 else some_slice(random, n) for n in shape[first + wide :]]
    index = [*before, mask.tolist() if mask.size and random.random() < 0.3 else mask, *after]
    if random.random() < 0.2:
        index.insert(random.integers(len(index) + 1), [None, True, False, np.True_][random.integers(4)])
    return index[0] if len(index) == 1 and isinstance(index[0], np.ndarray) else tuple(index)


@pytest.mark.parametrize("kind", [ints, slices, mixed, one_list, many_lists, masks])
def test_a_thousand_of_each_kind(kind):
    random = np.random.default_rng(7)
    arrays = [array_of(shape) for shape in SHAPES]
    for _ in range(TIMES):
        array = arrays[random.integers(len(arrays))]
        compare(array, kind(random, array.shape))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_hypothesis_thinks_of(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
    basic = hnp.basic_indices(shape, allow_newaxis=True)
    advanced = hnp.integer_array_indices(shape) if 0 not in shape else basic
    compare(array_of(shape), data.draw(st.one_of(basic, advanced)))


@pytest.mark.parametrize("dtype", ["?", "u1", ">i2", "f2", "f8", "c8", "S3"])
def test_types_are_kept(dtype):
    array = array_of((4, 5), "i4").astype(dtype)
    for index in [(1, 2), (1, 2, ...), (slice(None, None, -2), 3), ([0, 0, 3],), ()]:
        same(ArrayStack(array)[index], array[index])


@pytest.mark.parametrize(
    "index",
    ["a", b"a", 1.0, [1.5], np.array([0.0]), object(), (0, 0, 0), (..., ...), slice(None, None, 0), {1}, [[], [1]]],
)
def test_what_is_no_index_is_refused(index):
    with pytest.raises(BadIndexError) as caught:
        ArrayStack(array_of((3, 4)))[index]
    assert caught.value.message.endswith(".")


def test_lists_that_do_not_go_together_are_refused_before_anything_is_read():
    stack = Counted(array_of((5, 6)))
    with pytest.raises(BadIndexError, match="do not go together"):
        stack[[0, 1, 2], [0, 1]]
    assert not stack.boxes


def test_positions_out_of_range_name_the_axis():
    with pytest.raises(BadIndexError, match="index 9 is out of range: axis 1 has 4"):
        ArrayStack(array_of((3, 4)))[0, 9]
    with pytest.raises(BadIndexError, match="index -5 is out of range: axis 1"):
        ArrayStack(array_of((3, 4)))[:, [0, -5]]
    with pytest.raises(IndexError):
        ArrayStack(array_of((3, 4)))[3]


@pytest.mark.parametrize(
    "make",
    [
        tuple,
        lambda at: (at[0], slice(None, None, -3), at[2]),
        lambda at: (at[0].reshape(5, -1), at[1].reshape(5, -1), 3),
        lambda at: (None, at[0], ..., at[2]),
        lambda at: (slice(1, 9), at[1], at[2]),
        lambda at: (at[0], at[1][:, None], slice(None)),
    ],
)
def test_scattered_points_are_read_without_the_box_around_them(make, monkeypatch):
    monkeypatch.setattr(indexing, "_SCATTERED", 200)
    random = np.random.default_rng(3)
    array = array_of((40, 41, 42), "<u4")
    stack = Counted(array)
    index = make([random.integers(-n, n, 20) for n in array.shape])
    same(stack[index], array[index])
    if len(index) == 3 and all(getattr(part, "shape", None) == (20,) for part in index):
        assert sum(np.prod(box) for box in stack.boxes) < 100


def test_a_scattered_mask_reads_little(monkeypatch):
    monkeypatch.setattr(indexing, "_SCATTERED", 200)
    array = array_of((40, 41, 42), "<u4")
    mask = np.zeros(array.shape, bool)
    mask[::13, ::17, ::19] = True
    mask[5, 6, 7] = True
    stack = Counted(array)
    same(stack[mask], array[mask])
    assert sum(np.prod(box) for box in stack.boxes) < 1_000


def test_an_array_in_memory_is_never_handed_out_itself():
    array = array_of((3, 4))
    stack = ArrayStack(array)
    for index in [..., (0,), (slice(None), 1)]:
        stack[index][...] = 0
    assert array[2, 3] == 11
    assert len(stack) == 3
    assert [row.tolist() for row in stack] == array.tolist()
    assert stack.nbytes == array.nbytes
    np.testing.assert_array_equal(np.asarray(stack), array)
    np.testing.assert_array_equal(np.asarray(stack, dtype=float), array.astype(float))
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(stack, copy=False)
    with pytest.raises(TypeError):
        5 in stack  # noqa: B015
    with pytest.raises(TypeError):
        len(ArrayStack(np.float32(3)))
    with pytest.raises(TypeError):
        iter(ArrayStack(np.float32(3)))
    same(ArrayStack(np.float32(3))[()], np.array(np.float32(3))[()])
    assert repr(stack) == "<ArrayStack 3×4 uint16>"


def test_objects_and_wrong_axes_are_refused():
    with pytest.raises(BadArrayError, match="Python objects"):
        ArrayStack(np.array([None, "a"], dtype=object))
    with pytest.raises(BadArrayError, match="2 axes, but 1"):
        ArrayStack(array_of((2, 2)), [Axis("x")])


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 9), st.integers(1, 6), st.data())
def test_pieces_put_together_are_the_selection(length, count, data):
    total = data.draw(st.integers(1, length * count))
    count = max(1, -(-total // length))
    some = data.draw(st.one_of(st.slices(total).map(lambda s: range(total)[s]), st.sets(st.integers(0, total - 1))))
    chosen = (
        np.array(sorted(some), dtype=int)
        if isinstance(some, set)
        else sorted(some) and range(min(some), max(some) + 1, abs(some.step))
    )
    whole = []
    for tile, where, inside in pieces(chosen or range(0) if isinstance(chosen, list) else chosen, length, count):
        assert where.start == len(whole)
        whole += [tile * length + at for at in inside]
        assert where.stop == len(whole)
    assert whole == list(chosen)
