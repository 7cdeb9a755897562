"""What a user's type checker sees of the library. Checked outside of the checkout, where `py.typed` alone tells of it.

Each line that must be refused says so: mypy warns of an ignore that nothing needs.
"""

from typing import assert_type

import pandas as pd

import dashjax as dj

network = dj.infer_network("expression.csv", "prior.csv", method="dash", seed=1)
assert_type(network, dj.Network)
assert_type(network.genes, tuple[str, ...])
assert_type(network.edges, pd.DataFrame)
assert_type(network.perturb(["GATA1"]), pd.DataFrame)
assert_type(dj.load_network("network.npz"), dj.Network)
dj.infer_network("expression.csv", seed="one")  # type: ignore[arg-type]
dj.load_network(network)  # type: ignore[arg-type]
print(network.absent)  # type: ignore[attr-defined]
