"""The benchmark's network as a PyTorch module, with the parameters and inputs that were drawn."""

import numpy as np
import torch


def load(case: dict) -> tuple[torch.nn.Sequential, torch.Tensor]:
    problem = np.load(case["problem"])
    layers: list[torch.nn.Module] = []
    for index in range(case["depth"]):
        weights, biases = problem[f"weights{index}"], problem[f"biases{index}"]
        linear = torch.nn.Linear(weights.shape[1], weights.shape[0])
        linear.weight.data, linear.bias.data = torch.tensor(weights), torch.tensor(biases)
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]), torch.tensor(problem["inputs"])
