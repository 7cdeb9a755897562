"""Every reader, on files that were changed at random: a value or one clear error, in bounded time and memory.

`DASHJAX_FUZZ=10000 pytest tests/io/test_fuzz.py -s` tries that many per reader and prints what became of them.
"""

import gzip
import os
import resource
import time

import jax
import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, Network, PhoenixSpec, generate_system, load_network, make_prior
from dashjax.data import as_given
from dashjax.io import (
    CellOptions,
    read_beeline,
    read_dream4,
    read_edges,
    read_expression,
    read_gene_names,
    read_gene_sets,
    read_gene_values,
    read_h5ad,
    read_phoenix,
    read_prior,
    read_regulators,
    read_similarity,
    read_system,
    read_tidy,
    write_system,
)
from dashjax.io.h5ad import PATIENCE
from dashjax.io.sealed import seal

COUNT = int(os.environ.get("DASHJAX_FUZZ", "150"))
#: Seconds that one small file may take, and MiB that a whole test may add.
SLOWEST, LARGEST = 20.0, 300
#: HDF5 never returns from some damaged files; their reader gives up on it.
SLOWEST_OF = {"h5ad": PATIENCE + 20}
GENES = ("A", "B", "C")

INSERTS = [
    *("\ufeff", "\r\n", "\r", "\n", "\n\n", '"', "'", ",", "\t", ";", " ", "\0", "é", "١", "𝛼", "−", "A", "G1", "x,0"),
    *("1e308", "1e309", "-1e-320", "9" * 400, "0x10", "1_000", "inf", "-inf", "nan", "NA", "-1", "0", "0.5", "1e15"),
    *("__import__('os')", "=1+1", "(" * 200, "fAct(A, 1, 1)", "%%MatrixMarket matrix coordinate real general\n"),
]
DELIMITERS = [(b",", b";"), (b"\t", b" "), (b"\n", b"\r\n"), (b".", b","), (b",", b"\t"), (b"\t", b",")]


def mutate(rng, original: bytes, binary: bool) -> bytes:
    """Change a file one to four times: cut, repeat, remove or swap a part, insert something odd, flip bits, …"""
    data = original
    for _ in range(rng.integers(1, 5)):
        begin, end = sorted(rng.integers(0, len(data) + 1, 2))
        what = rng.integers(0, 10 if not binary else 6)
        if what == 0:
            data = data[:begin]
        elif what == 1:
            data = data[:begin] + data[begin : min(end, begin + 200)] + data[begin:]
        elif what == 2:
            data = data[:begin] + data[min(end, begin + 40) :]
        elif what in (3, 4):
            changed = bytearray(data)
            for _ in range(rng.integers(1, 8)):
                if changed:
                    changed[rng.integers(len(changed))] = rng.integers(256)
            data = bytes(changed) if binary or what == 3 else data
        elif what == 5 and binary:
            data = data[:begin] + bytes(rng.integers(0, 256, 8, dtype=np.uint8)) + data[begin:]
        elif what == 5:
            data = data.replace(
                *[(b",", b";"), (b"\t", b" "), (b"\n", b"\r\n"), (b".", b","), (b",", b"\t")][rng.integers(5)]
            )
        elif what == 6:
            lines = data.split(b"\n")
            first, second = rng.integers(0, len(lines), 2)
            lines[first], lines[second] = lines[second], lines[first]
            data = b"\n".join(lines)
        elif what == 7:
            lines = data.split(b"\n")
            data = b"\n".join([*lines, lines[rng.integers(len(lines))]])
        else:
            data = data[:begin] + INSERTS[rng.integers(len(INSERTS))].encode() + data[begin:]
    return gzip.compress(data) if not binary and rng.random() < 0.02 else data


def numbers(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, count).round(3)


def tidy_text():
    rows = [f"{name},{time},{a},{b}" for name in "xy" for time, (a, b) in enumerate(numbers(6).reshape(3, 2))]
    return "trajectory,time,A,B\n" + "\n".join(rows) + "\n"


