"""-meanvalue and -meanfile: one mean for each channel."""
from __future__ import annotations

from pycaffe_acc.errors import CheckError
from pycaffe_acc.mean_file import parse_values, read_mean_file


def channel_means(values: str, file: str, channels: int) -> tuple[float, ...]:
    """The means of a run; empty for none.

    Parameters
    ----------
    values : str
        One number, or one for each channel, with commas between.
    file : str
        Mean image or values; an image is averaged to one value a channel.
    channels : int

    Raises
    ------
    CheckError
        For both at once, and for numbers that do not fit the channels.
    """
    if values and file:
        raise CheckError("-meanvalue and -meanfile exclude each other; give one of them")
    if file:
        mean = read_mean_file(file)
        found = tuple(float(m) for m in (mean if mean.ndim == 1 else mean.reshape(mean.shape[0] if mean.ndim == 3 else 1, -1).mean(axis=1)))
    elif values:
        found = parse_values(values, "-meanvalue")
    else:
        return ()
    if len(found) not in (1, channels):
        raise CheckError(f"{len(found)} mean values for an input of {channels} channels; there must be one, or one for each")
    return found * channels if len(found) == 1 else found
