"""Queries, and what is kept of an answered one."""
from __future__ import annotations

from typing import NamedTuple


class Query(NamedTuple):
    """What arrives at one moment.

    Attributes
    ----------
    number : int
        Of the query, from 0.
    samples : tuple of int
        Numbers of images in the data set.
    scheduled_ns : int
        When it arrives, from the beginning of the run.
    checked : bool
        Whether its answers are compared with the accuracy run's.
    """

    number: int
    samples: tuple[int, ...]
    scheduled_ns: int
    checked: bool


class Served(NamedTuple):
    """Times of a query that was answered, from the beginning of the run.

    Attributes
    ----------
    number, images : int
    scheduled_ns : int
        When it was to arrive: waiting starts here, whatever the system was doing.
    started_ns, finished_ns : int
        When its batch was taken up and answered.
    """

    number: int
    images: int
    scheduled_ns: int
    started_ns: int
    finished_ns: int


class Failure(NamedTuple):
    """A query without an answer.

    Attributes
    ----------
    number : int
    samples : tuple of int
    reason : str
    """

    number: int
    samples: tuple[int, ...]
    reason: str
