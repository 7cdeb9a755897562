"""The reference's training step in PyTorch, written anew: same field, same objective, same solver settings.

One step takes one trajectory: each interval is its own adjoint dopri5 solve at rtol 1e-7 and atol 1e-9, their squared
errors are averaged, and Adam updates the weights (gene multipliers five times as fast).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchdiffeq import odeint_adjoint


class TorchPhoenix(torch.nn.Module):
    """PHOENIX with the weights of a dashjax field."""

    def __init__(self, field):
        super().__init__()

        def parameter(array):
            return torch.nn.Parameter(torch.tensor(np.asarray(array)))

        self.inner = torch.nn.ParameterList([parameter(w) for w in field.input_weight])
        self.bias = torch.nn.ParameterList([parameter(b) for b in field.input_bias])
        self.outer = torch.nn.ParameterList([parameter(u) for u in field.output_weight])
        self.multiplier = parameter(field.gene_multiplier)

    def forward(self, t, y):
        """Return dg/dt."""
        shifted = y - 0.5
        response = shifted / (1 + shifted.abs())
        additive = response @ self.inner[0].T + self.bias[0]
        product = torch.exp(torch.log1p(response) @ self.inner[1].T + self.bias[1])
        regulation = additive @ self.outer[0].T + product @ self.outer[1].T
        return torch.relu(self.multiplier) * (regulation - y)


def make_step(field, learning_rate: float = 1e-3):
    """Return a function that takes one training step on one trajectory (times, expression)."""
    model = TorchPhoenix(field)
    weights = [*model.inner, *model.bias, *model.outer]
    groups: list[dict[str, Any]] = [
        {"params": weights},
        {"params": [model.multiplier], "lr": 5 * learning_rate},
    ]
    optimiser = torch.optim.Adam(groups, lr=learning_rate)

    def step(times: torch.Tensor, expression: torch.Tensor) -> float:
        optimiser.zero_grad()
        predicted = [
            odeint_adjoint(model, expression[i : i + 1], times[i : i + 2], rtol=1e-7, atol=1e-9, method="dopri5")[1]
            for i in range(len(times) - 1)
        ]
        loss = torch.mean((torch.cat(predicted) - expression[1:]) ** 2)
        loss.backward()
        optimiser.step()
        return float(loss)

    return step
