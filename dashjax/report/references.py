"""The literature that methods texts cite, as BibTeX and in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Reference(NamedTuple):
    """A publication.

    Attributes:
        authors: family name and initials of each, as BibTeX separates them.
        title: as published.
        year: of publication.
        where: journal, proceedings or publisher, with volume and pages.
        link: DOI, or the address of a preprint or of software.
    """

    authors: str
    title: str
    year: int
    where: str
    link: str


REFERENCES: dict[str, Reference] = {
    "hossain2024phoenix": Reference(
        "Hossain, I. and Fanfani, V. and Fischer, J. and Quackenbush, J. and Burkholz, R.",
        "Biologically informed NeuralODEs for genome-wide regulatory dynamics", 2024, "Genome Biology 25, 127",
        "https://doi.org/10.1186/s13059-024-03264-0"),
    "hossain2024dash": Reference(
        "Hossain, I. and Fischer, J. and Burkholz, R. and Quackenbush, J.",
        "Pruning neural network models for gene regulatory dynamics using data and domain knowledge", 2024,
        "Advances in Neural Information Processing Systems 37", "https://arxiv.org/abs/2403.04805"),
    "chen2018ode": Reference(
        "Chen, R. T. Q. and Rubanova, Y. and Bettencourt, J. and Duvenaud, D.",
        "Neural ordinary differential equations", 2018, "Advances in Neural Information Processing Systems 31",
        "https://arxiv.org/abs/1806.07366"),
    "bradbury2018jax": Reference(
        "Bradbury, J. and Frostig, R. and Hawkins, P. and others",
        "JAX: composable transformations of Python+NumPy programs", 2018, "software",
        "https://github.com/jax-ml/jax"),
    "kidger2021equinox": Reference(
        "Kidger, P. and Garcia, C.",
        "Equinox: neural networks in JAX via callable PyTrees and filtered transformations", 2021,
        "Differentiable Programming workshop at NeurIPS", "https://arxiv.org/abs/2111.00254"),
    "kingma2015adam": Reference(
        "Kingma, D. P. and Ba, J.", "Adam: a method for stochastic optimization", 2015,
        "International Conference on Learning Representations", "https://arxiv.org/abs/1412.6980"),
    "george1993gibbs": Reference(
        "George, E. I. and McCulloch, R. E.", "Variable selection via Gibbs sampling", 1993,
        "Journal of the American Statistical Association 88, 881–889",
        "https://doi.org/10.1080/01621459.1993.10476353"),
    "liao2003network": Reference(
        "Liao, J. C. and Boscolo, R. and Yang, Y.-L. and others",
        "Network component analysis: reconstruction of regulatory signals in biological systems", 2003,
        "Proceedings of the National Academy of Sciences 100, 15522–15527", "https://doi.org/10.1073/pnas.2136632100"),
    "arrieta2015subtilis": Reference(
        "Arrieta-Ortiz, M. L. and Hafemeister, C. and Bate, A. R. and others",
        "An experimentally supported model of the Bacillus subtilis global transcriptional regulatory network", 2015,
        "Molecular Systems Biology 11, 839", "https://doi.org/10.15252/msb.20156236"),
    "ledoit2004covariance": Reference(
        "Ledoit, O. and Wolf, M.", "A well-conditioned estimator for large-dimensional covariance matrices", 2004,
        "Journal of Multivariate Analysis 88, 365–411", "https://doi.org/10.1016/S0047-259X(03)00096-4"),
    "breiman1984trees": Reference(
        "Breiman, L. and Friedman, J. H. and Olshen, R. A. and Stone, C. J.", "Classification and regression trees",
        1984, "Wadsworth", "https://doi.org/10.1201/9781315139470"),
    "frankle2019lottery": Reference(
        "Frankle, J. and Carbin, M.", "The lottery ticket hypothesis: finding sparse, trainable neural networks", 2019,
        "International Conference on Learning Representations", "https://arxiv.org/abs/1803.03635"),
    "louizos2018l0": Reference(
        "Louizos, C. and Welling, M. and Kingma, D. P.",
        "Learning sparse neural networks through L0 regularization", 2018,
        "International Conference on Learning Representations", "https://arxiv.org/abs/1712.01312"),
    "aliee2021beyond": Reference(
        "Aliee, H. and Theis, F. J. and Kilbertus, N.",
        "Beyond predictions in neural ODEs: identification and interventions", 2021, "preprint",
        "https://arxiv.org/abs/2106.12430"),
    "aliee2022pathreg": Reference(
        "Aliee, H. and Richter, T. and Solonin, M. and others", "Sparsity in continuous-depth neural networks", 2022,
        "Advances in Neural Information Processing Systems 35", "https://arxiv.org/abs/2210.14672"),
    "liu2020dst": Reference(
        "Liu, J. and Xu, Z. and Shi, R. and Cheung, R. C. C. and So, H. K. H.",
        "Dynamic sparse training: find efficient sparse network from scratch with trainable masked layers", 2020,
        "International Conference on Learning Representations", "https://arxiv.org/abs/2005.06870"),
    "liebenwein2021flows": Reference(
        "Liebenwein, L. and Hasani, R. and Amini, A. and Rus, D.",
        "Sparse flows: pruning continuous-depth models", 2021, "Advances in Neural Information Processing Systems 34",
        "https://arxiv.org/abs/2106.12718"),
    "tanaka2020synflow": Reference(
        "Tanaka, H. and Kunin, D. and Yamins, D. L. K. and Ganguli, S.",
        "Pruning neural networks without any data by iteratively conserving synaptic flow", 2020,
        "Advances in Neural Information Processing Systems 33", "https://arxiv.org/abs/2006.05467"),
    "huynhthu2010genie3": Reference(
        "Huynh-Thu, V. A. and Irrthum, A. and Wehenkel, L. and Geurts, P.",
        "Inferring regulatory networks from expression data using tree-based methods", 2010, "PLoS ONE 5, e12776",
        "https://doi.org/10.1371/journal.pone.0012776"),
    "huynhthu2018dyngenie3": Reference(
        "Huynh-Thu, V. A. and Geurts, P.",
        "dynGENIE3: dynamical GENIE3 for the inference of gene networks from time series expression data", 2018,
        "Scientific Reports 8, 3384", "https://doi.org/10.1038/s41598-018-21715-0"),
    "brunton2016sindy": Reference(
        "Brunton, S. L. and Proctor, J. L. and Kutz, J. N.",
        "Discovering governing equations from data by sparse identification of nonlinear dynamical systems", 2016,
        "Proceedings of the National Academy of Sciences 113, 3932–3937", "https://doi.org/10.1073/pnas.1517384113"),
    "tibshirani1996lasso": Reference(
        "Tibshirani, R.", "Regression shrinkage and selection via the lasso", 1996,
        "Journal of the Royal Statistical Society B 58, 267–288",
        "https://doi.org/10.1111/j.2517-6161.1996.tb02080.x"),
    "hoerl1970ridge": Reference(
        "Hoerl, A. E. and Kennard, R. W.", "Ridge regression: biased estimation for nonorthogonal problems", 1970,
        "Technometrics 12, 55–67", "https://doi.org/10.1080/00401706.1970.10488634"),
    "passemiers2022portia": Reference(
        "Passemiers, A. and Moreau, Y. and Raimondi, D.",
        "Fast and accurate inference of gene regulatory networks through robust precision matrix estimation", 2022,
        "Bioinformatics 38, 2802–2809", "https://doi.org/10.1093/bioinformatics/btac178"),
    "pratapa2020beeline": Reference(
        "Pratapa, A. and Jalihal, A. P. and Law, J. N. and Bharadwaj, A. and Murali, T. M.",
        "Benchmarking algorithms for gene regulatory network inference from single-cell transcriptomic data", 2020,
        "Nature Methods 17, 147–154", "https://doi.org/10.1038/s41592-019-0690-6"),
    "marbach2010dream": Reference(
        "Marbach, D. and Prill, R. J. and Schaffter, T. and others",
        "Revealing strengths and weaknesses of methods for gene network inference", 2010,
        "Proceedings of the National Academy of Sciences 107, 6286–6291", "https://doi.org/10.1073/pnas.0913357107"),
}  # fmt: skip

#: What each method and rival is known by, beside the field that it fits.
CITED: dict[str, tuple[str, ...]] = {
    "posterior": ("hossain2024dash", "george1993gibbs"),
    "posterior_steps": ("hossain2024dash", "george1993gibbs"),
    "activity": ("liao2003network", "arrieta2015subtilis", "ledoit2004covariance"),
    "dash": ("hossain2024dash",),
    "bioprune": ("hossain2024dash",),
    "direct+dash": ("hossain2024dash",),
    "pinn": ("hossain2024dash",),
    "pinn_mp": ("hossain2024dash",),
    "pinn+dash": ("hossain2024dash",),
    "imp": ("frankle2019lottery",),
    "l0": ("louizos2018l0",),
    "cnode": ("aliee2021beyond",),
    "pathreg": ("aliee2022pathreg",),
    "dst": ("liu2020dst",),
    "sparseflow": ("liebenwein2021flows",),
    "synflow": ("tanaka2020synflow",),
    "genie3": ("huynhthu2010genie3",),
    "genie3_rest": ("huynhthu2010genie3",),
    "dyngenie3": ("huynhthu2018dyngenie3",),
    "sindy": ("brunton2016sindy",),
    "lasso": ("tibshirani1996lasso",),
    "ridge": ("hoerl1970ridge",),
    "mrna_ridge": ("hoerl1970ridge",),
    "activity_ridge": ("hoerl1970ridge", "arrieta2015subtilis"),
    "activity_ridge_degree": ("hoerl1970ridge", "arrieta2015subtilis"),
    "portia": ("passemiers2022portia",),
}


def cited_by(method: str) -> tuple[str, ...]:
    """Return the keys that a method is cited by; variants (`NAME_…`) share their method's, others have none."""
    name = method.partition(" ")[0]
    return next((CITED[known] for known in (name, name.rpartition("_")[0]) if known in CITED), ())


