"""Matrices of which few entries are not zero: priors of genome size.

A dense matrix of 20,000 × 20,000 genes takes 1.6 GB, its few hundred thousand edges some megabytes. Edges are kept in
blocks of rows, each of which becomes dense when its turn comes: products are dense products of a block, which
processors do best, and memory grows with the edges and not with the square of the genes. Rows without an edge cost
nothing, and few genes regulate.
"""

from __future__ import annotations

from typing import Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

#: Rows of a block, and entries of a block unless a single row has more.
BLOCK_ROWS, BLOCK_ENTRIES = 256, 2**16


class SparseMatrix(eqx.Module):
    """A sparse matrix that takes part in products from the right: x @ M and x @ M.T.

    Attributes:
        rows: the matrix's rows in each block; `shape[0]` where a block has fewer.
        place: each entry's row within its block.
        column: each entry's column.
        value: each entry; zero where a block has fewer.
        shape: of the matrix as stored.
        transposed: whether products are with the transpose.
    """

    rows: Int[Array, "block row"]
    place: Int[Array, "block entry"]
    column: Int[Array, "block entry"]
    value: Float[Array, "block entry"]
    shape: tuple[int, int] = eqx.field(static=True)
    transposed: bool = eqx.field(static=True, default=False)

    @property
    def T(self) -> Self:
        """Return the transpose; nothing is moved."""
        return type(self)(self.rows, self.place, self.column, self.value, self.shape, not self.transposed)

    def __abs__(self) -> Self:
        """Return the entries' magnitudes."""
        return eqx.tree_at(lambda m: m.value, self, jnp.abs(self.value))

    def __truediv__(self, number) -> Self:
        """Divide all entries by a number."""
        return eqx.tree_at(lambda m: m.value, self, self.value / number)

    def sum(self) -> Float[Array, ""]:
        """Return the sum of all entries."""
        return self.value.sum()

    def count(self) -> Int[Array, ""]:
        """Return how many entries are not zero."""
        return (self.value != 0).sum()

    def __rmatmul__(self, left: Float[Array, "*batch inner"]) -> Float[Array, "*batch outer"]:
        """Return left @ M, one dense block after the other."""
        forward, batch = not self.transposed, left.shape[:-1]

        def step(total, block):
            rows, place, column, value = block
            dense = jnp.zeros((rows.size, self.shape[1]), value.dtype).at[place, column].add(value)
            if forward:
                mine = jnp.take(left, rows, axis=-1, mode="fill", fill_value=0)
                return total + jnp.matmul(mine, dense, precision="highest"), None
            product = jnp.matmul(left, dense.T, precision="highest")
            return total.at[..., rows].set(product, mode="drop"), None

        begun = jnp.zeros((*batch, self.shape[1] if forward else self.shape[0]), self.value.dtype)
        return jax.lax.scan(step, begun, (self.rows, self.place, self.column, self.value))[0]

    def select(self, rows: Int[Array, " row"]) -> Float[Array, "row column"]:
        """Return some of the matrix's rows, dense."""
        at = jnp.full(self.shape[0] + 1, rows.size).at[rows].set(jnp.arange(rows.size))
        mine = jax.vmap(lambda rows, place: at[rows][place])(self.rows, self.place)
        dense = jnp.zeros((rows.size, self.shape[1]), self.value.dtype)
        return dense.at[mine.ravel(), self.column.ravel()].add(self.value.ravel(), mode="drop")

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return row, column and value of every entry that is not zero, by row and column of the matrix as stored."""
        value = np.asarray(self.value)
        row = np.take_along_axis(np.asarray(self.rows), np.asarray(self.place), axis=1)
        column, there = np.asarray(self.column), value != 0
        order = np.lexsort((column[there], row[there]))
        return row[there][order], column[there][order], value[there][order]


class SharedTargets(eqx.Module):
    """C = |A||A|ᵀ · scale, how many targets two genes share, without ever being formed.

    Attributes:
        magnitude: |A|, (regulator, target).
        scale: a factor on all entries.
    """

    magnitude: SparseMatrix
    scale: Float[Array, ""]

    @property
    def shape(self) -> tuple[int, int]:
        """Return (gene, gene)."""
        return self.magnitude.shape[0], self.magnitude.shape[0]

    def __rmatmul__(self, left: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return left @ C as two sparse products."""
        return (left @ self.magnitude) @ self.magnitude.T * self.scale

    def __truediv__(self, number) -> SharedTargets:
        """Divide all entries by a number."""
        return SharedTargets(self.magnitude, self.scale / number)

    def sum(self) -> Float[Array, ""]:
        """Return the sum of all entries: Σ_target (Σ_regulator |A|)²."""
        return jnp.sum(jnp.square(jnp.ones(self.magnitude.shape[0]) @ self.magnitude)) * self.scale


def make_sparse(row, column, value, shape: tuple[int, int]) -> SparseMatrix:
    """Put entries into blocks; entries of the same place add up.

    Args:
        row: of each entry.
        column: of each entry.
        value: of each entry.
        shape: of the matrix.
    """
    order = np.argsort(row, kind="stable")
    row, column, value = (np.asarray(part)[order] for part in (row, column, value))
    used, first = np.unique(row, return_index=True)
    ends = np.append(first[1:], len(row))
    blocks: list[tuple[int, int]] = []  # the rows used, from and to
    begin = 0
    for number in range(len(used)):
        if number - begin == BLOCK_ROWS or (number > begin and ends[number] - first[begin] > BLOCK_ENTRIES):
            blocks.append((begin, number))
            begin = number
    blocks.append((begin, len(used)))
    height = max(1, max(end - begin for begin, end in blocks))
    width = max(1, max(ends[end - 1] - first[begin] if end > begin else 0 for begin, end in blocks))
    rows = np.full((len(blocks), height), shape[0], np.int32)
    places, columns = np.zeros((2, len(blocks), width), np.int32)
    values = np.zeros((len(blocks), width), np.float32)
    for number, (begin, end) in enumerate(blocks):
        if end == begin:
            continue
        part = slice(first[begin], ends[end - 1])
        length = part.stop - part.start
        rows[number, : end - begin] = used[begin:end]
        places[number, :length] = np.searchsorted(used[begin:end], row[part])
        columns[number, :length] = column[part]
        values[number, :length] = value[part]
    return SparseMatrix(jnp.asarray(rows), jnp.asarray(places), jnp.asarray(columns), jnp.asarray(values), shape)


def dense_rows(matrix: Matrix, rows: Int[Array, " row"] | None = None) -> Float[Array, "row column"]:
    """Return some rows of a matrix of either kind, or all, as a dense array."""
    if isinstance(matrix, SparseMatrix):
        return matrix.select(jnp.arange(matrix.shape[0]) if rows is None else rows)
    return matrix if rows is None else matrix[rows]


#: A matrix of either kind; products from the left, magnitudes, sums and transposes read the same.
Matrix = Float[Array, "row column"] | SparseMatrix
