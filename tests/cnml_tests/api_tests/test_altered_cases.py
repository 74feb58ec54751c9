"""Cases with numbers and values that make no sense: they are computed, or refused with a sentence."""
from __future__ import annotations

import copy
import random

import numpy as np
import pytest
from cnml_tests.api_tests.api_case import Case, run_device, run_golden
from cnml_tests.api_tests.test_constructors import CASES

from cnml.api.enums import DataType
from cnml.errors import CnmlError
from cnrt.errors import CnrtError

REALS = (0.0, -1.0, float("nan"), float("inf"), 1e30, 0.5)
WHOLE = (0, -1, 1, 2, 3, 7, 1000)
VALUES = (np.nan, np.inf, -np.inf, 1e30, -1e30, 0, 1e9, -5, 70000)


def altered(value, choose: random.Random):
    """Another number; one field of a parameter object."""
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        at = choose.randrange(1, len(value))
        return (*value[:at], altered(value[at], choose), *value[at + 1:])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return choose.choice(WHOLE)
    if isinstance(value, float):
        return choose.choice(REALS)
    return value[:-1] if isinstance(value, tuple) else value


def altered_case(case: Case, choose: random.Random) -> Case:
    """A case with one or two changes."""
    tensors, numbers = copy.deepcopy(case.tensors), dict(case.numbers)
    for _ in range(choose.randint(1, 2)):
        if numbers and choose.random() < 0.5:
            name = choose.choice(sorted(numbers))
            numbers[name] = altered(numbers[name], choose)
        else:
            array = tensors[choose.choice(sorted(tensors))]
            flat = (choose.choice(array) if isinstance(array, list) else array).reshape(-1)
            flat[choose.randrange(flat.size)] = choose.choice(VALUES)
    return Case(case.name, tensors, case.expected, numbers, dtypes=case.dtypes)


def meant(error: BaseException) -> bool:
    """A failure on a queue counts by its cause."""
    return isinstance(error, CnmlError) or isinstance(error, CnrtError) and (error.__cause__ is None or meant(error.__cause__))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", range(8))
def test_computed_or_refused(library, seed):
    choose, refusals = random.Random(seed), 0
    for _ in range(120):
        case = altered_case(choose.choice(CASES), choose)
        dtype = choose.choice([DataType.FLOAT32, DataType.FLOAT16])
        for run in (lambda: run_device(case, dtype), lambda: run_golden(case) if case.constructor.golden_order else None):  # noqa: B023
            try:
                run()
            except (CnmlError, CnrtError) as e:
                assert meant(e), case
                refusals += 1
    assert refusals, "some of the changes must be refused"
