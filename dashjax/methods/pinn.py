"""Physics-informed training: the prior as a term of the loss, alone or with pruning."""

from dataclasses import replace

from dashjax.methods.method import Method
from dashjax.sparsity import PriorLoss, make_schedule, no_pruning

#: τ of the simulated studies, for methods that tune something else.
DATA_WEIGHT = 0.99


def _weights(data_weight: float) -> dict:
    return {"data_weight": data_weight, "strengths": (1 - data_weight, 0.0)}


def _prune_once_half_way(epochs: int, share: float):
    return make_schedule(first_epoch=epochs // 2 + 1, first_fraction=share, every=epochs + 1, fraction=0.0)


pinn = Method(
    "pinn",
    "PHOENIX with the prior in its loss, no pruning; strength: 1 − τ, the prior's share of the loss",
    schedule=lambda epochs, strength: no_pruning(),
    complete=False,
    penalty=PriorLoss(),
    strength=1 - DATA_WEIGHT,
    largest=1.0,
    strengths=(0.001, 0.002, 0.005, 0.01, 0.03, 0.05, 0.1, 0.2, 0.5),
    weights=lambda strength: _weights(1 - strength),
)
pinn_mp = Method(
    "pinn_mp",
    "pinn, pruned once by magnitude half-way and fine-tuned; strength: the share pruned",
    schedule=_prune_once_half_way,
    penalty=PriorLoss(),
    strength=0.87,
    largest=1.0,
    strengths=(0.50, 0.75, 0.83, 0.87, 0.90, 0.92, 0.95, 0.97, 0.99),
    weights=lambda strength: _weights(DATA_WEIGHT),
)
pinn_mp_87 = replace(
    pinn_mp, name="pinn_mp_87", summary="pinn_mp at the share that the paper settled on, .87", strengths=()
)
pinn_dash = Method(
    "pinn+dash",
    "dash with the prior in its loss too",
    trust=None,
    penalty=PriorLoss(),
    weights=lambda strength: _weights(DATA_WEIGHT),
)
