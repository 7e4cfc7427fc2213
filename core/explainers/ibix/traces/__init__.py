"""The four ways to trace: forward and backward, by real changes of the scan or by the derivative."""

from core.explainers.ibix.traces.backward import BackwardTrace
from core.explainers.ibix.traces.base import Trace
from core.explainers.ibix.traces.derivatives import BackwardDerivative, ForwardDerivative
from core.explainers.ibix.traces.forward import ForwardTrace

#: By the parameters `direction` and `mode`.
TRACES: dict[tuple[str, str], type[Trace]] = {
    ("forward", "finite_difference"): ForwardTrace,
    ("backward", "finite_difference"): BackwardTrace,
    ("forward", "gradient"): ForwardDerivative,
    ("backward", "gradient"): BackwardDerivative,
}
