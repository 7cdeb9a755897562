"""Array tools: a factorisation that never deadlocks, and sparse matrices that batch."""
