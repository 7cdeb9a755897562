"""A cell's identity: its numbers and nothing else, the same in every process."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import optax
import pytest

from dashjax import FitConfig, InputError, PhoenixSpec, make_prior
from dashjax.engine import Cell, RivalCell
from dashjax.engine.cell import describe
from dashjax.methods import METHODS, find_method
from dashjax.rivals import RIVALS

OPTIMISERS = {
    "adam": "optax.adam(1e-3)",
    "slower adam": "optax.adam(2e-3)",
    "lion": "optax.scale_by_lion()",
    "momentum": "optax.trace(0.9)",
    "clipped": "optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b1=0.8))",
    "scheduled": "optax.adam(optax.cosine_decay_schedule(1e-3, 100))",
}


@pytest.fixture(scope="module")
def cell(problem):
    return Cell(problem, find_method("dash"), epochs=4)


def test_names_do_not_count(cell, ensemble):
    renamed = replace(cell.method, name="mine", summary="another text", aliases=("yours",), strengths=(0.1,))
    same = replace(cell, method=renamed, label="ours", coordinates={"place": "here"})
    assert same.identity == cell.identity
    assert replace(cell, problem=replace(cell.problem, name="b", group="c", source="d", notes=("e",))).identity == (
        cell.identity
    )
    again = replace(ensemble, method=replace(ensemble.method, name="mine"))
    assert (again.identity, again.identity_of_run(2)) == (ensemble.identity, ensemble.identity_of_run(2))


def test_every_number_counts(cell, problem):
    method, config = cell.method, cell.config
    prior = np.asarray(problem.prior.edges)
    others = [
        replace(cell, seed=1),
        replace(cell, epochs=5),
        replace(cell, trust=(0.05, 0.02)),
        replace(cell, noise=0.1),
        replace(cell, fold=1),
        replace(cell, target_sparsity=0.5),
        replace(cell, method=replace(method, learning_rate=2e-3)),
        replace(cell, method=find_method("imp")),
        replace(cell, config=replace(config, field=PhoenixSpec(3))),
        replace(cell, config=replace(config, optimiser=optax.scale_by_lion())),
        replace(cell, config=replace(config, plateau_patience=9)),
        replace(cell, problem=problem.with_prior(make_prior(-prior))),
        replace(cell, problem=problem.with_folds(3)),
    ]
    found = [other.identity for other in [cell, *others]]
    assert len(set(found)) == len(found)


def test_what_an_ensemble_is_made_of_counts(ensemble):
    judged = replace(ensemble, method=find_method("posterior"))
    others = [
        replace(ensemble, precision=0.5),
        replace(ensemble, method=replace(ensemble.method, members=2)),
        replace(ensemble, method=replace(ensemble.method, evidence=METHODS["posterior_steps"].evidence)),
        judged,
    ]
    assert len({other.identity for other in [ensemble, *others]}) == 5
    # Its members are runs of their own, which those ensembles share, and no run without a number is one of them.
    assert len({other.identity_of_run(1) for other in [ensemble, *others]}) == 1
    assert len({ensemble.identity_of_run(number) for number in (None, 0, 1, 2)}) == 4


def test_what_takes_over_counts_by_its_numbers(ensemble, monkeypatch):
    judged = replace(ensemble, method=find_method("posterior"))
    before = judged.identity
    monkeypatch.setitem(METHODS, "posterior_steps", replace(METHODS["posterior_steps"], learning_rate=5e-3))
    assert replace(judged).identity != before


def test_other_numerics_give_new_identities(cell, ensemble, monkeypatch):
    before = [cell.identity, ensemble.identity, ensemble.identity_of_run(0)]
    monkeypatch.setattr("dashjax.engine.cell.NUMERICS_VERSION", -1)
    cell, ensemble = replace(cell), replace(ensemble)
    after = [cell.identity, ensemble.identity, ensemble.identity_of_run(0)]
    assert not set(before) & set(after)


def test_rivals_that_know_no_prior_rank_once_for_all_priors(problem):
    other = problem.with_prior(make_prior(problem.truth))
    ridge, again = RivalCell(problem, RIVALS["ridge"]), RivalCell(other, RIVALS["ridge"])
    assert ridge.source == again.source
    assert ridge.identity != again.identity
    lasso, again = RivalCell(problem, RIVALS["lasso"]), RivalCell(other, RIVALS["lasso"])
    assert lasso.source != again.source
    newer = RivalCell(problem, replace(RIVALS["ridge"], version=99))
    assert newer.source != ridge.source


def test_rivals_that_are_told_who_may_regulate_rank_again_where_others_may(problem):
    some = replace(problem, regulators=(0, 1))
    ridge, others = (RivalCell(one, RIVALS["ridge"]) for one in (problem, some))
    assert ridge.source == others.source
    ridge, others = (RivalCell(one, RIVALS["mrna_ridge"]) for one in (problem, some))
    assert ridge.source != others.source


def test_a_rivals_row_says_which_version_of_a_package_it_is_of(problem):
    needy = replace(RIVALS["portia"], needs_package="numpy")
    cell = RivalCell(problem, needy)
    assert cell.row()["package"] == f"numpy {np.__version__}"
    assert cell.source != RivalCell(problem, replace(needy, needs_package="jax")).source
    assert RivalCell(problem, replace(needy, needs_package="no-such-package")).row()["package"] == "no-such-package"
    assert "package" not in RivalCell(problem, RIVALS["ridge"]).row()
    assert RivalCell(problem, RIVALS["degree"], label="out_degree").row()["method"] == "out_degree"


def test_configurations_are_told_apart_and_are_the_same_in_every_process():
    script = (
        "import optax\n"
        "from dashjax import FitConfig\n"
        "from dashjax.engine.cell import describe\n"
        f"for text in {list(OPTIMISERS.values())}:\n"
        "    print(describe(FitConfig(optimiser=eval(text))))\n"
        "print(describe(FitConfig()))\n"
    )
    # Other hashes, so that nothing that is listed in their order passes.
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=120, capture_output=True, text=True, env=environment
    )
    here = [describe(FitConfig(optimiser=eval(text))) for text in OPTIMISERS.values()] + [describe(FitConfig())]
    assert done.stdout.splitlines() == here
    assert len(set(here)) == len(here)
    assert not [text for text in here if " at 0x" in text]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trust": (0.1, 1.5)}, "lambda_2: must be between 0 and 1, got 1.5"),
        ({"precision": 1.0}, "precision: must be between 0 and 1, got 1"),
        ({"strength": 0.5}, "dash has no strength"),
    ],
)
def test_settings_that_no_run_can_use_are_refused(cell, change, message):
    with pytest.raises(InputError, match=message):
        replace(cell, **change)


def test_regulators_narrow_the_field_of_edge_resolved_methods_only(problem):
    few = replace(problem, regulators=(0, 3))
    assert Cell(few, find_method("posterior")).run_config.field.regulators == (0, 3)
    assert Cell(few, find_method("dash")).run_config.field == PhoenixSpec()
