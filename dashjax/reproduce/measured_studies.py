"""What the published studies of measured expression ran, and where their files are.

Two public repositories hold the files; nothing of them is shipped or fetched here:

    git clone https://github.com/QuackenbushLab/phoenix
    git clone https://github.com/QuackenbushLab/DASH

| study | data set | files |
| --- | --- | --- |
| yeast | genes-3551 | phoenix/pramila_yeast_data/clean_data: pramila_3551genes_1sample_24T.csv (replicate to fit), \
pramila_3551genes_1VALsample_24T.csv (replicate to test on), pramila3551_gene_names.csv, \
edge_prior_matrix_pramila_3551.csv or motif_prior.csv, PPI_matrix_pramila_3551.csv (C) |
| | genes-500 | the same folder: pramila_500genes_…, pramila500_gene_names.csv, edge_prior_matrix_pramila_500.csv |
| breast | genes-11165 | phoenix/breast_cancer_data/clean_data: desmedt_11165genes_1sample_178T.csv, \
desmedt_11165genes_1TESTsample_8middleT.csv, desmedt_gene_names_11165.csv, edge_prior_matrix_desmedt_11165.csv, \
validation_network.csv (ChIP-seq); DASH/breast_cancer_data/clean_data/PPI_matrix_desmedt_11165.csv (C) |
| | genes-2000, genes-500 | the same folder of phoenix, without C |
| hema | erythroid, monocyte, b-cell | DASH/hema_data/clean_data: hema_{eryth,mono,B}_529genes_2samples.csv, \
hema_{eryth,mono,B}_529genes_3testsamples.csv, hema_gene_names_529.csv, edge_prior_matrix_hema_529.csv |

A data folder may hold the two clones, be one of them or any folder inside, or hold the bare files, gzipped or not. Not
in either repository: the ChIP edges that yeast was validated against, any for bone marrow, and bone marrow's C
(PPI_matrix_hema_529.csv). Files of these names are used where a user adds them: `validation_network.csv`, an edge table
of any format of `read_network`, and the PPI matrices. Without a C it is the number of shared targets in the prior. The
breast PPI file holds one triangle and is read as the symmetric matrix it stands for. Every
file of the table is in the repositories themselves; none has to be fetched from elsewhere.

Not read: DASH's desmedt_11165genes_1sample_186T.csv, the 178 points and the eight test points in one file. A run that
trains on it has seen its test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dashjax.errors import InputError, unknown
from dashjax.sparsity import Schedule, genome_schedule, simulated_schedule

#: Where the clones come from.
SOURCE = "git clone https://github.com/QuackenbushLab/"
#: Methods whose cuts follow a study's published schedule; the others have one of their own, or none.
SCHEDULED = ("imp", "bioprune", "dash")
#: Ours, one weight per edge: too many of them beyond `LARGEST_DIRECT` genes.
EDGE_METHODS = ("posterior", "posterior_steps")
#: Genes up to which the edge-resolved methods run, and up to which λ is chosen by cross-validation too.
LARGEST_DIRECT, LARGEST_TUNED = 1000, 4000


@dataclass(frozen=True)
class DataSet:
    """One table of a study: its files, as REPOSITORY/FOLDER/NAME.

    Attributes:
        name: its folder and heading.
        expression: trajectories to train and validate on.
        test: trajectories to test on.
        genes: their names.
        prior: prior edges.
        similarity: input-input knowledge C, where there is such a file.
        validation: ChIP-type edges to score networks against, where there is such a file.
        edges: prior edges as a table, read where there is no matrix; those of other genes are left out.
        instead: whether it only stands in where files of the published size are missing.
        published: published (sparsity, balanced accuracy) by method, in per cent.
    """

    name: str
    expression: str
    test: str
    genes: str
    prior: str
    similarity: str
    validation: str
    edges: str = ""
    instead: bool = False
    published: tuple[tuple[str, tuple[float | None, float | None]], ...] = ()


@dataclass(frozen=True)
class MeasuredStudy:
    """A study of measured expression.

    Hidden units, λ and schedule are the paper's (Hossain et al., NeurIPS 2024); epochs, learning rate, step size and
    hold-out those of the released configurations (PHOENIX's `config_yeast.cfg`, DASH's `config_breast.cfg` and
    `config_hema.cfg`, and its data handler, whose validation trajectory of bone marrow is the first one).

    Attributes:
        name: what the command line calls it.
        title: heading of its report.
        datasets: its tables.
        hidden: hidden units of the PHOENIX field.
        trust: λ of DASH.
        schedule: makes the schedule of the methods in `SCHEDULED`.
        epochs: of every run.
        learning_rate: Adam's initial rate.
        pieces_per_step: pieces of data that make one gradient step.
        held_out: share of the single transitions held out for validation; None holds out the first trajectory whole.
        remark: what a reader must know of its errors and settings.
        methods: methods in every table.
        seeds: runs per method.
        tuned: the method that also runs with λ chosen by cross-validation on the training data.
        folds: of that; 0 for none.
    """

    name: str
    title: str
    datasets: tuple[DataSet, ...]
    hidden: int
    trust: tuple[float, float]
    schedule: Callable[[], Schedule]
    epochs: int
    learning_rate: float
    pieces_per_step: int
    held_out: float | None
    remark: str
    methods: tuple[str, ...] = ("dense", "imp", "pinn_mp", "bioprune", "dash", *EDGE_METHODS)
    seeds: int = 3
    tuned: str = "dash"
    folds: int = 3

    @property
    def tuned_label(self) -> str:
        """What tables call the tuned method with λ by cross-validation."""
        return f"{self.tuned}_tuned"

    @property
    def source(self) -> str:
        """How to get the files."""
        return SOURCE + self.datasets[0].expression.partition("/")[0]

    def only(self, dataset: str) -> MeasuredStudy:
        """Return the study with one of its data sets, no more a stand-in.

        Raises:
            InputError: on an unknown one; the message lists the known ones.
        """
        known = {d.name: d for d in self.datasets}
        if dataset not in known:
            raise InputError(unknown("table", dataset, list(known)), "only")
        return replace(self, datasets=(replace(known[dataset], instead=False),))

    def quick(self) -> MeasuredStudy:
        """Return the study with two seeds, 60 epochs and the published λ alone."""
        return replace(self, seeds=2, epochs=60, folds=0)


_YEAST = "phoenix/pramila_yeast_data/clean_data"
_BREAST = "phoenix/breast_cancer_data/clean_data"
_HEMA = "DASH/hema_data/clean_data"


def _yeast(genes: int, instead: bool = False) -> DataSet:
    return DataSet(
        f"genes-{genes}",
        expression=f"{_YEAST}/pramila_{genes}genes_1sample_24T.csv",
        test=f"{_YEAST}/pramila_{genes}genes_1VALsample_24T.csv",
        genes=f"{_YEAST}/pramila{genes}_gene_names.csv",
        prior=f"{_YEAST}/edge_prior_matrix_pramila_{genes}.csv",
        similarity=f"{_YEAST}/PPI_matrix_pramila_{genes}.csv",
        validation=f"{_YEAST}/validation_network.csv",
        edges=f"{_YEAST}/motif_prior.csv",
        instead=instead,
    )


def _breast(genes: int, instead: bool = False, published=()) -> DataSet:
    return DataSet(
        f"genes-{genes}",
        expression=f"{_BREAST}/desmedt_{genes}genes_1sample_178T.csv",
        test=f"{_BREAST}/desmedt_{genes}genes_1TESTsample_8middleT.csv",
        genes=f"{_BREAST}/desmedt_gene_names_{genes}.csv",
        prior=f"{_BREAST}/edge_prior_matrix_desmedt_{genes}.csv",
        similarity=f"DASH/breast_cancer_data/clean_data/PPI_matrix_desmedt_{genes}.csv",
        validation=f"{_BREAST}/validation_network.csv",
        instead=instead,
        published=published,
    )


def _hema(name: str, lineage: str, published=()) -> DataSet:
    return DataSet(
        name,
        expression=f"{_HEMA}/hema_{lineage}_529genes_2samples.csv",
        test=f"{_HEMA}/hema_{lineage}_529genes_3testsamples.csv",
        genes=f"{_HEMA}/hema_gene_names_529.csv",
        prior=f"{_HEMA}/edge_prior_matrix_hema_529.csv",
        similarity=f"{_HEMA}/PPI_matrix_hema_529.csv",
        validation=f"{_HEMA}/validation_network.csv",
        published=published,
    )


MEASURED_STUDIES: dict[str, MeasuredStudy] = {
    study.name: study
    for study in (
        MeasuredStudy(
            "yeast",
            "Yeast cell cycle (Pramila 2006)",
            (_yeast(3551), _yeast(500, instead=True)),
            hidden=120,
            trust=(0.75, 0.75),
            schedule=genome_schedule,
            epochs=200,
            learning_rate=5e-4,
            pieces_per_step=4,
            held_out=0.13,
            remark="The test replicate passes the same times as the one fitted, so remembering a time course pays "
            "there; only the held-out transitions ask for steps never seen.",
        ),
        MeasuredStudy(
            "breast",
            "Breast cancer in pseudotime (Desmedt 2007)",
            (
                _breast(11165, published=(("dash", (92.7, 95.7)),)),
                _breast(2000, instead=True),
                _breast(500, instead=True),
            ),
            hidden=300,
            trust=(0.995, 0.95),
            schedule=genome_schedule,
            epochs=300,
            learning_rate=1e-4,
            pieces_per_step=16,
            held_out=0.162,
            remark="The series is smoothed and the test points lie between fitted ones, so the test asks for "
            "interpolation.",
        ),
        MeasuredStudy(
            "hema",
            "Bone marrow, three lineages in pseudotime",
            (
                _hema("erythroid", "eryth", published=(("dash", (95.0, None)),)),
                _hema("monocyte", "mono"),
                _hema("b-cell", "B"),
            ),
            hidden=50,
            trust=(0.8, 0.8),
            schedule=simulated_schedule,
            epochs=240,
            learning_rate=1e-2,
            pieces_per_step=1,
            held_out=None,
            remark="λ is published for the erythroid lineage and used for all three.",
        ),
    )
}
