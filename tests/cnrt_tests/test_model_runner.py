from __future__ import annotations

import numpy as np
import pytest
from cnrt_tests import tiny_model

import cnrt
from cnrt import model_file
from cnrt.device import set_current_device
from cnrt.devices.mlu100 import Mlu100
from cnrt.errors import CnrtError, RetCode
from cnrt.model_runner import ModelRunner


@pytest.fixture(autouse=True)
def kernels():
    before = cnrt.current_device()
    with tiny_model.kernels():
        yield
    set_current_device(before)


@pytest.fixture
def x(rng):
    return rng.standard_normal(tiny_model.SHAPE).astype(np.float32)


def test_arrays_in_arrays_out(tmp_path, x):
    model_file.save(tiny_model.model(), tmp_path / "tiny.cambricon")
    for source in (tmp_path / "tiny.cambricon", str(tmp_path / "tiny.cambricon"), tiny_model.model()):
        runner = ModelRunner(source)
        assert [t.name for t in (*runner.inputs, *runner.outputs)] == ["data", "prob"]
        for values in (x, x.astype(np.float64), x.ravel(), 2 * x):
            got, = runner.run([values])
            np.testing.assert_array_equal(got, tiny_model.expected(values.reshape(x.shape).astype(np.float32)))


@pytest.mark.parametrize("cores", [None, 1, 2, 5])
def test_any_number_of_cores_on_a_card(cores, x):
    set_current_device(Mlu100(0))
    runner = ModelRunner(tiny_model.model(model_parallelism=4), cores=cores)
    np.testing.assert_array_equal(runner.run([x])[0], tiny_model.expected(x))


def test_notifiers_stand_around_the_function(x):
    runner = ModelRunner(tiny_model.model())
    runner.run([x])
    runner.notifiers = []
    runner.run([x])
    runner.run([x])
    assert len(runner.notifiers) == 2 and all(a.time_ns < b.time_ns for a, b in runner.notifiers)


def test_wrong_arrays(x):
    runner = ModelRunner(tiny_model.model())
    with pytest.raises(CnrtError, match="data") as e:
        runner.run([x, x])
    assert e.value.code == RetCode.ERR_INVALID
    with pytest.raises(CnrtError, match="data") as e:
        runner.run([x[:, :2]])
    assert e.value.code == RetCode.ERR_RESHAPE


def test_a_symbol_that_is_not_there_and_a_card_that_is_too_small():
    with pytest.raises(CnrtError, match="subnet0") as e:
        ModelRunner(tiny_model.model(), "subnet1")
    assert e.value.code == RetCode.ERR_NO_EXIST
    card = Mlu100(0)
    set_current_device(card)
    for parallelism, stack, code in ((64, 1, RetCode.ERR_INVALID), (3, 1, RetCode.ERR_INVALID), (1, 65, RetCode.ERR_NORES)):
        with pytest.raises(CnrtError) as e:
            ModelRunner(tiny_model.model(parallelism, stack))
        assert e.value.code == code and card.account.used == [0] * 4
