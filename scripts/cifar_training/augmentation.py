"""Random changes of a batch of pictures that do not change what they show."""
from __future__ import annotations

import numpy as np

PAD = 4


def flipped(inputs: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Each picture of (N, C, H, W) as it is, or its mirror image, with even chances."""
    mirror = generator.random(len(inputs)) < 0.5
    return np.where(mirror[:, None, None, None], inputs[..., ::-1], inputs)


def shifted(inputs: np.ndarray, generator: np.random.Generator, pad: int = PAD) -> np.ndarray:
    """Each picture of (N, C, H, W) moved by up to `pad` pixels each way. What comes in is 0: in centred pictures, the mean's grey."""
    height, width = inputs.shape[2:]
    padded = np.pad(inputs, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    corners = generator.integers(0, 2 * pad + 1, (len(inputs), 2))
    return np.stack([picture[:, y:y + height, x:x + width] for picture, (y, x) in zip(padded, corners, strict=True)])


def mixed(inputs: np.ndarray, share: float, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Some pictures of a batch with another one shining through (mixup: Zhang, Cisse, Dauphin, Lopez-Paz 2017).

    Parameters
    ----------
    inputs : (N, C, H, W) float32
    share : float
        How many of the pictures, 0 to 1.
    generator : numpy Generator

    Returns
    -------
    (N, C, H, W) float32, (N,) bool
        The second says which pictures were changed; the other one has at most half the weight.
    """
    chosen = generator.random(len(inputs)) < share
    weight = np.where(chosen, generator.uniform(0, 0.5, len(inputs)), 0).astype(np.float32)[:, None, None, None]
    return inputs + weight * (inputs[generator.permutation(len(inputs))] - inputs), chosen
