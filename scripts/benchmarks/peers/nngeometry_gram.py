"""nngeometry's GramMatrix, layer-structured like the dual matrix of theory.md, in PyTorch."""

import torch
from nngeometry import GramMatrix
from torch.utils.data import DataLoader, TensorDataset

from peers import torch_network

PACKAGES = ("nngeometry", "torch", "numpy")


def dense(case: dict):
    """λ_max from all eigenvalues, which is what the library offers (here without the vectors)."""
    return _contender(case, lambda matrix: torch.linalg.eigvalsh(matrix)[-1])


def lobpcg(case: dict):
    """λ_max from PyTorch's LOBPCG on the library's matrix: the best we could do on its behalf."""
    return _contender(case, lambda matrix: torch.lobpcg(matrix, k=1, tol=1e-4)[0])


def _contender(case: dict, largest):
    model, inputs = torch_network.load(case)
    T, P = len(inputs), sum(parameter.numel() for parameter in model.parameters())
    loader = DataLoader(TensorDataset(inputs), batch_size=T)

    def run(number: int):
        gram = GramMatrix(model, loader, function=lambda x: model(x)).to_torch()
        matrix = gram.reshape(T * case["outputs"], -1).div_(T)
        trace = matrix.trace().item()  # its own norm in float32 is off by 0.3 % at 5000×5000
        square = torch.linalg.vector_norm(matrix, dtype=torch.float64).item() ** 2
        return [largest(matrix).item(), trace / P, square / P]

    return run
