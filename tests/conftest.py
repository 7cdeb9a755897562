"""Shared fixtures: one tiny system, its study, and the fit compiled once for all tests that only run it."""

import gc
import os
import sys
import tempfile
from pathlib import Path

# Tests run tiny programs once, so nearly all their time is compilation: half of it is spent on optimising. Set before
# JAX starts; a value from outside wins.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# Tests that start processes or sweeps of their own compile the same programs again: keep them for this session.
_programs = tempfile.TemporaryDirectory()
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", _programs.name)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

import jax
import numpy as np
import pytest

from dashjax import FitConfig, PhoenixSpec, fit, generate_system, make_prior, relocate_edges, simulate_study

#: Memory mappings of a process at which its compiled programs are dropped: Linux allows 65,530, and they hold memory.
MANY_MAPPINGS = 20_000


@pytest.fixture(scope="module", autouse=True)
def few_mappings():
    """Drop compiled programs before there are more memory mappings than a process may have."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MANY_MAPPINGS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def data_folder():
    folder = Path(os.environ.get("DASHJAX_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "sim").is_dir():
        pytest.skip("the public data sets are not here (set DASHJAX_DATA)")
    return folder


@pytest.fixture(scope="session")
def system():
    return generate_system(12, seed=1)


@pytest.fixture(scope="session")
def split(system):
    return simulate_study(system, seed=0, train=6, validation=2, test=2, times=(0.0, 1.0, 3.0))


@pytest.fixture(scope="session")
def prior(system):
    return make_prior(relocate_edges(np.random.default_rng(0), system.truth, 0.1))


@pytest.fixture(scope="session")
def config():
    return FitConfig(field=PhoenixSpec(4), epochs=24)


@pytest.fixture(scope="session")
def run(split, config):
    """`run(key, prior, hyper)`: the whole fit, compiled once."""
    return jax.jit(lambda key, prior, hyper: fit(key, split, prior, hyper, config))


@pytest.fixture
def dashjax(monkeypatch, capsys):
    """`dashjax(*arguments)`: the command line in this process; its exit code and what it printed to out and err."""
    from dashjax import cli

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dashjax", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as error:
            code = error.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call
