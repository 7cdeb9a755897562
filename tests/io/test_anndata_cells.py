"""What AnnData objects say of their cells in other words, and what they leave open: read, refused or asked about."""

import numpy as np
import pandas as pd
import pytest

from dashjax.errors import InputError
from dashjax.io import CellOptions, expression_from_anndata, read_h5ad
from dashjax.io.h5ad import DOUBT
from dashjax.io.h5ad_worker import log_normalised

anndata = pytest.importorskip("anndata")
CELLS = 60


def adata_of(levels=None, **obs):
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.5, 2.5, (CELLS, 3)) if levels is None else levels
    frame = pd.DataFrame(obs, index=[f"c{n}" for n in range(CELLS)])
    var = pd.DataFrame({"symbol": ["GATA1", "TAL1", "KLF1"]}, index=[f"ENSG0000000000{n}" for n in range(3)])
    return anndata.AnnData(np.asarray(levels, np.float32), frame, var)


def read(adata, tmp_path=None, **options):
    """Read an object, and where a folder is given its file as well: both must be told the same."""
    data = expression_from_anndata(adata, CellOptions(**options), "cells")
    if tmp_path is not None:
        adata.write_h5ad(tmp_path / "c.h5ad")
        other = read_h5ad(tmp_path / "c.h5ad", CellOptions(**options))
        np.testing.assert_array_equal(other.trajectories.times, data.trajectories.times)
        np.testing.assert_array_equal(other.trajectories.expression, data.trajectories.expression)
        assert (other.genes, other.names, other.notes) == (data.genes, data.names, data.notes)
    return data


def times_of(data):
    return np.asarray(data.trajectories.times)[0].tolist()


@pytest.mark.parametrize(
    ("texts", "times", "words"),
    [
        (("0", "2", "10"), [0, 2, 10], "time is 'day' of obs"),
        (("0h", "8h", "24h"), [0, 8, 24], "time is 'day' of obs in 'h'"),
        (("0", "8 hpf", "24 HPF"), [0, 8, 24], "time is 'day' of obs in 'hpf'"),
        (("D0", "d2", "D10"), [0, 2, 10], "time is 'day' of obs"),
        (("day 1", "day_2", "Day:4"), [1, 2, 4], "time is 'day' of obs"),
        (("day-1", "day-2", "day-4"), [1, 2, 4], "time is 'day' of obs"),
        (("D-2", "D0", "D3.5"), [-2, 0, 3.5], "time is 'day' of obs"),
        (("E8.25", "E8.5", "E9"), [8.25, 8.5, 9], "time is 'day' of obs"),
        (("30min", "2h", "1d"), [0.5, 2, 24], "time is 'day' of obs in hours"),
        (("1e1", "2e1", "3e1"), [10, 20, 30], "time is 'day' of obs"),
    ],
)
@pytest.mark.parametrize("category", [False, True])
def test_times_may_be_texts(texts, times, words, category):
    column = np.array(texts)[np.arange(CELLS) % 3]
    data = read(adata_of(day=pd.Categorical(column) if category else column))
    np.testing.assert_allclose(times_of(data), times, rtol=1e-6)
    assert data.notes[0] == words
    assert "20" not in data.notes[0]
    assert not any("left out" in note for note in data.notes)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("0", "2", "late"), "^cells: column 'day' of obs: 20 of 60 cells have times that cannot be read: 'late'$"),
        (("D1", "E2", "D3"), "times are written in several ways \\('D1', 'D3', 'E2'\\); make them numbers"),
        (("1h", "2hpf", "3h"), "times are written in several ways"),
        (("1", "2h", "3"), "times are written in several ways"),
        (("early", "mid", "late"), "column 'day' of obs holds no numbers"),
        (("", "nan", "NA"), "column 'day' of obs holds no numbers"),
    ],
)
def test_texts_that_are_no_times_are_refused_with_their_count(texts, message):
    with pytest.raises(InputError, match=message):
        read(adata_of(day=np.array(texts)[np.arange(CELLS) % 3]))


