"""The mixed model for repeated measures: structures, exact Newton, small-sample inference, questions in words.

`mmrm` fits, `mmrm_design` prepares a design for many fits, `mmrm_many` fits many data sets at once.
"""

from holdfast.stats.mmrm.design import MmrmDesign, mmrm_design
from holdfast.stats.mmrm.fit import MmrmFit, mmrm
from holdfast.stats.mmrm.results import Estimates

__all__ = ["Estimates", "MmrmDesign", "MmrmFit", "mmrm", "mmrm_design"]
