"""The two small factorisations that a run needs, written in plain array operations.

LAPACK calls inside one jitted program, or in two programs running at the same time, can deadlock
XLA's CPU runtime on machines with few cores. Matrices here have at most a few hundred columns and are
factorised a few dozen times per run, so a loop of matrix–vector products costs nothing that shows, runs
on every device and batches under vmap.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def orthonormal_columns(matrix: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
    """Orthonormalise the columns from left to right (Gram–Schmidt, each column treated twice).

    The columns of a Gaussian matrix become uniformly distributed over orthonormal frames.
    """

    def column(basis, number):
        vector = matrix[:, number]
        for _ in range(2):  # once is not enough in floating point, twice is (Giraud et al. 2005)
            inner = jnp.matmul(vector, basis, precision="highest")
            vector = vector - jnp.matmul(basis, inner, precision="highest")
        return basis.at[:, number].set(vector / jnp.linalg.norm(vector)), None

    return jax.lax.scan(column, jnp.zeros_like(matrix), jnp.arange(matrix.shape[1]))[0]


def inverse_positive_definite(matrix: Float[Array, "size size"]) -> Float[Array, "size size"]:
    """Invert a symmetric positive definite matrix."""
    return inverse_and_log_determinant(matrix)[0]


def inverse_and_log_determinant(
    matrix: Float[Array, "size size"],
) -> tuple[Float[Array, "size size"], Float[Array, ""]]:
    """Invert a symmetric positive definite matrix by Gauss–Jordan elimination, and return log |matrix| beside.

    Such a matrix needs no pivoting.
    """
    size = matrix.shape[0]

    def eliminate(work, pivot):
        divisor = work[pivot, pivot]
        row = work[pivot] / divisor
        column = work[:, pivot].at[pivot].set(0.0)
        return (work - column[:, None] * row).at[pivot].set(row), jnp.log(divisor)

    work = jnp.concatenate([matrix, jnp.eye(size, dtype=matrix.dtype)], axis=1)
    work, logarithms = jax.lax.scan(eliminate, work, jnp.arange(size))
    return work[:, size:], logarithms.sum()
