"""A network of every kind of edge, with names that try to be markup, formulas and mathematics; nothing is compiled."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, DirectSpec, EdgePosterior, Network, Trajectories, make_prior
from dashjax.data import Finding, as_given
from dashjax.evidence import EnsemblePosterior
from dashjax.questions import influence_table
from dashjax.report import Observed, write_influence, write_network, write_response

#: What must do nothing, look like nothing, and break nothing.
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "=HYPERLINK(\"http://evil\")",
    "$\\frac{$",
    "long" * 2500,
    "'\"&amp;",
    "-1+2",
    "<!--",
)  # fmt: skip
HOW = {
    "method": "posterior", "fitted": "posterior", "status": "finished", "last_epoch": 3.0, "selected_epoch": 2.0,
    "validation_error": 0.01, "sparsity": 0.9, "seed": 0, "members": 2, "hidden_edges": 12.0, "hidden_chance": 0.01,
    "hidden_by_degree": 0.1, "hidden_aupr": 0.6, "hidden_gain": 5.0,
    **{f"hidden_{what}_{number}": value for number in range(6) for what, value in
       (("pairs", 1000.0 + number), ("expected", 3.25 + number), ("found", 2.0 + number))},
}  # fmt: skip


def make_network(names):
    """A ring of genes, each acting on the next, edges' probabilities falling from 1; every second is in the prior."""
    count = len(names)
    place = np.arange(count)
    probability, effect, known = np.zeros((3, count, count))
    probability[place, (place + 1) % count] = np.linspace(0.999, 0.2, count)
    effect[place, (place + 1) % count] = np.where(place % 3 == 1, -0.5, 0.5)
    known[place[::2], (place[::2] + 1) % count] = 1
    mixture = EdgePosterior(probability, effect, 0.1 * (effect != 0), (effect >= 0) * 1.0, np.zeros(3), np.ones(count))
    half = jnp.full(count, 0.5)
    weight = jnp.zeros((2, count, count)).at[0].set(jnp.asarray(effect.T))
    fields = jax.tree.map(lambda leaf: jnp.stack([leaf, 1.1 * leaf]), Direct(weight, half, half, jnp.ones(count)))
    names_of_curves = ("train_error", "validation_error", "learning_rate", "pruned")
    curves = {name: np.linspace(1, 0.1, 3) for name in names_of_curves}
    return Network(
        tuple(names), as_given(count), make_prior(known), spec=DirectSpec(), fields=fields, curves=curves, how=HOW,
        posterior=EnsemblePosterior(mixture, probability, np.ones((count, count))),
        findings=(Finding("warning", "data.csv", "<b>few</b> steps"),),
    )  # fmt: skip


def observe(names, trajectories=3, times=5):
    draw = np.random.default_rng(0)
    levels = draw.uniform(0, 1, (trajectories, times, len(names)))
    seen = np.ones((trajectories, times), bool)
    when = np.broadcast_to(np.linspace(0, 4, times), seen.shape)
    given = Trajectories(jnp.asarray(when), jnp.asarray(levels, jnp.float32), jnp.asarray(seen))
    measured = jnp.asarray(np.ones(levels.shape, bool)).at[0, 1, 0].set(False)
    return Observed([f"run <{number}>" for number in range(trajectories)], replace(given, measured=measured))


@pytest.fixture(scope="session")
def hostile():
    """Its network, and what was observed."""
    names = [*HOSTILE, *(f"G{number}" for number in range(12))]
    return make_network(names), observe(names)


@pytest.fixture(scope="session")
def hostile_names():
    return HOSTILE


@pytest.fixture(scope="session")
def folder(hostile, tmp_path_factory):
    """Folders `fit` and `asked` with their pages."""
    network, observed = hostile
    out = tmp_path_factory.mktemp("pages")
    write_network(out / "fit", network, None, observed, ["a <prior>"])
    response, changed = network.respond(["G0"], {}, np.asarray(observed.trajectories.expression[:, 0]))
    table = network.perturb(["G0"], starts=np.asarray(observed.trajectories.expression[:, 0]))
    settled = network.at_rest(["G0"])
    write_response(out / "asked", table, response, network.genes, "G0 knocked out & <more>", settled)
    write_influence(out / "asked", influence_table(network.measure_influence(), network.acting, network.genes))
    return out


@pytest.fixture(scope="session")
def ring():
    """`ring(names)`: the network of other names, and `observe(names)`."""
    return lambda names, **shape: (make_network(names), observe(names, **shape))
