"""What a network says about its genes, through the command line, on a chain A → B → C beside a lone D."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from dashjax import Direct, DirectSpec, EdgePosterior, Network, Phoenix, PhoenixSpec
from dashjax.cli.options import read_starts
from dashjax.data import as_given, no_prior
from dashjax.evidence import EnsemblePosterior

GENES = ("A", "B", "C", "D")
CHAIN = jnp.zeros((2, 4, 4)).at[0, 1, 0].set(0.8).at[0, 2, 1].set(-0.6)


def network_of(field, spec, posterior=None):
    fields = jax.tree.map(lambda leaf: leaf[None], field)
    return Network(GENES, as_given(4), no_prior(4), spec=spec, fields=fields, posterior=posterior)


def chain(weight=CHAIN, posterior=None):
    half = jnp.full(4, 0.5)
    return network_of(Direct(weight, half, half, jnp.ones(4)), DirectSpec(), posterior)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The folder of a fit whose posterior returns A → B only, and lists B → C and D → A."""
    folder = tmp_path_factory.mktemp("fit")
    probability, effect = np.zeros((2, 4, 4))
    probability[0, 1], probability[1, 2], probability[3, 0] = 0.95, 0.4, 0.1
    effect[0, 1], effect[1, 2], effect[3, 0] = 0.8, -0.6, 0.1
    mixture = EdgePosterior(probability, effect, 0 * effect, (effect >= 0) * 1.0, np.zeros(3), np.ones(4))
    chain(posterior=EnsemblePosterior(mixture, probability, probability)).save(folder / "model.npz")
    (folder / "expression.csv").write_text("trajectory,time,D,C,B,A\n1,0,.1,.2,.3,.4\n1,6,.1,.2,.3,.4\n")
    return folder


def test_influence_ranks_genes_and_counts_the_returned_edges(fitted, tmp_path, dashjax):
    code, text, err = dashjax("influence", fitted, "--out", tmp_path / "o", "--starts", 5)
    assert code == 0, err
    assert "4 genes, 1 of them regulators; each pushed by 0.1 of its range from 5 random starts" in text
    table = pd.read_csv(tmp_path / "o" / "influence.tsv", sep="\t")
    assert list(table["gene"][:2]) == ["A", "B"]
    np.testing.assert_array_equal(table["influence"] > 0, [True, True, False, False])
    assert list(table["out_degree"]) == [1, 0, 0, 0]
    assert (tmp_path / "o" / "figures" / "influence.png").read_bytes().startswith(b"\x89PNG")
    # Without a posterior all non-zero effects count; observed starts bring their own span.
    chain().save(tmp_path / "bare.npz")
    arguments = [tmp_path / "bare.npz", "--expression", fitted / "expression.csv", "--out", tmp_path / "p"]
    code, text, err = dashjax("influence", *arguments)
    assert code == 0, err
    assert "2 of them regulators; each pushed by 0.1 of its range from 1 observed starts and followed to time 6" in text


