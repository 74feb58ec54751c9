"""LSTM and RNN over time, in float64."""
from __future__ import annotations

import numpy as np


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def lstm_unit(c: np.ndarray, gates: np.ndarray, cont: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step: c' = cont * s(f) * c + s(i) * tanh(g), h' = s(o) * tanh(c').

    Hochreiter and Schmidhuber 1997, in the form of Caffe's LSTMUnit.

    Parameters
    ----------
    c : (..., N, H) ndarray
    gates : (..., N, 4H) ndarray
        Sums before the activations: input, forget, output, candidate.
    cont : (..., N) ndarray
        0 where a sequence begins.

    Returns
    -------
    c', h' : float64 ndarray of c's shape
    """
    i, f, o, g = np.split(np.asarray(gates, np.float64), 4, axis=-1)
    d = np.asarray(cont, np.float64)[..., None]
    keep = np.where(d == 0, 0.0, d * _sigmoid(f))
    c1 = keep * c + _sigmoid(i) * np.tanh(g)
    return c1, _sigmoid(o) * np.tanh(c1)


def lstm(gates: np.ndarray, static: np.ndarray | None, cont: np.ndarray, w: np.ndarray, h: np.ndarray,
         c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T steps of an LSTM whose input part is computed already.

    Parameters
    ----------
    gates : (T, N, 4H) ndarray
        x W_xcᵀ + b_c.
    static : (N, 4H) ndarray or None
        Added at every step.
    cont : (T, N) ndarray
    w : (4H, H) ndarray
        W_hc.
    h, c : (N, H) ndarray
        State before the first step.

    Returns
    -------
    outputs : (T, N, H) float64 ndarray
    h, c : (N, H) float64 ndarray
        State after the last step.
    """
    out = np.zeros((len(gates), *h.shape))
    h, c = np.asarray(h, np.float64), np.asarray(c, np.float64)
    for t in range(len(gates)):
        total = gates[t] + (cont[t][:, None] * h) @ np.asarray(w, np.float64).T
        c, h = lstm_unit(c, total if static is None else total + static, cont[t])
        out[t] = h
    return out, h, c


def rnn(inputs: np.ndarray, static: np.ndarray | None, cont: np.ndarray, w: np.ndarray, w_out: np.ndarray, b_out: np.ndarray,
        h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """T steps of h' = tanh(W_hh (cont * h) + input), o = tanh(W_ho h' + b_o).

    Parameters
    ----------
    inputs : (T, N, H) ndarray
        x W_xhᵀ + b_h.
    static : (N, H) ndarray or None
        Added at every step.
    cont : (T, N) ndarray
    w, w_out : (H, H) ndarray
        W_hh, W_ho.
    b_out : (H,) ndarray
    h : (N, H) ndarray
        State before the first step.

    Returns
    -------
    outputs : (T, N, H) float64 ndarray
    h : (N, H) float64 ndarray
        State after the last step.
    """
    out = np.zeros(inputs.shape)
    h = np.asarray(h, np.float64)
    for t in range(len(inputs)):
        total = inputs[t] + (cont[t][:, None] * h) @ np.asarray(w, np.float64).T
        h = np.tanh(total if static is None else total + static)
        out[t] = np.tanh(h @ np.asarray(w_out, np.float64).T + b_out)
    return out, h
