"""Systems solved together are those solved one by one."""

import numpy as np

from dashjax.numerics.iterative import conjugate_gradients


def test_conjugate_gradients_solve_every_row():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 12, 12))
    matrices = root @ root.mT + 0.3 * np.eye(12)
    right = np.vstack([rng.normal(size=(4, 12)), np.zeros((1, 12))])
    near = np.linalg.inv(matrices.mean(axis=0))
    found = conjugate_gradients(lambda rows: np.einsum("brs,bs->br", matrices, rows), lambda rows: rows @ near, right)
    np.testing.assert_allclose(found, np.linalg.solve(matrices, right[..., None])[..., 0], atol=1e-7)
