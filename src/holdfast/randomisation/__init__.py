"""Who gets which arm: schemes, their derivation from a sealed key, and how balanced and predictable they are.

Pure: a key or a generator comes in, arms come out. Keeping the key is `holdfast.storage.sealed`'s work.
"""

from holdfast.randomisation.assign import Unfolding, assign, replay, replays
from holdfast.randomisation.commitment import commitment, verify_allocation
from holdfast.randomisation.minimisation import Minimisation, Weighted
from holdfast.randomisation.plan import Design, design_of, scheme_of, strata_of, usual_schemes
from holdfast.randomisation.schemes import BigStick, MaximalTolerated, PermutedBlocks, Scheme, Simple, Urn
from holdfast.randomisation.simulate import Operating, simulate

__all__ = [
    "BigStick",
    "Design",
    "MaximalTolerated",
    "Minimisation",
    "Operating",
    "PermutedBlocks",
    "Scheme",
    "Simple",
    "Unfolding",
    "Urn",
    "Weighted",
    "assign",
    "commitment",
    "design_of",
    "replay",
    "replays",
    "scheme_of",
    "simulate",
    "strata_of",
    "usual_schemes",
    "verify_allocation",
]
