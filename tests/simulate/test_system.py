import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dashjax import InputError, generate_system, relocate_edges
from dashjax.simulate import add_edges, draw_initial_states, drop_edges, flip_signs, make_system, simulate_expression


def test_solution_agrees_with_scipy():
    system = make_system(
        ["A", "B", "C"],
        ["input gene", "fAct(A, 0.5, 1.5) * (1 - fAct(C, 0.45, 1.6)) - B", "1 - fAct(B, 0.55, 1.7) - C"],
    )
    start, times = np.array([0.7, 0.1, 0.9]), [0.0, 2.0, 3.0, 7.0, 9.0]

    def response(x, e, n):
        half = e**n
        b = (half - 1) / (2 * half - 1)
        return b * x**n / (b - 1 + x**n)

    def oracle(t, y):
        return [
            0.0,
            response(y[0], 0.5, 1.5) * (1 - response(y[2], 0.45, 1.6)) - y[1],
            1 - response(y[1], 0.55, 1.7) - y[2],
        ]

    expected = solve_ivp(oracle, (0, 9), start, t_eval=times, rtol=1e-11, atol=1e-13).y.T
    ours = simulate_expression(system, start[None], times)
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours[0], expected, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_generated_systems_look_like_the_yeast_subnetwork(seed):
    system = generate_system(350, seed)
    edges = system.truth != 0
    assert system.is_input.sum() == 75
    assert abs(edges.sum() - 550) < 70
    assert abs((system.truth < 0).sum() / edges.sum() - 0.32) < 0.06
    assert abs((edges.sum(1) > 0).sum() - 97) <= 1
    assert edges.sum(1).max() >= 18  # scale-free: hubs far above the mean of 5.7
    assert not edges[:, system.is_input].any()
    assert edges.sum(0)[~system.is_input].min() >= 1
    assert not np.diag(edges).any()


def test_generation_and_simulation_are_seeded():
    first, again, other = generate_system(30, 4), generate_system(30, 4), generate_system(30, 5)
    assert first.equations == again.equations != other.equations
    states = draw_initial_states(np.random.default_rng(0), first, 3)
    np.testing.assert_array_equal(
        simulate_expression(first, states, [0, 1]), simulate_expression(again, states, [0, 1])
    )


def test_initial_states_follow_the_published_recipe():
    system = generate_system(100, 0)
    states = draw_initial_states(np.random.default_rng(0), system, 400)
    assert states.min() >= 0
    assert states.max() <= 1
    others = states[:, ~system.is_input]
    assert np.ptp(others, axis=0).max() <= 0.5
    assert (np.ptp(others, axis=0) > 0.2).all()
    sd = states[:, system.is_input].std(0)
    assert (sd > 0.008).all()
    assert (sd < 0.25).all()


def test_inputs_stay_constant_and_expression_in_range():
    system = generate_system(40, 2)
    states = draw_initial_states(np.random.default_rng(0), system, 5)
    path = simulate_expression(system, states, [0.0, 3.0, 9.0])
    np.testing.assert_array_equal(path[:, -1, system.is_input], states[:, system.is_input])
    assert path.min() >= -1e-9
    assert path.max() <= 1 + 1e-9


def test_times_may_differ_between_trajectories():
    system = generate_system(10, 2)
    states = draw_initial_states(np.random.default_rng(0), system, 2)
    both = simulate_expression(system, states, np.array([[0.0, 1.0, 4.0], [0.0, 2.0, 3.0]]))
    np.testing.assert_allclose(both[1], simulate_expression(system, states[1:], [0.0, 2.0, 3.0])[0], atol=1e-7)


def test_an_exploding_system_is_named():
    system = make_system(["A"], ["A * A * A * 1000"])
    with pytest.raises(InputError, match="initial state 1"):
        simulate_expression(system, np.array([[5.0]]), [0.0, 10.0])


def test_too_few_or_repeated_genes_are_refused():
    with pytest.raises(InputError, match="at least 5"):
        generate_system(4, 0)
    with pytest.raises(InputError, match="'A' appears twice"):
        make_system(["A", "A"], ["input gene", "input gene"])


class TestCorruption:
    truth = generate_system(60, 0).truth

    def test_relocation_moves_exactly_the_share_to_free_pairs(self):
        count = int((self.truth != 0).sum())
        for share in (0.0, 0.05, 0.4, 1.0):
            prior = relocate_edges(np.random.default_rng(1), self.truth, share)
            kept = (prior != 0) & (self.truth != 0)
            assert (prior != 0).sum() == count
            assert kept.sum() == count - round(share * count)
            np.testing.assert_array_equal(prior[kept], self.truth[kept])
            assert not np.diag(prior).any()
            assert (prior > 0).sum() == (self.truth > 0).sum()

    def test_drop_add_and_flip(self):
        rng, count = np.random.default_rng(1), int((self.truth != 0).sum())
        dropped = drop_edges(rng, self.truth, 0.25)
        assert (dropped != 0).sum() == count - round(0.25 * count)
        added = add_edges(rng, self.truth, 0.25)
        assert (added != 0).sum() == count + round(0.25 * count)
        np.testing.assert_array_equal(added[self.truth != 0], self.truth[self.truth != 0])
        flipped = flip_signs(rng, self.truth, 0.25)
        assert (flipped == -self.truth)[self.truth != 0].sum() == round(0.25 * count)

    def test_a_share_outside_zero_and_one_is_refused(self):
        with pytest.raises(InputError, match="relocate: must be between 0 and 1"):
            relocate_edges(np.random.default_rng(1), self.truth, 1.2)


@pytest.mark.data
def test_published_system_has_the_published_network(data_folder):
    from dashjax.io import read_system

    system = read_system(data_folder / "sim/ode_system_functions_350.csv", data_folder / "sim/gene_names_350.csv")
    assert len(system.genes) == 350
    assert system.is_input.sum() == 74
    assert (system.truth != 0).sum() == 547
    index = {gene: number for number, gene in enumerate(system.genes)}
    rows = (data_folder / "sim/edge_properties_G350.csv").read_text().replace('"', "").splitlines()[1:]
    listed = {(row.split(",")[0], row.split(",")[1]): 1 if row.split(",")[3] == "TRUE" else -1 for row in rows}
    differ = {edge for edge, sign in listed.items() if system.truth[index[edge[0]], index[edge[1]]] != sign}
    # The equations, which generate the data, lack three listed edges and have no other.
    assert differ == {("REB1", "SIN3"), ("GLN3", "FUR4"), ("UME6", "GAL1")}
