import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax.numerics.linalg import inverse_and_log_determinant, inverse_positive_definite, orthonormal_columns


@pytest.mark.parametrize("shape", [(30, 7), (8, 8), (5, 1)])
def test_orthonormal_columns_are_orthonormal_and_span_the_same_space(shape):
    matrix = jax.random.normal(jax.random.key(0), shape)
    basis = orthonormal_columns(matrix)
    np.testing.assert_allclose(basis.T @ basis, np.eye(shape[1]), atol=2e-6)
    np.testing.assert_allclose(basis @ (basis.T @ matrix), matrix, atol=1e-5)


def test_inverse_matches_numpy():
    root = jax.random.normal(jax.random.key(1), (9, 20))
    gram = root @ root.T
    np.testing.assert_allclose(inverse_positive_definite(gram), np.linalg.inv(np.asarray(gram)), rtol=1e-4, atol=1e-5)
    _, log_determinant = inverse_and_log_determinant(gram)
    np.testing.assert_allclose(log_determinant, np.linalg.slogdet(np.asarray(gram))[1], rtol=1e-4)
    batch = jax.vmap(inverse_positive_definite)(jnp.stack([gram, 2 * gram]))
    np.testing.assert_allclose(batch[1], batch[0] / 2, rtol=1e-5, atol=1e-7)