def long_text():
    rows = [f"{t},{gene},{n}" for t in (0, 1, 2) for gene, n in zip(GENES, numbers(3, t), strict=True)]
    return "time,gene,expression\n" + "\n".join(rows) + "\n"


def dream4_text():
    rows = [f"{t}.0\t{a}\t{b}" for t, (a, b) in zip(range(0, 1001, 50), numbers(42).reshape(21, 2), strict=True)]
    block = "\n".join(rows)
    return f'"Time"\t"G1"\t"G2"\n{block}\n\n{block}\n'


def beeline_texts():
    cells = [f"c{n}" for n in range(30)]
    levels = pd.DataFrame(numbers(60).reshape(2, 30), index=["A", "B"], columns=cells)
    time = pd.DataFrame({"one": numbers(30), "two": [*numbers(10), *[np.nan] * 20]}, index=cells)
    return levels.to_csv().encode(), time.to_csv(na_rep="NA").encode()


def in_file(read, name="file.csv"):
    """Return a reader of bytes, by way of a file."""

    def call(folder, content):
        path = folder / name
        path.write_bytes(content)
        return read(path)

    return call


def h5ad_bytes(folder):
    anndata = pytest.importorskip("anndata")
    obs = pd.DataFrame({"time": np.repeat([0, 1, 2], 4)}, index=[f"c{n}" for n in range(12)])
    anndata.AnnData(numbers(24).reshape(12, 2), obs, pd.DataFrame(index=["A", "B"])).write_h5ad(folder / "c.h5ad")
    return (folder / "c.h5ad").read_bytes()


def parquet_bytes(folder):
    pd.DataFrame({"trajectory": "x", "time": [0.0, 1.0, 2.0], "A": numbers(3)}).to_parquet(folder / "t.parquet")
    return (folder / "t.parquet").read_bytes()


def spreadsheet_bytes(folder):
    pytest.importorskip("openpyxl")
    frame = pd.DataFrame({"trajectory": "x", "time": [0.0, 1.0, 2.0], "A": numbers(3)})
    frame.to_excel(folder / "t.xlsx", index=False)
    return (folder / "t.xlsx").read_bytes()


def network_bytes(folder):
    fields = jax.tree.map(lambda leaf: leaf[None], PhoenixSpec(2).init(jax.random.key(0), 3))
    curves = {"train_error": np.ones(2)}
    network = Network(GENES, as_given(3), make_prior(np.eye(3)), None, PhoenixSpec(2), fields, curves=curves)
    network.save(folder / "n.npz")
    return (folder / "n.npz").read_bytes()


def system_bytes(folder):
    write_system(folder / "s.csv", generate_system(8, 0))
    return (folder / "s.csv").read_bytes()


def beeline_folder(which):
    def read(folder, content):
        texts = list(beeline_texts())
        texts[which] = content
        for name, text in zip(("ExpressionData.csv", "PseudoTime.csv"), texts, strict=True):
            (folder / name).write_bytes(text)
        return read_beeline(folder, CellOptions(bins=3))

    return read


def resealed(content):
    try:
        return seal(content)
    except Exception:
        return content


