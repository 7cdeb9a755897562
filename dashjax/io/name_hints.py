"""Why names of two files do not match: case, version suffixes, punctuation, kinds of identifiers, spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dashjax.io.tables import short

#: What is said of tables that may be the other way round.
GENES_IN_ROWS = "this looks like genes in rows: transpose=True"
#: What two spellings of one name may differ in, and how to make them equal.
_SPELLINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("case", str.lower),
    ("a version suffix", lambda name: re.sub(r"\.\d+$", "", name)),
    ("punctuation", lambda name: re.sub(r"[^0-9a-z]", "", name.lower())),
)

#: Kinds of gene identifiers, and what one of them looks like.
_KINDS: tuple[tuple[str, str], ...] = (
    ("Ensembl ids", r"ENS[A-Z]*[GTP]\d{11}(\.\d+)?"),
    ("RefSeq ids", r"[NX][MRP]_\d+(\.\d+)?"),
    ("yeast systematic names", r"Y[A-P][LR]\d{3}[WC](-[A-Z])?"),
    ("FlyBase ids", r"FBgn\d{7}"),
    ("WormBase ids", r"WBGene\d{8}"),
    ("Arabidopsis loci", r"AT[1-5CM]G\d{5}"),
    ("Entrez ids", r"\d{1,9}"),
    ("UniProt accessions", r"([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})"),
    ("symbols", r"[A-Za-z][A-Za-z0-9.\-]{0,14}"),
)

#: Gene symbols that a spreadsheet took for dates (1-Mar was MARCH1, 2-Sep SEPTIN2) or for serial numbers of days.
_DATE = re.compile(r"\d{1,2}-(Mar|Sep|Dec|Oct|Apr|Feb|Nov)|4\d{4}", re.IGNORECASE)


def name_hints(unknown: Sequence[str], genes: Sequence[str]) -> list[str]:
    """Return why names may be missing among an expression's genes, one phrase per reason.

    Args:
        unknown: names that the expression lacks.
        genes: the names it has.
    """
    hints, left = [], list(unknown)
    for what, spell in _SPELLINGS:
        spelled = {spell(gene): gene for gene in genes if spell(gene)}
        found = [name for name in left if spell(name) in spelled]
        if found:
            example = f"'{short(found[0])}' is '{short(spelled[spell(found[0])])}' there"
            hints.append(f"{len(found)} differ only in {what} ({example})")
            found_set = set(found)
            left = [name for name in left if name not in found_set]
    dates = [name for name in left if _DATE.fullmatch(name)]
    if dates:
        hints.append(f"{len(dates)} look like symbols that a spreadsheet took for dates ('{dates[0]}')")
    mine, theirs = name_kind(left), name_kind(genes)
    if mine and theirs and mine != theirs:
        hints.append(f"these are {mine}, the expression has {theirs}: translate one of them first")
    return hints


def looks_transposed(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether a table's first column looks like names of genes, and its header does not."""
    first = [row[0] for row in rows[1:] if row]
    kinds = name_kind(first), name_kind(rows[0][1:])
    return kinds[0] not in (None, "symbols", "Entrez ids") and kinds[1] in (None, "symbols", "Entrez ids")


def name_kind(names: Sequence[str]) -> str | None:
    """Return what kind of identifiers most of some names are; None where no kind has four in five of them."""
    for kind, pattern in _KINDS:
        if names and sum(re.fullmatch(pattern, name) is not None for name in names) >= 0.8 * len(names):
            return kind
    return None
