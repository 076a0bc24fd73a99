"""Physical tests as numbers: the cardiopulmonary exercise test, the one-repetition maximum, isometric torque.

A test arrives as a `BreathTable` (from `holdfast.devices`) or as loads and torques. What comes out names the rule it
came from. Thresholds are candidates until a person decides (`ThresholdDecision`), and a training 1RM changes only by
an explicit act (`TrainingMax`).
"""

from holdfast.capacity.analyse import CpetProtocol, CpetResult, FullLoad, analyse_cpet
from holdfast.capacity.averaging import Averaged, Averaging, AveragingRule, average
from holdfast.capacity.breaths import BREATH_UNITS, BreathTable, SecondTable, TestInfo, to_seconds
from holdfast.capacity.effort import (
    Criterion,
    EffortFacts,
    Verdict,
    effort_criteria,
    predicted_heart_rate,
)
from holdfast.capacity.load import LoadProfile, Stage, StageMeans, guess_profile, stage_means
from holdfast.capacity.maximum import Maxima, maxima, peak_power_ramp, peak_power_step
from holdfast.capacity.methods_text import MethodItem, method_items
from holdfast.capacity.onerm import EQUATIONS, OneRepMax, TrainingMax, estimate, estimate_from_5rm
from holdfast.capacity.outliers import OutlierRule, Outliers, flag_outliers
from holdfast.capacity.quality import check
from holdfast.capacity.thresholds import (
    Candidate,
    Candidates,
    Reading,
    Threshold,
    ThresholdDecision,
    candidates,
    require_decision,
)
from holdfast.capacity.torque import (
    IsometricResult,
    Repeatability,
    gravity_corrected,
    peak_torque,
    rate_of_torque_development,
    repeatability,
    smallest_detectable_change,
)
from holdfast.capacity.workrate import (
    OxygenCost,
    Workrate,
    acsm_vo2,
    cost_from_ramp,
    cost_from_stages,
    watts_at_fraction,
    watts_for,
)

__all__ = [
    "BREATH_UNITS",
    "EQUATIONS",
    "Averaged",
    "Averaging",
    "AveragingRule",
    "BreathTable",
    "Candidate",
    "Candidates",
    "CpetProtocol",
    "CpetResult",
    "Criterion",
    "EffortFacts",
    "FullLoad",
    "IsometricResult",
    "LoadProfile",
    "Maxima",
    "MethodItem",
    "OneRepMax",
    "OutlierRule",
    "Outliers",
    "OxygenCost",
    "Reading",
    "Repeatability",
    "SecondTable",
    "Stage",
    "StageMeans",
    "TestInfo",
    "Threshold",
    "ThresholdDecision",
    "TrainingMax",
    "Verdict",
    "Workrate",
    "acsm_vo2",
    "analyse_cpet",
    "average",
    "candidates",
    "check",
    "cost_from_ramp",
    "cost_from_stages",
    "effort_criteria",
    "estimate",
    "estimate_from_5rm",
    "flag_outliers",
    "gravity_corrected",
    "guess_profile",
    "maxima",
    "method_items",
    "peak_power_ramp",
    "peak_power_step",
    "peak_torque",
    "predicted_heart_rate",
    "rate_of_torque_development",
    "repeatability",
    "require_decision",
    "smallest_detectable_change",
    "stage_means",
    "to_seconds",
    "watts_at_fraction",
    "watts_for",
]