def test_cells_without_a_time_or_lineage_are_counted_and_make_no_lineage(tmp_path):
    day = np.array(["0", "4", "nan", "8"])[np.arange(CELLS) % 4]
    lineage = pd.Series(np.array(["ery", "mk", None], dtype=object)[np.arange(CELLS) % 3])
    data = read(adata_of(day=day, lineage=lineage.to_numpy()), tmp_path, trajectory="lineage")
    assert data.names == ("ery", "mk")
    assert "15 of 60 cells have no time and are left out" in data.notes
    assert "20 of 60 cells have no 'lineage' and are left out" in data.notes
    pseudotime = np.where(np.arange(CELLS) < 6, np.inf, np.arange(CELLS))
    unreached = read(adata_of(dpt_pseudotime=pseudotime), bins=4)
    assert "6 of 60 cells have no time and are left out" in unreached.notes
    with pytest.raises(InputError, match="column 'lineage' of obs names no trajectory"):
        read(adata_of(day=np.arange(CELLS) % 3, lineage=[np.nan] * CELLS), trajectory="lineage")


def test_what_is_chosen_and_what_is_not_is_said():
    numbers = np.arange(CELLS)
    data = read(adata_of(dpt_pseudotime=numbers / 60, day=numbers % 3))
    assert data.notes[0] == "time is 'dpt_pseudotime' of obs, not 'day'"
    assert read(adata_of(dpt_pseudotime=numbers / 60, day=numbers % 3), time="day").notes[0] == "time is 'day' of obs"


def test_lineages_that_nobody_asked_for_are_asked_about():
    lineage = np.array(["ery", "mk"])[np.arange(CELLS) % 2]
    adata = adata_of(day=np.arange(CELLS) % 3, lineage=lineage)
    (doubt,) = [note for note in read(adata).notes if note.startswith(DOUBT) and "trajectory=" in note]
    assert "obs has 'lineage' with 2 values (ery, mk)" in doubt
    told = read(adata, trajectory="lineage")
    assert not any("trajectory=" in note for note in told.notes)
    # A name of its own for nearly every cell tells no trajectories apart.
    barcodes = adata_of(day=np.arange(CELLS) % 3, sample=[f"s{n}" for n in range(CELLS)])
    assert not any("trajectory=" in note for note in read(barcodes).notes)


def test_raw_counts_are_recognised_and_normalised_on_request(tmp_path):
    counts = np.random.default_rng(1).poisson(4.0, (CELLS, 3)).astype(np.float32)
    counts[0] = 0  # an empty cell divides nothing
    adata = adata_of(counts, day=np.arange(CELLS) % 3)
    (doubt,) = [note for note in read(adata).notes if "raw counts" in note]
    assert doubt.startswith(DOUBT)
    assert f"up to {counts.max():.0f}" in doubt
    data = read(adata, tmp_path, normalise="log1p")
    assert "counts are scaled to 10,000 per cell and log(1 + x) is taken" in data.notes
    size = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    expected = np.log1p(counts / size * 1e4)
    means = [expected[np.arange(CELLS) % 3 == day].mean(axis=0) for day in range(3)]
    order = [list(adata.var_names).index(gene) for gene in data.genes]
    np.testing.assert_allclose(np.asarray(data.trajectories.expression)[0], np.array(means)[:, order], rtol=1e-5)
    for levels in (np.log1p(counts), counts - 1):
        with pytest.raises(InputError, match="normalise: values are no raw counts"):
            read(adata_of(levels, day=np.arange(CELLS) % 3), normalise="log1p")
    with pytest.raises(InputError, match="normalise: unknown value 'cpm'"):
        CellOptions(normalise="cpm")


def test_a_cells_counts_are_divided_by_its_own_sum():
    np.testing.assert_allclose(log_normalised(np.array([[1.0, 3.0], [0, 0]])), [np.log1p([2500, 7500]), [0, 0]])


def test_symbols_may_stand_in_a_column_of_var(tmp_path):
    adata = adata_of(day=np.arange(CELLS) % 3)
    assert any(note.startswith(DOUBT) and "gene_symbols=symbol" in note for note in read(adata).notes)
    data = read(adata, tmp_path, gene_symbols="symbol")
    assert set(data.genes) == {"GATA1", "TAL1", "KLF1"}
    assert not any("gene_symbols" in note for note in data.notes)
    adata.var["symbol"] = ["GATA1", None, "KLF1"]
    assert "ENSG00000000001" in read(adata, gene_symbols="symbol").genes
    with pytest.raises(InputError, match="var has no column 'name'; there are: symbol"):
        read(adata, gene_symbols="name")


def test_raw_is_a_layer_with_genes_of_its_own(tmp_path):
    adata = adata_of(day=np.arange(CELLS) % 3)
    whole = adata.copy()
    adata = adata[:, :2].copy()
    adata.raw = whole
    data = read(adata, tmp_path, layer="raw")
    assert len(data.genes) == 3
    np.testing.assert_array_equal(data.trajectories.expression, read(whole).trajectories.expression)
    assert len(read(adata).genes) == 2