PRIOR = "source,target,weight,sign\nA,B,0.5,+\nB,C,1,-\nA,C,0.25,\n"
MATRIX = ",A,B,C\nA,0,1,0\nB,0,0,-0.5\nC,0,0,0\n"
SAMPLED = "gene,T0_rep1,T2_rep1,T0_rep2,T2_rep2\nA,0.1,0.2,0.3,0.4\nB,0.5,0.6,0.7,\n"
PHOENIX = "2,2,\n0.1,0.2,0.3\n0.4,0.5,0.6\n0,1,2\n1,2,\n3,4,\n0,5,\n"
MARKET = "%%MatrixMarket matrix coordinate real general\n3 3 2\n1 2 1.0\n2 3 -0.5\n"
READ_NETWORK = in_file(load_network, "n.npz")
TARGETS = {
    "phoenix": (PHOENIX, in_file(read_phoenix)),
    "tidy": (tidy_text(), in_file(read_tidy)),
    "tidy, a row per value": (long_text(), in_file(read_tidy)),
    "tidy, Parquet": (parquet_bytes, in_file(read_tidy, "t.parquet")),
    "tidy, spreadsheet": (spreadsheet_bytes, in_file(read_tidy, "t.xlsx")),
    "samples, transposed": (SAMPLED, in_file(lambda path: read_expression(path, transpose=True))),
    "dream4": (dream4_text(), in_file(read_dream4, "d.tsv")),
    "beeline, expression": (beeline_texts()[0].decode(), beeline_folder(0)),
    "beeline, pseudotime": (beeline_texts()[1].decode(), beeline_folder(1)),
    "h5ad": (h5ad_bytes, in_file(read_h5ad, "c.h5ad")),
    "equations": (system_bytes, in_file(read_system)),
    "gene names": ('"x"\n"A_input"\n"B"\n"C"\n', in_file(read_gene_names)),
    "gene values": ("gene,influence,n\nA,0.5,1\nB,2,3\n", in_file(lambda path: read_gene_values(path, "influence"))),
    "regulators": ("TF\nA\nC\n", in_file(lambda path: read_regulators(path, GENES, "intersect"))),
    "prior, edges": (PRIOR, in_file(lambda path: read_prior(path, GENES, "intersect"))),
    "prior, matrix": (MATRIX, in_file(lambda path: read_prior(path, GENES, "intersect"))),
    "prior, bare matrix": ("0,1,0\n0,0,-0.5\n0,0,0\n", in_file(lambda path: read_prior(path, GENES))),
    "prior, triplets": ("1,2,1\n2,3,-0.5\n", in_file(lambda path: read_prior(path, GENES))),
    "prior, MatrixMarket": (MARKET, in_file(lambda path: read_prior(path, GENES), "p.mtx")),
    "netZoo motif": ("A\tB\t1.0\nB\tC\t0.5\nC\tA\t0\n", in_file(lambda path: read_prior(path, GENES), "m.txt")),
    "netZoo PPI": ("A\tB\t1.0\nB\tC\t0.5\n", in_file(lambda path: read_similarity(path, GENES), "p.txt")),
    "gene sets": ("A\tx\tB\tC\nB\t\tC\n", in_file(read_gene_sets, "s.gmt")),
    "edge list": ("source\ttarget\tweight\treturned\nA\tB\t0.5\tTrue\nB\tC\t-1\tFalse\n", in_file(read_edges, "e.tsv")),
    "network": (network_bytes, in_file(load_network, "n.npz")),
    # As one who knows how to seal would change it.
    "network, sealed": (
        network_bytes,
        lambda folder, content: in_file(load_network, "n.npz")(folder, resealed(content)),
    ),
}
BINARY = {"tidy, Parquet", "tidy, spreadsheet", "h5ad", "network", "network, sealed"}


@pytest.mark.parametrize("name", TARGETS)
def test_changed_files_end_in_a_value_or_one_clear_error(name, tmp_path):
    original, read = TARGETS[name]
    original = original(tmp_path) if callable(original) else original.encode()
    read(tmp_path, original)
    rng = np.random.default_rng(len(name))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    values, slowest = 0, 0.0
    for _ in range(COUNT):
        content = mutate(rng, original, name in BINARY)
        begun = time.perf_counter()
        try:
            read(tmp_path, content)
            values += 1
        except InputError as error:
            message = str(error)
            one_line_with_file = len(message.splitlines()) == 1 and len(message) < 600 and str(tmp_path) in message
            assert one_line_with_file, (message, content)  # noqa: PT017
        except BaseException:
            print(f"{name}: {content[:2000]!r}")
            raise
        slowest = max(slowest, time.perf_counter() - begun)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    found = f"{values:,} values, {COUNT - values:,} errors, slowest {slowest:.3f} s, +{grown:.0f} MiB"
    print(f"\n{name}: {COUNT:,} inputs, {found}")
    assert slowest < SLOWEST_OF.get(name, SLOWEST)
    assert grown < LARGEST
