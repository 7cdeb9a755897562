"""DASH, its two extremes, and no pruning at all: one program, different numbers."""

from dashjax.methods.method import Method
from dashjax.sparsity import no_pruning

dense = Method("dense", "PHOENIX without pruning", schedule=lambda epochs, strength: no_pruning(), complete=False)
imp = Method("imp", "iterative magnitude pruning")
bioprune = Method(
    "bioprune",
    "pruning by the prior alone",
    trust=(1.0, 1.0),
    # The prior alone soon cuts what the data need: its best validation error comes at about 83 % sparsity, which is
    # also what the paper reports.
    complete=False,
)
dash = Method("dash", "pruning by magnitude and prior", trust=None)
