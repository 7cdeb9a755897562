"""One small system as a user's data, in every form that data may have."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from dashjax import generate_system, infer_network, make_trajectories, simulate_study
from dashjax.networks import edge_list

TIMES = (0.0, 1.0, 3.0)


@pytest.fixture(scope="session")
def small():
    """The system behind the data."""
    return generate_system(8, seed=3)


@pytest.fixture(scope="session")
def genes(small):
    return tuple(small.genes)


@pytest.fixture(scope="session")
def courses(small):
    """Levels (trajectory, time, gene), as single precision has them."""
    seen = simulate_study(small, seed=3, train=10, validation=2, test=1, times=TIMES).seen()
    return np.asarray(seen.expression, np.float32).astype(float)


@pytest.fixture(scope="session")
def trajectories(courses):
    return make_trajectories([TIMES] * len(courses), list(courses))


@pytest.fixture(scope="session")
def frame(courses, genes):
    """A tidy frame."""
    count = len(courses)
    table = pd.DataFrame(courses.reshape(-1, len(genes)), columns=list(genes))
    table.insert(0, "time", np.tile(TIMES, count))
    table.insert(0, "trajectory", np.repeat([f"t{n:02d}" for n in range(count)], len(TIMES)))
    return table


@pytest.fixture(scope="session")
def adata(frame, genes):
    anndata = pytest.importorskip("anndata")
    obs = frame[["trajectory", "time"]].set_index(pd.Index([f"c{n}" for n in range(len(frame))]))
    return anndata.AnnData(frame[list(genes)].to_numpy(), obs, pd.DataFrame(index=list(genes)))


@pytest.fixture(scope="session")
def net(small, genes):
    """A prior as decoupler gives it: the true edges, and a source that is wrong."""
    return edge_list(np.asarray(small.truth), genes)


@pytest.fixture(scope="session")
def few():
    """`infer_network` for a few epochs, so that all tests share their compiled programs."""
    return partial(infer_network, epochs=4, members=2, progress=False)


@pytest.fixture(scope="session")
def fitted(few, frame, net):
    """The network that the default method finds."""
    return few(frame, net)
