"""The mixed model for repeated measures: structures, exact Newton, small-sample inference, questions in words.

`mmrm` fits, `mmrm_design` prepares a design for many fits, `mmrm_many` fits many data sets at once.
"""

from holdfast.stats.mmrm.clda import clda
from holdfast.stats.mmrm.design import MmrmDesign, mmrm_design
from holdfast.stats.mmrm.fit import MmrmFit, mmrm, refit
from holdfast.stats.mmrm.many import ManyFits, mmrm_many
from holdfast.stats.mmrm.results import Estimates

__all__ = ["Estimates", "ManyFits", "MmrmDesign", "MmrmFit", "clda", "mmrm", "mmrm_design", "mmrm_many", "refit"]
