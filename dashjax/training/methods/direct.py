"""Edge-resolved methods: one weight per regulator and target, and the prior as what shrinks or prunes it less."""

from dashjax.dynamics import DirectSpec
from dashjax.sparsity import PriorWeightedL1, no_pruning
from dashjax.training.methods.base import Method

direct_l1 = Method(
    "direct+l1",
    "edge-resolved field, prior-weighted L1 by proximal steps; strength: λ, in units of Adam's steps",
    schedule=lambda epochs, strength: no_pruning(),
    complete=False,
    field=DirectSpec(),
    penalty=PriorWeightedL1(),
    strength=0.3,
    strengths=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7),
    weights=lambda strength: {"strengths": (strength, 0.0)},
)
direct_dash = Method(
    "direct+dash",
    "edge-resolved field, pruned by DASH's one-layer score",
    trust=None,
    field=DirectSpec(),
)
