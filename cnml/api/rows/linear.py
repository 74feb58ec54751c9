"""Products of matrices. A matrix is a tensor whose N are its rows; C, H and W in a row are its columns."""
from __future__ import annotations

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.enums import ActiveFunction
from cnml.api.int8_mode import product
from cnml.api.rows.activation import activate
from cnml.ops.arithmetic import Arithmetic
from cnml.ops.bias import Bias
from cnml.ops.inner_product import InnerProduct
from cnml.ops.matrix_product import MatrixProduct
from cnml.ops.svdf import Svdf
from cnml.ops.view import View
from cnml.tensor import Shape, Tensor, count


def matrix(shape: Shape) -> Shape:
    """(N, C * H * W)."""
    return shape[0], count(shape[1:])


def _mlp(b: Assembly) -> Tensor:
    weights = matrix(b.shape("filter"))
    y = product(b, lambda bias: InnerProduct(weights[0], bias=bias), b.view(b.x(), matrix(b.shape("input"))), "filter", weights)
    return b.view(y, (*y.shape, 1, 1))


def _xw_plus_b(b: Assembly) -> Tensor:
    weights = matrix(b.shape("filter"))
    y = product(b, lambda bias: InnerProduct(weights[1], bias=bias, transpose=True), b.view(b.x(), matrix(b.shape("input"))), "filter", weights,
                channel_axis=1)
    return b.view(y, (*y.shape, 1, 1))


def _matrix_mult(b: Assembly) -> Tensor:
    y = b.add(MatrixProduct(), [b.view(b.x("lhs"), matrix(b.shape("lhs"))), b.view(b.x("rhs"), matrix(b.shape("rhs")))])
    if b.has("bias"):
        y = b.add(Bias(1, 1), y, [b.parameter("bias", (y.shape[1],))])
    return b.view(y, (*y.shape, 1, 1))


def _batch_dot(b: Assembly) -> Tensor:
    return b.add(MatrixProduct(b["trans_a"], b["trans_b"]), [b.x("input_1"), b.x("input_2")])


def _basic_rnn(b: Assembly) -> list[Tensor]:
    weights, state_weights = matrix(b.shape("weight")), matrix(b.shape("state_weight"))
    x = b.view(b.x("input"), matrix(b.shape("input")))
    parameters = [b.parameter("weight", weights)]
    if b.has("bias"):
        parameters.append(b.parameter("bias", (weights[0],)))
    fed = b.add(InnerProduct(weights[0], bias=b.has("bias")), x, parameters)
    before = b.view(b.x("state_input"), matrix(b.shape("state_input")))
    kept = b.add(InnerProduct(state_weights[0], bias=False), before, [b.parameter("state_weight", state_weights)])
    y = activate(b, ActiveFunction(b["active_func"]), b.add(Arithmetic("add"), [fed, kept]))
    return b.add_all(View((*y.shape, 1, 1), outputs=2), [y])


def _svdf(b: Assembly) -> list[Tensor]:
    feature, time = matrix(b.shape("weights_feature")), matrix(b.shape("weights_time"))
    x, state = b.view(b.x(), matrix(b.shape("input"))), b.view(b.x("state_in"), (b.shape("state_in")[0], *time))
    parameters = [b.parameter("weights_feature", feature), b.parameter("weights_time", time)]
    if b.has("bias"):
        parameters.append(b.parameter("bias", (count(b.shape("bias")),)))
    y, after = b.add_all(Svdf(), [x, state], parameters)
    return [b.view(after, b.shape("state_in")), b.view(y, (*y.shape, 1, 1))]


ROWS = [
    row("BasicRNNOp", "<input >output =weight =bias? <state_input >state_output =state_weight active_func:ActiveFunction", _basic_rnn,
        "function(x weightᵀ + bias + state state_weightᵀ), as output and as next state", order="input state_input output state_output",
        golden="input output weight state_input state_output state_weight bias active_func"),
    row("MlpOp", "<input >output =filter =bias? sparse:SparseMode", _mlp, "x filterᵀ + bias", golden="input output filter bias"),
    row("MatrixMultOp", "<lhs <rhs >output =bias?", _matrix_mult, "lhs rhs + bias", golden="lhs rhs output bias"),
    row("BatchDotOp", "<input_1 <input_2 >output trans_a:bool trans_b:bool", _batch_dot,
        "products of the matrices in the axes H and W, one for each N and C"),
    row("XwPlusBOp", "<input >output =filter =bias? sparse:SparseMode", _xw_plus_b, "x filter + bias", golden="input output filter bias"),
    row("SvdfOp", "<input =weights_feature =weights_time =bias? <state_in >state_out >output", _svdf,
        "one step of a rank-constrained filter over time; the state is (N, filters, steps, 1)"),
]
