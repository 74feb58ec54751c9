from __future__ import annotations

from cnml_tests.api_tests.refusal import refused

from cnml import api
from cnml.api.enums import DataOrder, DataPreprocessStrategy, DataType, TensorType
from cnml.errors import Status


def test_a_device_tensor(library):
    t = api.cnmlCreateTensor(TensorType.TENSOR, DataType.FLOAT16, 2, 3, 4, 5)
    assert api.cnmlGetTensorShape(t) == (2, 3, 4, 5) and api.cnmlGetTensorDataType(t) is DataType.FLOAT16 and api.cnmlGetTensorSize(t) == 240
    api.cnmlSetTensorDataType(t, 2)
    api.cnmlSetTensorShape(t, 4, [1, 1, 7, 9])
    assert api.cnmlGetTensorShape(t) == (1, 1, 7, 9) and api.cnmlGetTensorSize(t) == 252
    assert api.cnmlGetWeightName(t) == ""
    api.cnmlSetWeightName(t, "conv1_w")
    assert api.cnmlGetWeightName(t) == "conv1_w"


def test_bad_device_tensors(library):
    refused(Status.OUTOFRANGE, r"\(2, 0, 4, 5\)", api.cnmlCreateTensor, 0, 1, 2, 0, 4, 5)
    refused(Status.OUTOFRANGE, "at most 1099511627776 elements", api.cnmlCreateTensor, 0, 1, 1 << 20, 1 << 20, 2, 1)
    refused(Status.BADTYPEID, "as DataType", api.cnmlCreateTensor, 0, 99, 2, 1, 4, 5)
    refused(Status.BADTYPEID, "as TensorType", api.cnmlCreateTensor, 9, 1, 2, 1, 4, 5)
    t = api.cnmlCreateTensor(0, 1, 2, 1, 4, 5)
    refused(Status.LENGTHERR, "3 axes", api.cnmlSetTensorShape, t, 3, [1, 2, 3, 4])
    refused(Status.BADTYPEID, "as DataType", api.cnmlSetTensorDataType, t, 5)


def test_a_host_tensor(library):
    t = api.cnmlCreateCpuTensor(TensorType.TENSOR, DataType.FLOAT32, DataOrder.NHWC, 2, 3, 4, 5)
    api.cnmlSetCpuTensorDataType(t, DataType.INT8)
    api.cnmlSetCpuTensorDataOrder(t, DataOrder.CHWN)
    api.cnmlSetCpuTensorShape(t, 4, [1, 2, 3, 4])
    api.cnmlSetCpuTensorPosition(t, -3)
    assert (t.dtype, t.order, t.shape, t.position) == (DataType.INT8, DataOrder.CHWN, (1, 2, 3, 4), -3)
    api.cnmlSetCpuTensorFix8Position(t, 2)
    assert t.position == 2
    refused(Status.BADTYPEID, "as DataOrder", api.cnmlSetCpuTensorDataOrder, t, 24)
    refused(Status.INVALIDARG, "must come from cnmlCreateCpuTensor", api.cnmlDestroyCpuTensor, api.cnmlCreateTensor(0, 1, 1, 1, 1, 1))
    api.cnmlDestroyCpuTensor(t)


def test_what_is_said_about_the_host(library):
    t, c = api.cnmlCreateTensor(0, 1, 2, 1, 4, 5), api.cnmlCreateCpuTensor(0, 2, 0, 2, 1, 4, 5)
    api.cnmlBindCpuDataInfo(t, c)
    api.cnmlSetDataPreprocessStrategy(t, c, DataPreprocessStrategy.MLU_PRIORITY)
    api.cnmlEnableHardwareReshape(t, DataType.FLOAT32, DataOrder.NHWC)
    assert t.host is c and t.strategy is DataPreprocessStrategy.MLU_PRIORITY and t.reshape == (DataType.FLOAT32, DataOrder.NHWC)


def test_quantization_of_a_tensor(library):
    t = api.cnmlCreateTensor(TensorType.FILTER, DataType.INT8, 3, 2, 1, 1)
    assert t.position is None and api.cnmlGetQuantizedPosition(t) == 0 and api.cnmlGetQuantizedScale(t) == 1
    api.cnmlSetQuantizedPosition(t, -4)
    api.cnmlSetQuantizedScale(t, 1.5)
    assert api.cnmlGetFix8Position(t) == -4 and api.cnmlGetFix8Scale(t) == 1.5
    api.cnmlSetQuantizedPositionByChannel(t, [-1, -2, -3], 3)
    api.cnmlSetFix8ScaleByChannel(t, [1.0, 1.25, 1.5], 3)
    assert t.quant == ((-1, -2, -3), (1.0, 1.25, 1.5)) and api.cnmlGetQuantizedPosition(t) == -1
    refused(Status.LENGTHERR, "3 filters", api.cnmlSetQuantizedPositionByChannel, t, [1, 2], 2)
    refused(Status.DOMAINERR, "positive", api.cnmlSetQuantizedScale, t, 0)
    refused(Status.DOMAINERR, "positive", api.cnmlSetQuantizedScaleByChannel, t, [1, 1, -1], 3)
    assert api.cnmlGetQuant8Param(t) == (1.0, 0.0)
    api.cnmlSetQuant8Param(t, 0.5, 12)
    assert api.cnmlGetQuant8Param(t) == (0.5, 12.0)