def test_perturb_writes_responses_and_trajectories_of_combinations(fitted, tmp_path, dashjax):
    out = tmp_path / "o"
    arguments = ["--knock-out", "A", "--over-express", "D=2", "--starts", 3]
    chain().save(tmp_path / "bare.npz")
    code, text, err = dashjax("perturb", tmp_path / "bare.npz", *arguments, "--out", out)
    assert code == 0, err
    assert "A knocked out and D held at 2, from 3 random starts" in text
    assert (
        "2 genes respond by at least a tenth of the strongest response: 1 direct, 1 downstream, 0 unconnected" in text
    )
    out = out / "A_out,D_held_2"
    table = pd.read_csv(out / "response.tsv", sep="\t").set_index("gene")
    assert table["relation"].to_dict() == {"A": "perturbed", "D": "perturbed", "B": "direct", "C": "downstream"}
    paths = pd.read_csv(out / "trajectories.tsv", sep="\t")
    assert len(paths) == 4 * 11
    assert set(paths[paths["gene"] == "A"]["perturbed"]) == {0}
    after = paths[(paths["gene"] == "B") & (paths["time"] > 0)]
    assert table["response"]["B"] == pytest.approx((after["perturbed"] - after["unperturbed"]).mean(), rel=1e-4)
    for name in ("response", "trajectories"):
        assert (out / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    # The posterior returns only A → B.
    code, text, err = dashjax("perturb", fitted, "--knock-out", "A", "--starts", 3, "--out", tmp_path / "p")
    assert code == 0, err
    table = pd.read_csv(tmp_path / "p" / "A_out" / "response.tsv", sep="\t").set_index("gene")
    assert table["relation"].to_dict() == {"A": "perturbed", "B": "direct", "C": "unconnected", "D": "unconnected"}
    assert table["response"]["C"] != 0
    # Other edges may be named instead.
    (tmp_path / "e.tsv").write_text("source\ttarget\tweight\treturned\nA\tC\t1\tTrue\nA\tB\t1\tFalse\n")
    arguments = ["--knock-out", "A", "--starts", 3, "--edges", tmp_path / "e.tsv", "--out", tmp_path / "e"]
    code, text, err = dashjax("perturb", fitted, *arguments)
    assert code == 0, err
    named = pd.read_csv(tmp_path / "e" / "A_out" / "response.tsv", sep="\t").set_index("gene")["relation"].to_dict()
    assert named == {"A": "perturbed", "C": "direct", "B": "unconnected", "D": "unconnected"}
    arguments = ["--knock-out", "A", "--starts", 3, "--edges-only", "--out", tmp_path / "q"]
    code, text, err = dashjax("perturb", fitted, *arguments)
    assert code == 0, err
    code, text, err = dashjax("perturb", fitted, "--knock-out", "D", "--starts", 3, "--out", tmp_path / "r")
    assert code == 0, err
    assert "no other gene responds" in text
    along = pd.read_csv(tmp_path / "q" / "A_out" / "response.tsv", sep="\t").set_index("gene")["response"]
    assert along["C"] == pytest.approx(0, abs=1e-6)
    assert along["B"] == pytest.approx(table["response"]["B"], rel=1e-4)


def test_perturb_knocks_down_and_predicts_levels_at_rest(fitted, tmp_path, dashjax):
    out = tmp_path / "o"
    low = replace(chain(), floor=np.array([-0.125, 0, 0, 0]))
    low.save(tmp_path / "low.npz")
    arguments = ["--knock-out", "A", "--knock-down", "D=0.5", "--at-rest", "--starts", 3]
    code, text, err = dashjax("perturb", tmp_path / "low.npz", *arguments, "--out", out)
    assert code == 0, err
    assert "A knocked out (held at -0.125, the lowest seen) and D knocked down to 0.5 of its production, from 3" in text
    out = out / "A_out,D_down_0.5"
    assert f"levels at rest, with intervals of 90 %: {out / 'at_rest.tsv'}" in text
    table = pd.read_csv(out / "at_rest.tsv", sep="\t").set_index("gene")
    assert list(table.index) == list(GENES)
    assert list(table) == ["usual", "level", "low", "high", "change"]
    assert (table.loc["A", ["level", "low", "high"]] == -0.125).all()
    assert table["level"]["D"] == pytest.approx(table["usual"]["D"] / 2, rel=1e-3)
    shown = [line.split()[0] for line in text.split("at rest")[1].splitlines()[1:3]]
    assert shown == ["B", "C"]  # by their change, without what was changed itself
    assert (out / "figures" / "at_rest.png").read_bytes().startswith(b"\x89PNG")
    # Observed starts and the returned edges count there too: only A → B.
    arguments = ["--knock-out", "A", "--at-rest", "--edges-only", "--expression", fitted / "expression.csv"]
    code, text, err = dashjax("perturb", fitted, *arguments, "--out", tmp_path / "p")
    assert code == 0, err
    assert "A knocked out, from 1 observed starts" in text
    along = pd.read_csv(tmp_path / "p" / "A_out" / "at_rest.tsv", sep="\t").set_index("gene")["change"]
    assert along["C"] == pytest.approx(0, abs=1e-6)
    assert along["B"] < -0.1


def test_pathways_are_tested_and_small_sets_listed(fitted, tmp_path, dashjax):
    sets = tmp_path / "sets.gmt"
    sets.write_text("CHAIN\tx\tA\tB\tA\nREST\tx\tC\tD\tZ\nSMALL\tx\tA\tZ\n")
    out = tmp_path / "o"
    code, text, err = dashjax("pathways", fitted, sets, "--min-size", 2, "--starts", 3, "--out", out)
    assert code == 0, err
    text = " ".join(text.split())
    assert "2 gene sets tested against 1,000 permutations, 1 left out with fewer than 2 genes of the network" in text
    table = pd.read_csv(out / "pathways.tsv", sep="\t").set_index("pathway")
    assert list(table.index) == ["CHAIN", "REST", "SMALL"]
    assert list(table["genes"]) == [2, 2, 1]
    assert table["strongest"]["CHAIN"] == "A B"
    assert table["p"]["CHAIN"] == pytest.approx(1 / 6, abs=0.05)  # one of the six pairs
    assert table["p"]["REST"] == 1
    assert np.isnan(table["p"]["SMALL"])
    influence = pd.read_csv(out / "influence.tsv", sep="\t").set_index("gene")["influence"]
    assert table["score"]["CHAIN"] == pytest.approx(influence["A"] + influence["B"], rel=1e-5)
    assert (out / "figures" / "pathways.png").read_bytes().startswith(b"\x89PNG")
    # The same again, from the influence that was measured.
    arguments = ["--min-size", 2, "--influence", out / "influence.tsv", "--out", tmp_path / "p"]
    code, _, err = dashjax("pathways", fitted, sets, *arguments)
    assert code == 0, err
    again = pd.read_csv(tmp_path / "p" / "pathways.tsv", sep="\t").set_index("pathway")
    pd.testing.assert_frame_equal(again, table, rtol=1e-4)
    code, text, err = dashjax("pathways", fitted, sets, *arguments[:-1], tmp_path / "q", "--permutations", 9)
    assert code == 0, err
    assert "Bonferroni cannot go below 0.2 here: 40 --permutations would allow 5 %" in text


BAD = [
    (["influence", "absent"], "absent: no such file"),
    (["influence", "{fit}", "--edges", "{fit}/expression.csv"], "row 1: no column source"),
    (["influence", "{fit}", "--edges", "{edges}"], "unknown gene 'Z'"),
    (["influence", "{fit}", "--starts", "0"], "--starts: must be at least 1"),
    (["influence", "{fit}", "--push", "0"], "--push: must be a number other than zero"),
    (["influence", "{fit}", "--horizon", "-1"], "--horizon: must be a positive time"),
    (["influence", "{fit}", "--bins", "3"], "describe --expression, which is missing"),
    (
        ["influence", "{fit}", "--expression", "{lacking}"],
        "lacks 2 of the network's 4 genes, 'A' first; 1 differ only in",
    ),
    (["pathways", "{fit}", "absent.gmt"], "absent.gmt: no such file"),
    (["pathways", "{fit}", "{malformed}"], "malformed, row 2: expected a name, a description and genes"),
    (["pathways", "{fit}", "{strangers}"], "none of its 2 genes is in the network; 1 differ only in case"),
    (["pathways", "{fit}", "{sets}"], "no gene set has 5 genes of the network, the largest has 2; --min-size"),
    (["pathways", "{fit}", "{sets}", "--min-size", "0"], "--min-size: must be at least 1"),
    (["pathways", "{fit}", "{sets}", "--permutations", "0"], "--permutations: must be at least 1"),
    (
        ["pathways", "{fit}", "{sets}", "--min-size", "1", "--influence", "{sets}"],
        "expected columns gene and influence",
    ),
    (["pathways", "{fit}", "{sets}", "--min-size", "1", "--influence", "{values}"], "lacks 3 of the network's 4 genes"),
    (["pathways", "{fit}", "{sets}", "--influence", "{values}", "--expression", "x"], "leave out --expression"),
    (["perturb", "{fit}"], "name at least one gene"),
    (["perturb", "{fit}", "--knock-out", "a"], "--knock-out: the network has no gene 'a' (did you mean 'A'?)"),
    (["perturb", "{fit}", "--over-express", "Q=1"], "--over-express: the network has no gene 'Q'"),
    (["perturb", "{fit}", "--over-express", "B=high"], "--over-express: expected GENE=LEVEL, for example GATA1=1.5"),
    (["perturb", "{fit}", "--over-express", "B"], "got 'B'"),
    (["perturb", "{fit}", "--over-express", "B=inf"], "got 'B=inf'"),
    (["perturb", "{fit}", "--over-express", "B=1e300"], "got 'B=1e300'"),
    (["perturb", "{fit}", "--knock-out", "B", "--over-express", "B=1"], "gene 'B' is perturbed twice"),
    (["perturb", "{fit}", "--knock-down", "B"], "--knock-down: expected GENE=SHARE, for example GATA1=0.5, got 'B'"),
    (["perturb", "{fit}", "--knock-down", "B=-1"], "--knock-down: 'B' is left a share of -1, expected at least 0"),
    (["perturb", "{fit}", "--knock-down", "B=0", "--knock-down", "B=1"], "gene 'B' is perturbed twice"),
    (["perturb", "{fit}", "--knock-down", "Q=0"], "--knock-down: the network has no gene 'Q'"),
    (["perturb", "{ranked}", "--knock-out", "A", "--at-rest"], "genie3 fits no dynamics"),
    (["perturb", "{hidden}", "--knock-out", "A", "--edges-only"], "--edges-only: hidden units join the edges"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_a_users_mistake_is_one_line_and_writes_nothing(fitted, tmp_path, dashjax, arguments, message):
    files = {
        "edges": "source\ttarget\tweight\nA\tZ\t1\n",
        "malformed": "S\tx\tA\nT\tx\n",
        "strangers": "S\tx\ta\tZ\n",
        "sets": "S\tx\tA\tB\n",
        "values": "gene,influence\nA,1\n",
        "lacking": "trajectory,time,a,C,D\n1,0,0,0,0\n1,1,1,1,1\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    places = {name: tmp_path / name for name in (*files, "hidden", "ranked")} | {"fit": fitted}
    Network(GENES, as_given(4), no_prior(4), ranking=np.eye(4), how={"method": "genie3"}).save(places["ranked"])
    network_of(Phoenix.init(jax.random.key(0), 4, 2), PhoenixSpec(2)).save(places["hidden"])
    out = tmp_path / "out"
    code, _, err = dashjax(*[part.format(**places) for part in arguments], "--out", out)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not out.exists()


def test_observed_starts_are_put_into_the_networks_order(fitted):
    begin = read_starts(chain(), fitted / "expression.csv", None, None, number=200, horizon=2.0, seed=0)
    np.testing.assert_allclose(begin.states, [[0.4, 0.3, 0.2, 0.1]])
    assert (begin.times[0], begin.times[-1]) == (0, 2)


def test_a_network_in_which_nothing_acts_is_no_mistake(tmp_path, dashjax):
    chain(0 * CHAIN).save(tmp_path / "model.npz")
    (tmp_path / "sets.gmt").write_text("S\tx\tA\tB\n")
    held = [part for gene in GENES for part in ("--over-express", f"{gene}=1")]
    for name, *options in (
        ("influence",),
        ("pathways", tmp_path / "sets.gmt", "--min-size", 1),
        ("perturb", "--knock-out", "A"),
        ("perturb", *held),
    ):
        out = tmp_path / f"{name}{len(options)}"
        code, text, err = dashjax(name, tmp_path / "model.npz", *options, "--starts", 1, "--out", out)
        assert code == 0, err
        assert list(out.glob("**/figures/*.png"))
        assert name != "perturb" or "no other gene responds" in text


def test_names_of_any_characters_are_shown_as_they_are(tmp_path, dashjax):
    """A dollar begins no formula in figures, and a path's parts no folder."""
    replace(chain(), genes=("$\\frac{$", "<b>", "=1+1", "../x")).save(tmp_path / "model.npz")
    (tmp_path / "sets.gmt").write_text("$\\x$\tx\t$\\frac{$\t<b>\n<b>\tx\t<b>\t../x\n")
    for name, *options in (
        ("influence",),
        ("pathways", tmp_path / "sets.gmt", "--min-size", 1),
        ("perturb", "--knock-out", "$\\frac{$"),
        ("perturb", "--over-express", "../x=1", "--at-rest"),
    ):
        code, _, err = dashjax(name, tmp_path / "model.npz", *options, "--starts", 1, "--out", tmp_path / name)
        assert (code, err) == (0, "")
    assert pd.read_csv(tmp_path / "influence" / "influence.tsv", sep="\t")["gene"][0] == "$\\frac{$"
    assert len([path for path in (tmp_path / "perturb").iterdir() if path.is_dir()]) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"model.npz", "sets.gmt", "influence", "pathways", "perturb"}
