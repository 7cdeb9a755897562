import jax.numpy as jnp
import numpy as np

from dashjax import genome_schedule, make_schedule, no_pruning, simulated_schedule


def cuts(schedule, epochs):
    return {n: round(float(schedule.cut(jnp.asarray(n))), 3) for n in range(1, epochs + 1) if schedule.due(n)}


def test_published_schedules():
    assert cuts(simulated_schedule(), 35) == {3: 0.7, 10: 0.1, 20: 0.1, 30: 0.1}
    assert cuts(genome_schedule(), 65) == {10: 0.9, 20: 0.1, 40: 0.1, 60: 0.1}
    assert set(cuts(no_pruning(), 25).values()) == {0.0}


def test_planned_sparsity_is_what_the_cuts_leave():
    for schedule in (simulated_schedule(), genome_schedule(), make_schedule(15, 0.5, 7, 0.2), no_pruning()):
        kept = 1.0
        for epoch in range(1, 60):
            if schedule.due(epoch):
                kept *= 1 - float(schedule.cut(jnp.asarray(epoch)))
            np.testing.assert_allclose(schedule.planned_sparsity(jnp.asarray(epoch)), 1 - kept, atol=1e-6)
