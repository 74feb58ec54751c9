"""Weights that take over the work of removed ones."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.prune.input_statistics import InputStatistics
from pycaffe_acc.prune.reconstruction import Reconstruction, inverse_triangle


def correlated(rng, samples, inputs):
    """Inputs that vary together."""
    return (rng.normal(size=(samples, 6)) @ rng.normal(size=(6, inputs)) + 0.3 * rng.normal(size=(samples, inputs))).astype(np.float32)


def problem(rows, before, now, centred=False):
    """With the samples in two parts."""
    statistics = InputStatistics(rows.shape[1], centred)
    half = len(now) // 2
    statistics.see(before[:half], now[:half])
    statistics.see(before[half:], now[half:])
    return Reconstruction(rows, statistics)


@pytest.mark.parametrize("size", [1, 5, 300, 700])
def test_inverse_of_a_triangle(rng, size):
    """In one piece and by halves."""
    lower = np.tril(rng.normal(size=(size, size)) / np.sqrt(size)) + 2 * np.eye(size)
    inverse = inverse_triangle(lower)
    np.testing.assert_allclose(lower @ inverse, np.eye(size), atol=1e-8)
    assert not np.triu(inverse, 1).any()


def test_unchanged_inputs_and_no_zeros_change_nothing(rng):
    """The wanted rows are the given ones."""
    x, rows = correlated(rng, 500, 20), rng.normal(size=(4, 20))
    p = problem(rows, x, x)
    np.testing.assert_allclose(p.wanted, rows, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(p.solve(np.ones((4, 20), bool)), rows, rtol=1e-6)
    assert p.error(p.solve(np.ones((4, 20), bool))) < 1e-10


def test_least_squares_over_what_stays(rng):
    """Each row as NumPy solves it, with the damping as additional samples."""
    x, rows = correlated(rng, 4000, 16), rng.normal(size=(3, 16))
    keep = rng.uniform(size=rows.shape) < 0.6
    p = problem(rows, x, x)
    found = p.solve(keep)
    assert not found[~keep].any()
    damped = p.covariance + np.eye(16) * np.diag(p.covariance).mean() * (0.01 + 0.1 * 16 / 4000)
    for row, own, stays in zip(rows, found, keep, strict=True):
        exact = np.linalg.solve(damped[np.ix_(stays, stays)], damped[stays] @ row)
        np.testing.assert_allclose(own[stays], exact, rtol=2e-3, atol=2e-3)


def test_outputs_are_closer_than_with_zeros_alone(rng):
    """On inputs that were not seen; where inputs reach differently far, the saliency chooses better than the magnitude."""
    x, rows = correlated(rng, 3000, 40) * rng.uniform(0.1, 3, 40).astype(np.float32), rng.normal(size=(10, 40))
    p = problem(rows, x[:2000], x[:2000])
    fresh = x[2000:]

    def error(weights):
        return np.square(fresh @ (weights - rows).T).sum()

    def smallest(scores):
        return scores >= np.sort(scores.ravel())[scores.size // 2]
    by_magnitude, by_worth = smallest(np.abs(rows)), smallest(p.saliency())
    assert error(p.solve(by_magnitude)) < 0.3 * error(rows * by_magnitude)
    assert error(p.solve(by_worth)) < 0.7 * error(p.solve(by_magnitude))


def test_saliency_is_the_error_of_removing_one_weight(rng):
    """And setting the others anew."""
    x, rows = correlated(rng, 2000, 8), rng.normal(size=(1, 8))
    p = problem(rows, x, x)
    damped = p.covariance + np.eye(8) * np.diag(p.covariance).mean() * (0.01 + 0.1 * 8 / 2000)
    for k in range(8):
        stays = np.arange(8) != k
        difference = rows[0].copy()
        difference[stays] -= np.linalg.solve(damped[np.ix_(stays, stays)], damped[stays] @ rows[0])
        assert p.saliency()[0, k] == pytest.approx(difference @ damped @ difference, rel=1e-6)


def test_saliency_of_units_is_the_error_of_removing_them(rng):
    """Units of four and a shorter one, shared by their weights."""
    x, rows = correlated(rng, 2000, 10), rng.normal(size=(2, 10))
    p = problem(rows, x, x)
    damped = p.covariance + np.eye(10) * np.diag(p.covariance).mean() * (0.01 + 0.1 * 10 / 2000)
    worth = p.saliency(np.array([0, 4, 8]))
    for unit in (slice(0, 4), slice(4, 8), slice(8, 10)):
        stays = np.ones(10, bool)
        stays[unit] = False
        for row, found in zip(rows, worth, strict=True):
            difference = row.copy()
            difference[stays] -= np.linalg.solve(damped[np.ix_(stays, stays)], damped[stays] @ row)
            np.testing.assert_allclose(found[unit], difference @ damped @ difference / found[unit].size, rtol=1e-6)


def test_what_earlier_layers_lost_is_made_good(rng):
    """Inputs that were halved: rows that are doubled."""
    x, rows = correlated(rng, 4000, 12), rng.normal(size=(3, 12))
    now = x * np.float32(0.5)
    p = problem(rows, x, now)
    assert np.square(now @ p.wanted.T - x @ rows.T).sum() < 0.01 * np.square(now @ rows.T - x @ rows.T).sum()


def test_means_can_be_left_out(rng):
    """An input that is always 7 says nothing when a bias takes it."""
    x = correlated(rng, 1000, 5)
    x[:, 0] = 7
    statistics = InputStatistics(5, True)
    statistics.see(x, x)
    assert abs(statistics.covariance()[0]).max() < 1e-5 and statistics.samples == 1000
