"""What every section of the report is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from holdfast.analysis.dataset import Dataset, dataset
from holdfast.analysis.results import Analysed, Results
from holdfast.core.ledger import Ledger
from holdfast.study.analyses import Analysis
from holdfast.study.model import Outcome, Study


@dataclass(frozen=True)
class Source:
    """The study, its ledger, its results, and who was in which arm."""

    study: Study
    ledger: Ledger
    results: Results
    arms: Mapping[str, str]

    @cached_property
    def data(self) -> Dataset:
        """Scores and people, read once for all sections."""
        return dataset(self.study, self.ledger, self.arms)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Arms as the report shows them: as the study file lists them, or the masked labels."""
        known = self.data.arms
        listed = [arm.code for arm in self.study.arms if arm.code in known]
        return tuple(listed) or known

    def arm_name(self, code: str) -> str:
        """The arm's name as people say it."""
        return next((arm.name or arm.code for arm in self.study.arms if arm.code == code), f"Arm {code}")

    def people_of(self, arm: str) -> tuple[str, ...]:
        """Participants of an arm in the order of randomisation."""
        frame = self.data.people
        return tuple(frame.loc[frame["arm"].astype(object) == arm, "participant"])

    def visit_name(self, code: str) -> str:
        """The visit's name, else its code."""
        return next((visit.name or visit.code for visit in self.study.visits if visit.code == code), code)

    def declared(self, code: str) -> Analysis:
        """The declared analysis of this code."""
        return next(each for each in self.study.analyses if each.code == code)

    def outcome_of(self, analysed: Analysed) -> Outcome | None:
        """The outcome that an analysis is of, if it is of one."""
        return next((each for each in self.study.outcomes if each.code == analysed.outcome), None)

    def of_model(self, *models: str) -> tuple[Analysed, ...]:
        """The analyses of these models, in order."""
        return tuple(each for each in self.results.analyses if each.model in models)

    @cached_property
    def primary(self) -> Analysed | None:
        """The primary analysis: the first declared so."""
        return next((each for each in self.results.analyses if each.role == "primary"), None)
