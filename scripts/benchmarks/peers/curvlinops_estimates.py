"""curvlinops' matrix-free GGN: λ_max by SciPy's Lanczos, m_λ and s_λ estimated with 10 probes."""

from curvlinops import GGNLinearOperator, hutchinson_squared_fro, hutchinson_trace
from scipy.sparse.linalg import eigsh
from torch.nn import MSELoss

from peers import torch_network

PACKAGES = ("curvlinops-for-pytorch", "torch", "numpy", "scipy")


def estimates(case: dict):
    model, inputs = torch_network.load(case)
    targets = inputs.new_zeros(len(inputs), case["outputs"])
    # The mean loss has the Hessian 2/(CT) Σ ∇f ∇fᵀ: C/2 of it is F.
    operator = (
        case["outputs"]
        / 2
        * GGNLinearOperator(
            model,
            MSELoss(),
            list(model.parameters()),
            [(inputs, targets)],
            check_deterministic=False,
        )
    )
    P = operator.shape[0]

    def run(number: int):
        trace = hutchinson_trace(operator, num_matvecs=10).item()
        square = hutchinson_squared_fro(operator, num_matvecs=10).item()
        largest = eigsh(operator.to_scipy(), k=1, ncv=8, tol=1e-3, return_eigenvectors=False)
        return [float(largest[0]), trace / P, square / P]

    return run
