"""Dynamic sparse training (Liu 2020): thresholds learnt with the weights."""

from dashjax.methods.method import Method
from dashjax.sparsity import ThresholdPenalty, Thresholds, no_pruning

dst = Method(
    "dst",
    "trainable thresholds per neuron (Liu 2020); strength: α, pull of the thresholds upwards",
    schedule=lambda epochs, strength: no_pruning(),
    complete=False,
    gate=Thresholds(),
    penalty=ThresholdPenalty(),
    strength=1e-6,
    strengths=tuple(10 ** (-8 + 0.5 * step) for step in range(9)),
    weights=lambda strength: {"strengths": (strength, 0.0)},
)