def in_words(reference: Reference) -> str:
    """Return a reference as a list has it."""
    authors = reference.authors.replace(" and others", " et al.").split(" and ")
    return f"{'; '.join(authors)} ({reference.year}). {reference.title}. {reference.where}. {reference.link}"


def to_bibtex(keys: Sequence[str]) -> str:
    """Return entries of a BibTeX file, in the order given."""
    return "".join(_entry(key, REFERENCES[key]) for key in keys)


def _entry(key: str, reference: Reference) -> str:
    doi = reference.link.removeprefix("https://doi.org/")
    link = {"url": reference.link} if doi == reference.link else {"doi": doi}
    journal = re.fullmatch(r"(.+?) (\d+)(?:, (.+))?", reference.where)
    if "doi" in link and journal:
        kind, where = "article", {"journal": journal[1], "volume": journal[2], "pages": journal[3]}
    elif re.match("Advances|International Conference|.* workshop", reference.where):
        kind, where = "inproceedings", {"booktitle": reference.where}
    else:
        kind, where = "misc", {"howpublished": reference.where}
    parts = {"author": reference.authors, "title": f"{{{reference.title}}}", "year": reference.year, **where, **link}
    lines = [f"  {name} = {{{str(value).replace('–', '--')}}}" for name, value in parts.items() if value]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"
