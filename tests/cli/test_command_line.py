"""The command line as a newcomer meets it: results on good input, one line and exit code 2 on bad."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from dashjax import cli, load_network
from dashjax.io import read_expression, read_interventions, read_phoenix, read_prior, read_steady, write_phoenix


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "s"
    command = [sys.executable, "-m", "dashjax.cli", "simulate", "--out", folder, "--genes", "12", "--trajectories", "8"]
    subprocess.run([*map(str, command), "--times", "0,1,3", "--noise", "0.01"], check=True, timeout=180)
    return folder


def test_simulate_writes_files_that_the_readers_read(simulated):
    genes = (simulated / "genes.csv").read_text().split()[1:]
    data = read_expression(simulated / "trajectories.csv", simulated / "genes.csv")
    assert data.genes == tuple(genes)
    assert data.trajectories.expression.shape == (8, 3, 12)
    truth = read_prior(simulated / "truth.tsv", genes)
    prior = read_prior(simulated / "prior.tsv", genes)
    count = (truth != 0).sum()
    assert (prior != 0).sum() == count
    assert ((prior != 0) & (truth != 0)).sum() == count - round(0.05 * count)
    assert list(pd.read_csv(simulated / "truth.tsv", sep="\t").columns) == ["source", "target", "weight"]


def test_simulate_again_from_its_own_files(simulated, tmp_path, dashjax):
    noise_free = tmp_path / "a"
    options = ["--equations", simulated / "equations.csv", "--names", simulated / "genes.csv"]
    assert dashjax("simulate", "--out", noise_free, *options, "--trajectories", 3, "--times", "0,2,9")[0] == 0
    code, out, _ = dashjax("simulate", "--out", tmp_path / "b", *options, "--initial", noise_free / "trajectories.csv")
    assert code == 0
    assert "largest difference" in out
    for ours, theirs in zip(
        read_phoenix(tmp_path / "b" / "trajectories.csv").unpadded()[1],
        read_phoenix(noise_free / "trajectories.csv").unpadded()[1],
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_simulate_writes_samples_at_rest_on_demand(simulated, tmp_path, dashjax):
    options = ["--genes", 12, "--trajectories", 8, "--times", "0,1,3", "--noise", 0.01]
    code, text, err = dashjax(
        "simulate", "--out", tmp_path, *options, "--knockouts", 2, "--knockdowns", 12, "--steady"
    )  # fmt: skip
    assert code == 0, err
    assert "at rest: 1 wild type, 2 knock-outs, 12 knock-downs by half" in text
    assert len(read_steady(tmp_path / "steady.csv").names) == 15
    assert len(read_interventions(tmp_path / "interventions.csv")) == 14
    written = {path.name: path.read_bytes() for path in simulated.iterdir() if path.suffix != ".json"}
    assert {name: (tmp_path / name).read_bytes() for name in written} == written


def test_fit_writes_edges_model_curves_and_figures(simulated, tmp_path, dashjax):
    out = tmp_path / "fit"
    code, text, err = dashjax(
        "fit", "--expression", simulated / "trajectories.csv", "--genes", simulated / "genes.csv",
        "--prior", simulated / "prior.tsv", "--out", out, "--method", "dash", "--epochs", 12, "--hidden", 4,
        "--validation", 0.25,
    )  # fmt: skip
    assert code == 0, err
    assert "12 genes, 8 trajectories" in text
    edges = pd.read_csv(out / "edges.tsv", sep="\t")
    assert list(edges.columns) == ["source", "target", "weight", "effect", "in_prior"]
    assert (edges["weight"].abs().diff().dropna() <= 0).all()
    assert (np.sign(edges["weight"]) == np.sign(edges["effect"])).all()
    np.testing.assert_allclose(edges.groupby("target")["weight"].agg(lambda w: w.abs().sum()), 1, rtol=1e-5)
    network = load_network(out)
    effects = network.matrix("effect")
    assert len(edges) == (effects != 0).to_numpy().sum()
    listed = [effects.loc[source, target] for source, target in zip(edges["source"], edges["target"], strict=True)]
    np.testing.assert_allclose(edges["effect"], listed, rtol=1e-5)
    assert len(network.genes) == 12
    assert network.how["method"] == "dash"
    assert len(pd.read_csv(out / "curves.csv")) == 12
    for name in ("training_curves", "effects"):
        assert (out / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_fit_accepts_one_long_trajectory(tmp_path, dashjax):
    rng = np.random.default_rng(0)
    rows = [f"x,{t}," + ",".join(f"{v:.3f}" for v in rng.random(5)) for t in range(9)]
    rows[3] = "x,3,0.5,,0.25,NA,0.75"  # missing values go all the way
    (tmp_path / "e.csv").write_text("trajectory,time,A,B,C,D,E\n" + "\n".join(rows))
    (tmp_path / "p.csv").write_text("source,target\nA,B\n")
    code, _, err = dashjax(
        "fit", "--expression", tmp_path / "e.csv", "--prior", tmp_path / "p.csv", "--out", tmp_path / "o",
        "--epochs", 2, "--hidden", 3, "--method", "dash",
    )  # fmt: skip
    assert code == 0, err
    assert np.isfinite(load_network(tmp_path / "o").matrix("effect")).all(axis=None)


def test_the_unit_of_time_does_not_change_the_network(simulated, tmp_path, dashjax):
    times, expression = read_phoenix(simulated / "trajectories.csv").unpadded()
    networks = []
    for unit in (1, 64):  # a power of two, so that no digit is lost
        write_phoenix(tmp_path / "t.csv", [unit * t for t in times], expression)
        code, _, err = dashjax(
            "fit", "--expression", tmp_path / "t.csv", "--genes", simulated / "genes.csv", "--method", "dash",
            "--prior", simulated / "prior.tsv", "--out", tmp_path / str(unit), "--epochs", 4, "--hidden", 4,
        )  # fmt: skip
        assert code == 0, err
        networks.append(unit * load_network(tmp_path / str(unit)).matrix("effect").to_numpy())
    assert np.abs(networks[0]).max() > 0
    np.testing.assert_allclose(networks[1], networks[0], rtol=1e-5)


def test_check_says_what_is_in_the_files_and_fails_where_a_fit_would(simulated, tmp_path, dashjax):
    arguments = [simulated / "trajectories.csv", simulated / "prior.tsv", "--genes", simulated / "genes.csv"]
    code, text, err = dashjax("check", *arguments)
    assert code == 0, err
    assert "12 genes, 8 trajectories of 3 times from 0 to 3" in text
    assert "of the expression" in text
    assert text.strip().splitlines()[-1] in ("ready to fit", "can be fitted, but see 1 warning")
    (tmp_path / "p.csv").write_text("source,target\nNOBODY,NOTHING\n")
    code, text, err = dashjax("check", arguments[0], tmp_path / "p.csv", *arguments[2:])
    assert code == 2
    assert "cannot be fitted: 1 error" in text
    assert "Traceback" not in err


def test_edges_are_scored_beside_their_prior_and_exported(simulated, tmp_path, dashjax):
    code, text, err = dashjax(
        "score", simulated / "truth.tsv", simulated / "truth.tsv", "--prior", simulated / "prior.tsv",
        "--universe", "tf", "--out", tmp_path / "scores",
    )  # fmt: skip
    assert code == 0, err
    scores = pd.read_csv(tmp_path / "scores" / "scores.tsv", sep="\t").set_index("network")
    for name in ("balanced_accuracy", "aupr", "beeline_auprc", "beeline_early_precision", "sign_agreement"):
        assert scores.loc["truth.tsv", name] == 1
    assert scores.loc["prior only", "aupr"] < 1
    assert "self loops left out" in text
    regulators = pd.read_csv(tmp_path / "scores" / "regulators.tsv", sep="\t")
    assert regulators["true_targets"].sum() == scores.loc["truth.tsv", "n_edges"]
    code, text, err = dashjax(
        "export", simulated / "truth.tsv", "--to", "beeline", "--out", tmp_path / "rankedEdges.csv"
    )
    assert code == 0, err
    assert len(pd.read_csv(tmp_path / "rankedEdges.csv", sep="\t")) == len(
        pd.read_csv(simulated / "truth.tsv", sep="\t")
    )
    code, _, err = dashjax("export", simulated / "truth.tsv", "--to", "vcf", "--out", tmp_path / "x")
    assert (code, "valid: tsv, csv, parquet, beeline, decoupler, graphml" in err) == (2, True)


def test_an_ensemble_writes_the_posterior_of_its_edges(simulated, tmp_path, dashjax):
    out = tmp_path / "fit"
    genes = (simulated / "genes.csv").read_text().split()[1:]
    prior = pd.concat(pd.read_csv(simulated / name, sep="\t") for name in ("prior.tsv", "truth.tsv"))
    prior = prior.drop_duplicates(["source", "target"])
    # All but one of the prior's sources may regulate.
    barred = prior["source"].value_counts().index[-1]
    (tmp_path / "regulators.txt").write_text("\n".join(gene for gene in genes if gene != barred))
    code, text, err = dashjax(
        "fit", "--expression", simulated / "trajectories.csv", "--genes", simulated / "genes.csv",
        "--prior", simulated / "prior.tsv", "--prior", simulated / "truth.tsv", "--out", out,
        "--epochs", 6, "--method", "direct+l1",
        "--ensemble", 2, "--precision", 0.8, "--regulators", tmp_path / "regulators.txt",
    )  # fmt: skip
    assert code == 0, err
    text = " ".join(text.split())
    assert text.count("are expected to be true") == 2
    assert "left out because their source may not regulate" in text
    assert "at an expected precision of 0.8" in text
    edges = pd.read_csv(out / "edges.tsv", sep="\t")
    assert list(edges.columns[:3]) == ["source", "target", "weight"]
    assert not edges["source"].eq(barred).any()
    allowed = prior[prior["source"] != barred]
    listed = set(zip(edges["source"], edges["target"], strict=True))
    assert set(zip(allowed["source"], allowed["target"], strict=True)) <= listed
    assert edges["in_prior"].sum() == len(allowed)
    assert (edges["probability"].diff().dropna() <= 0).all()
    assert edges["probability"].between(0, 1).all()
    assert (edges["weight_low"] <= edges["weight"]).all()
    assert (edges["weight"] <= edges["weight_high"]).all()
    assert set(edges["frequency"]) <= {0.0, 0.5, 1.0}
    returned = edges[edges["returned"]]
    assert returned["probability"].mean() >= 0.8 or returned.empty
    # Only listed edges that stay below the asked precision are not returned.
    more = edges.head(len(returned) + 1)["probability"].mean()
    assert (
        len(returned) == len(edges) or more < 0.8 or edges["probability"][len(returned)] in set(returned["probability"])
    )
    network = load_network(out)
    assert network.members == 2
    assert not np.asarray(network.field.effects())[network.genes.index(barred)].any()


@pytest.mark.slow
def test_tuning_chooses_a_setting_and_says_why(simulated, tmp_path, dashjax):
    out = tmp_path / "fit"
    code, text, err = dashjax(
        "fit", "--expression", simulated / "trajectories.csv", "--genes", simulated / "genes.csv",
        "--prior", simulated / "prior.tsv", "--out", out, "--epochs", 8, "--method", "direct+l1", "--tune", 2,
    )  # fmt: skip
    assert code == 0, err
    assert (out / "figures" / "choice.png").read_bytes().startswith(b"\x89PNG")
    tried = pd.read_csv(out / "choice.csv")
    assert len(tried) == 9
    assert tried["chosen"].sum() == 1
    chosen = tried[tried["chosen"]].iloc[0]
    assert f"chosen among 9 settings by 2 folds: strength {chosen['strength']:g}" in " ".join(text.split())
    best = tried.loc[tried["validation_mse"].idxmin()]
    within = tried[tried["validation_mse"] <= best["validation_mse"] + best["standard_error"]]
    assert within["within_one_error"].all()
    assert chosen["sparsity"].round(2) == within["sparsity"].round(2).max()


BAD_FIT = [
    (["--expression", "absent.csv"], "absent.csv: no such file"),
    (["--method", "dahs"], "unknown method 'dahs'"),
    (["--lambda-1", "2"], "--lambda-1: must be between 0 and 1"),
    (["--lambda-2", "nan"], "--lambda-2: must be between 0 and 1"),
    (["--match", "some"], "--match: unknown value 'some'"),
    (["--validation", "1"], "--validation: must be between 0 and 1"),
    (["--prior", "absent.csv"], "absent.csv: no such file"),
    (["--prior", "{genes}"], "row 1"),
    (["--epochs", "0"], "'--epochs'"),
    (["--genes", "absent.csv"], "absent.csv: no such file"),
    (["--ensemble", "0"], "--ensemble: must be at least 1"),
    (["--tune", "9", "--method", "dash"], "--tune: 9 folds of 8 pieces"),
    (["--precision", "1.5"], "--precision: must be between 0 and 1"),
    (["--regulators", "absent.csv"], "absent.csv: no such file"),
    (["--regulators", "{prior}"], "appears twice"),
    (["--strength", "-1"], "strength of posterior must not be negative, got -1"),
    (["--method", "dense", "--strength", "1"], "dense has no strength"),
    (["--tune", "2"], "--tune: posterior has nothing to choose"),
    (["--field", "mlpp"], "--field: unknown field 'mlpp' (did you mean 'mlp'?)"),
    (["--bins", "5"], "holds no cells, so layer, time, trajectory, bins, perturbation and control do not apply"),
]


@pytest.mark.parametrize(("change", "message"), BAD_FIT)
def test_bad_fit_is_one_line_and_writes_nothing(simulated, tmp_path, dashjax, change, message):
    options = {
        "--expression": simulated / "trajectories.csv",
        "--genes": simulated / "genes.csv",
        "--prior": simulated / "prior.tsv",
        "--out": tmp_path / "out",
        "--epochs": 2,
        "--hidden": 3,
    }
    change = [part.format(genes=simulated / "genes.csv", prior=simulated / "prior.tsv") for part in change]
    options |= dict(zip(change[::2], change[1::2], strict=True))
    code, _, err = dashjax("fit", *[part for pair in options.items() for part in pair])
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_is_refused_before_training(simulated, tmp_path, dashjax, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("trained before the folder was looked at")

    monkeypatch.setattr("dashjax.engine.program.Programs.run", refuse)
    monkeypatch.setattr("dashjax.inference.infer", refuse)
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        code, _, err = dashjax(
            "fit", "--expression", simulated / "trajectories.csv", "--genes", simulated / "genes.csv", "--out", out
        )
        assert code == 2
        assert "cannot be written" in err
        assert "is not a folder" in err
        assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "in the way"


def test_fit_says_when_it_returns_many_more_edges_than_its_prior(simulated, tmp_path, dashjax):
    options = ["--expression", simulated / "trajectories.csv", "--genes", simulated / "genes.csv"]
    options += ["--method", "dash", "--epochs", 2, "--hidden", 4]
    prior = ["--prior", simulated / "prior.tsv"]
    code, text, err = dashjax("fit", *options, *prior, "--out", tmp_path / "a")
    assert code == 0, err
    known = len(pd.read_csv(simulated / "prior.tsv", sep="\t"))
    (line,) = [line for line in text.splitlines() if "where its prior has" in line]
    assert f"dash: returns {len(load_network(tmp_path / 'a').edges)} edges where its prior has {known}: " in line
    assert "method posterior gives every edge a probability" in line
    code, text, err = dashjax("fit", *options, "--out", tmp_path / "b")
    assert code == 0, err
    assert "where its prior has" not in text
    assert "no prior" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--times", "0,b"], "--times: expected numbers"),
        (["--times", "0,0"], "each later than the one before"),
        (["--corruption", "3"], "--corruption: must be at most 1, got 3"),
        (["--genes", "3"], "'--genes'"),
        (["--equations", "absent.csv"], "absent.csv: no such file"),
        (["--names", "absent.csv"], "--names"),
        (["--genes", "8", "--knockouts", "9"], "dashjax: --knockouts: the system has 8 genes, got 9\n"),
        (["--genes", "8", "--knockdowns", "9"], "dashjax: --knockdowns: the system has 8 genes, got 9\n"),
    ],
)
def test_bad_simulate_is_one_line_and_writes_nothing(tmp_path, dashjax, arguments, message):
    code, _, err = dashjax("simulate", "--out", tmp_path / "out", *arguments)
    assert code == 2
    assert message in err
    assert not (tmp_path / "out").exists()


def test_bad_grid_is_one_line_and_writes_nothing(tmp_path, dashjax):
    (tmp_path / "g.yaml").write_text("system: {kind: simulated, genes: 10}\nmethods: [dahs]\n")
    code, _, err = dashjax("sweep", tmp_path / "g.yaml", "--out", tmp_path / "out")
    assert code == 2
    assert "g.yaml: methods.0.name: unknown method 'dahs'" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_sweep_prints_the_table_with_the_prior_beside(tmp_path, dashjax):
    (tmp_path / "g.yaml").write_text(
        "system: {kind: simulated, genes: 10}\nmethods: [dash]\nseeds: 1\nepochs: 4\nhidden: 3\n"
        "trajectories: {train: 4, validation: 2, test: 2, times: [0, 1, 3]}\n"
    )
    code, out, err = dashjax("sweep", tmp_path / "g.yaml", "--out", tmp_path / "out")
    assert code == 0, err
    assert "prior_only" in out
    assert "runs:" not in out  # a line a minute, and this takes less
    code, out, _ = dashjax("status", tmp_path / "out")
    assert code == 0
    assert "all: 1/1 runs" in out
    (tmp_path / "out" / "report.html").unlink()
    code, out, _ = dashjax("report", tmp_path / "out")
    assert code == 0
    assert "prior_only" in out
    assert (tmp_path / "out" / "report.html").exists()
    for command in ("status", "report"):
        code, _, err = dashjax(command, tmp_path)
        assert code == 2
        assert "not a results folder" in err
    code, _, err = dashjax("sweep", tmp_path / "g.yaml", "--out", tmp_path / "out", "--shard", "one")
    assert code == 2
    assert "--shard: expected i/n" in err


@pytest.mark.data
def test_published_trajectories_are_reproduced_up_to_their_other_kinetics(data_folder, tmp_path, dashjax):
    sim = data_folder / "sim"
    # The published trajectories come from a sister draw in which SIN3 is not an input and stands at row 90.
    names = [line.strip('"').removesuffix("_input") for line in (sim / "gene_names_350.csv").read_text().split()[1:]]
    names.insert(90, names.pop(names.index("SIN3")))
    (tmp_path / "names.csv").write_text("gene\n" + "\n".join(names) + "\n")
    text = (sim / "ode_system_functions_350.csv").read_text()
    assert '"SIN3","input gene"' in text
    text = text.replace('"SIN3","input gene"', '"SIN3","fAct(REB1, 0.5, 1.6) - SIN3"')
    (tmp_path / "equations.csv").write_text(text)
    published = sim / "simu_350genes_10samples_for_testing.csv"
    code, _, err = dashjax(
        "simulate", "--out", tmp_path / "out", "--equations", tmp_path / "equations.csv",
        "--names", tmp_path / "names.csv", "--initial", published,
    )  # fmt: skip
    assert code == 0, err
    ours, theirs = (
        np.stack(read_phoenix(path).unpadded()[1]) for path in (tmp_path / "out" / "trajectories.csv", published)
    )
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.014


def test_the_order_of_genes_in_a_file_does_not_change_the_network(simulated, tmp_path, dashjax):
    genes = (simulated / "genes.csv").read_text().split()[1:]
    times, expression = read_phoenix(simulated / "trajectories.csv").unpadded()
    order = np.random.default_rng(0).permutation(len(genes))
    write_phoenix(tmp_path / "trajectories.csv", times, [values[:, order] for values in expression])
    (tmp_path / "genes.csv").write_text("gene\n" + "\n".join(genes[n] for n in order) + "\n")
    options = ["--prior", simulated / "prior.tsv", "--method", "dash", "--epochs", 12, "--hidden", 4]
    for folder, out in ((simulated, "a"), (tmp_path, "b")):
        files = ["--expression", folder / "trajectories.csv", "--genes", folder / "genes.csv"]
        assert dashjax("fit", *files, *options, "--out", tmp_path / out)[0] == 0
    assert (tmp_path / "a" / "edges.tsv").read_bytes() == (tmp_path / "b" / "edges.tsv").read_bytes()


def test_compiled_programs_are_kept_where_the_user_says(monkeypatch, tmp_path):
    import jax

    before = jax.config.jax_compilation_cache_dir
    try:
        cli.keep_programs()  # the tests' own folder is set in the environment
        assert jax.config.jax_compilation_cache_dir == before
        monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        cli.keep_programs()
        assert jax.config.jax_compilation_cache_dir.startswith(str(tmp_path / "dashjax"))
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


def test_measured_data_are_compared_from_a_folder_of_folders(tmp_path, dashjax):
    folder = tmp_path / "data" / "irma"
    folder.mkdir(parents=True)
    rows = [f"{name},{time},{time},1,{2 - time}" for name in ("on", "off") for time in (0, 1, 2)]
    (folder / "irma_timeseries_mean.csv").write_text("\n".join(["trajectory,time,A,B,C", *rows]) + "\n")
    (folder / "truth.csv").write_text("source,target,sign\nA,B,-1\nB,C,1\nC,A,1\nC,B,1\n")
    command = ("compare", "--dataset", "measured", "--out", tmp_path / "out")
    code, text, err = dashjax(*command, "--data", tmp_path / "data", "--methods", "mrna_ridge,prior_only,degree")
    assert code == 0, err
    assert "B. subtilis is left out: no bsubtilis/meta_data.tsv in" in text
    assert "IRMA, half of the edges" in text
    assert (tmp_path / "out" / "report.html").is_file()
    code, _, err = dashjax(*command, "--data", tmp_path)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert "no measured problem; looked for bsubtilis/meta_data.tsv" in err
    code, _, err = dashjax(*command, "--data", tmp_path / "data", "--priors", "none")
    assert code == 2
    assert "--priors: the problems of measured have priors of their own" in err


def test_findings_name_options_and_a_fit_says_which_column_it_took_for_the_time(tmp_path, dashjax):
    anndata = pytest.importorskip("anndata")
    rng = np.random.default_rng(0)
    counts = rng.poisson(5, (60, 5)).astype(np.float32)
    cells = pd.DataFrame(
        {"day": np.repeat([0.0, 1.0, 2.0], 20), "donor": np.tile(["a", "b"], 30)}, index=map(str, range(60))
    )
    anndata.AnnData(counts, obs=cells, var=pd.DataFrame(index=list("ABCDE"))).write_h5ad(tmp_path / "cells.h5ad")
    code, text, _ = dashjax("check", tmp_path / "cells.h5ad")
    assert code == 0
    assert "--normalise log1p divides by library size" in text
    assert "--trajectory donor tells them apart" in text
    options = ["--expression", tmp_path / "cells.h5ad", "--method", "dash", "--epochs", 1, "--hidden", 2]
    code, text, err = dashjax("fit", *options, "--out", tmp_path / "guessed")
    assert code == 0, err
    assert "time is 'day' of obs (--time chooses)" in text
    code, text, _ = dashjax("fit", *options, "--time", "day", "--out", tmp_path / "named")
    assert code == 0
    assert "--time chooses" not in text
