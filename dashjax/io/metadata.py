"""Names of columns that describe cells or genes and are no genes, as AnnData, scanpy, Seurat and 10x call them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dashjax.io.tables import short

#: What notes say of such columns.
LEFT_OUT = "are left out, for they are called as what describes cells, not as genes"

#: In lower case, with underscores for dots, blanks and hyphens. No gene symbol may be among them: `mt` and `hb` are.
_METADATA = re.compile(
    r"""
      n_(cells|genes|counts|umis?|features)(_by_counts)? | (n_?count|n_?feature)s?_\w+
    | (log1?p?_)?(total|mean)_counts(_\w+)? | log1p_n_genes(_by_counts)? | pct_dropout_by_counts
    | (pct|percent|fraction|frac)_(counts?_\w+|mt|mito\w*|ribo\w*|rb|hb|top_\w+)
    | total_umis? | umi_counts? | library_size | size_?factors?
    | orig_ident | seurat_clusters | (rna|sct|integrated)_snn_res_\w+ | (leiden|louvain)(_\w+)?
    | (s|g2m)_score | phase | cell_cycle_phase | (predicted_)?doublets?(_scores?)? | scrublet_score
    | (dpt_|palantir_|velocity_)?pseudotime | latent_time | velocity_(length|confidence\w*) | time | day | hours?
    | trajectory | replicate | branch | series | batch | donor | lane | plate | well | library(_id)? | sample(_id)?
    | barcodes? | cell(_id|_type|_?barcode)? | celltype | clusters? | condition | treatment | in_tissue
    | (umap|tsne|x_umap|x_tsne|pca|pc)_\d+ | highly_variable(_\w+)? | dispersions?(_norm)? | means | variances?(_norm)?
    | feature_types? | gene_ids? | gene_names? | genome | unnamed:_\d+ | index
    """,
    re.VERBOSE,
)


def is_metadata(name: str) -> bool:
    """Say whether a column is called as what describes cells, not as a gene.

    Examples:
        >>> [is_metadata(name) for name in ("n_cells", "percent.mt", "nCount_RNA", "batch", "HB", "GATA1")]
        [True, True, True, True, False, False]
    """
    return _METADATA.fullmatch(re.sub(r"[ .\-]", "_", name.strip().lower())) is not None


def left_out(names: Sequence[str]) -> str:
    """Return a note that columns are left out."""
    shown = ", ".join(map(short, names[:10])) + ("…" if len(names) > 10 else "")
    return f"columns {LEFT_OUT}: {shown}; rename one that is a gene"
