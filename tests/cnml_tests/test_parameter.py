from __future__ import annotations

import gc

import numpy as np

from cnml.parameter import Parameter, aligned_empty


def test_aligned():
    for shape in ((3,), (5, 7), ()):
        a = aligned_empty(shape)
        assert a.shape == shape and a.ctypes.data % 64 == 0 and a.dtype == np.float32


def test_a_write_through_a_held_slice_is_noticed():
    p = Parameter((2, 3), "l/0")
    row = p.hand_out()[1]
    version = p.version
    p.refresh()
    assert p.version == version
    row[0] = 5
    p.refresh()
    assert p.version == version + 1 and p.array[1, 0] == 5


def test_a_write_before_letting_go_is_noticed():
    p = Parameter((4,))
    p.hand_out()[...] = 2
    gc.collect()
    version = p.version
    p.refresh()
    assert p.version == version + 1
    p.refresh()
    assert p.version == version + 1


def test_the_epoch_moves_with_every_change_and_refresh_tells_who_may_write_more():
    p, other = Parameter((4,)), Parameter((4,))
    assert not p.refresh()
    epoch = Parameter.epoch
    assert not p.refresh() and epoch == Parameter.epoch
    held = p.hand_out()
    assert Parameter.epoch != epoch and p.refresh()
    for change in (lambda: other.assign(np.ones(4)), lambda: other.reshape((2, 2)), lambda: p.alias((2, 2)).hand_out(), p.touch):
        epoch = Parameter.epoch
        change()
        assert Parameter.epoch != epoch
    epoch = Parameter.epoch
    held[0] = 3
    del held
    gc.collect()
    assert not p.refresh() and Parameter.epoch != epoch


def test_the_same_array_is_handed_out_while_it_lives():
    p = Parameter((4,))
    first = p.hand_out()
    assert p.hand_out() is first


def test_packed_forms_are_made_once_per_version():
    p, q = Parameter((2,)), Parameter((2,))
    calls = []

    def make(a, b):
        calls.append(1)
        return a + b
    assert p.packed("sum", make, (q,)) is p.packed("sum", make, (q,))
    q.assign(np.ones(2))
    np.testing.assert_array_equal(p.packed("sum", make, (q,)), [1, 1])
    assert len(calls) == 2


def test_reshape_keeps_values_of_the_same_count():
    p = Parameter((2, 3))
    p.assign(np.arange(6).reshape(2, 3))
    p.reshape((3, 2))
    np.testing.assert_array_equal(p.array.ravel(), np.arange(6))
    p.reshape((4,))
    np.testing.assert_array_equal(p.array, np.zeros(4))


def test_an_alias_shares_values_and_versions():
    p = Parameter((2, 3))
    q = p.alias((3, 2))
    p.assign(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(q.array, np.arange(6).reshape(3, 2))
    version = p.version
    q.touch()
    assert p.version == version + 1
