"""From the ledger to the analyses that the study file declares.

`long_table` turns records into one long table per outcome, `run` runs the declared analyses in order and gives
`Results`: what was declared, what was run, and every number with its contrast, visit, interval and p value.
"""

from __future__ import annotations

from holdfast.analysis.dataset import Dataset, dataset, long_table
from holdfast.analysis.results import Analysed, Results, Row, Table
from holdfast.analysis.run import run
from holdfast.analysis.sets import members

__all__ = ["Analysed", "Dataset", "Results", "Row", "Table", "dataset", "long_table", "members", "run"]
