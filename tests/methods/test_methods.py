"""The registry: every method runs as what it says it is, and a new one is a file and an entry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import METHODS, InputError, find_method, make_schedule
from dashjax.methods import Method
from dashjax.sweep import PRIOR_ONLY, parse_grid, run_sweep

CONTENT = {
    "system": {"kind": "simulated", "genes": 10, "seed": 0},
    "trajectories": {"train": 4, "validation": 2, "test": 2, "times": [0, 1, 3]},
    "seeds": 1,
    "epochs": 24,
    "hidden": 3,
}
CUT_TO_THE_PLAN = {"imp", "dash", "pinn+dash", "synflow", "sparseflow", "pinn_mp"}


def test_selection_starts_where_the_schedule_ends():
    assert find_method("dash").target_sparsity(200) == pytest.approx(1 - 0.3 * 0.9**19, abs=1e-5)
    assert find_method("imp").target_sparsity(10) == pytest.approx(0.7, abs=1e-6)  # no cut in the last epoch
    assert find_method("dense").target_sparsity(200) == 0
    assert find_method("bioprune").target_sparsity(200) == 0
    assert find_method("pinn_mp").target_sparsity(200, 0.95) == pytest.approx(0.95)
    for name in ("synflow", "sparseflow"):  # compared at dash's sparsity
        assert find_method(name).target_sparsity(200) == pytest.approx(1 - 0.3 * 0.9**19, abs=1e-4)


def test_every_tuned_method_has_the_same_budget():
    assert {len(method.settings) for method in METHODS.values()} == {1, 9}


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(InputError, match=r"unknown method 'dahs' \(did you mean 'dash'\?\); valid: posterior, "):
        find_method("dahs")


def test_old_names_are_found_and_take_no_place_of_their_own():
    assert find_method("direct+dash+ensemble") is METHODS["posterior"]
    assert find_method("direct+dash+ensemble+steps") is METHODS["posterior_steps"]
    names = [name for method in METHODS.values() for name in (method.name, *method.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", METHODS)
def test_a_methods_numbers_may_be_traced(name):
    method = METHODS[name]

    @jax.jit
    def traced(strength, trust, noise):
        return method.hyperparameters(30, trust, strength if method.strength is not None else None, noise)

    strength = None if method.strength is None else 0.3
    plain = method.hyperparameters(30, (0.2, 0.4), strength, 0.05)
    found = traced(jnp.asarray(0.3), jnp.array([0.2, 0.4]), jnp.asarray(0.05))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), found, plain)


@pytest.mark.slow
def test_every_method_runs_to_its_sparsity(tmp_path):
    results = run_sweep(parse_grid(CONTENT | {"methods": list(METHODS)}), tmp_path / "out")
    table = results.table[results.table["method"] != PRIOR_ONLY].set_index("method")
    assert list(table.index) == list(METHODS)
    assert (table["status"] == "finished").all()
    fitted = [name for name in METHODS if METHODS[name].estimator is None]
    assert np.isfinite(table.loc[fitted, ["test_mse", "validation_mse"]]).all(axis=None)
    assert table.drop(fitted)["test_mse"].isna().all()  # no dynamics, no error
    for name in CUT_TO_THE_PLAN:
        curves = results.store[table.loc[name, "id"]]
        target = float(find_method(name).target_sparsity(24))
        assert curves["pruned"][-1] == pytest.approx(target, abs=0.05), name
        assert table.loc[name, "sparsity"] >= curves["pruned"][-1] - 1e-6
    for name in ("dense", "cnode", "pinn"):
        curves = results.store[table.loc[name, "id"]]
        assert not curves["pruned"].any(), name


def test_a_stronger_pull_on_thresholds_leaves_fewer_weights(tmp_path):
    methods = [{"name": "dst", "strength": [0.0, 1.0]}]
    results = run_sweep(parse_grid(CONTENT | {"methods": methods}), tmp_path / "out")
    table = results.table[results.table["method"] == "dst"].sort_values("strength")
    pruned = [results.store[row.id]["pruned"][-1] for row in table.itertuples()]
    assert pruned[1] > pruned[0] + 0.1


def test_dash_prunes_a_deep_field_to_its_sparsity(tmp_path):
    grid = parse_grid(CONTENT | {"methods": ["dash"], "field": "mlp", "hidden_layers": 2})
    results = run_sweep(grid, tmp_path / "out")
    row = results.table.iloc[0]
    assert row["status"] == "finished"
    assert row["sparsity"] == pytest.approx(float(find_method("dash").target_sparsity(24)), abs=0.05)
    assert len(results.network(row["id"]).field.layers()) == 3


def test_a_new_method_is_one_definition_and_one_entry(monkeypatch, tmp_path):
    toy = Method(
        "halve",
        "cut half at epoch 5, magnitudes deciding",
        schedule=lambda epochs, strength: make_schedule(5, strength, epochs + 1, 0.0),
        strength=0.5,
    )
    monkeypatch.setitem(METHODS, toy.name, toy)
    results = run_sweep(parse_grid(CONTENT | {"methods": ["halve"], "epochs": 8}), tmp_path / "out")
    row = results.table.iloc[0]
    assert (row["method"], row["strength"], row["status"]) == ("halve", 0.5, "finished")
    curves = results.store[row["id"]]
    assert curves["pruned"].tolist() == [0, 0, 0, 0, *[pytest.approx(0.5)] * 4]
