"""The frozen types that one instrument's data file is read into."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Sure(StrEnum):
    """How well a fact is known.

    Only `VERIFIED` facts were read in the named source. `MEMORY` facts are editable defaults, `NOT_FOUND` facts are
    protocol parameters whose default is the strictest reading, `OWN` facts are holdfast's own decisions.
    """

    VERIFIED = "verified"
    MEMORY = "from memory"
    NOT_FOUND = "not found"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Known:
    """How sure a fact is, where it comes from, what to beware of."""

    sure: Sure
    source: str
    note: str = ""

    @property
    def verified(self) -> bool:
        """True when the fact was read in its source."""
        return self.sure is Sure.VERIFIED


class AnswerKind(StrEnum):
    """What an answer may be: a whole number, any number, or a tick (1) or no tick (0)."""

    INTEGER = "integer"
    NUMBER = "number"
    TICK = "tick"


@dataclass(frozen=True, slots=True)
class Item:
    """One question or reading.

    `low` and `high` are the possible answers (outside is an error); `plausible` is where answers are expected (outside
    is a warning). `reverse` says that the score uses low + high - answer. An `optional` item may be left out by design.
    `asked_if` names an item whose answer 0 makes this one 0 without being asked (no days, so no minutes).
    `about` is holdfast's own short descriptor, `text` the wording shown to a person; both are empty where the
    licence does not let us ship words.
    """

    id: str
    low: float
    high: float
    kind: AnswerKind = AnswerKind.INTEGER
    reverse: bool = False
    optional: bool = False
    plausible: tuple[float, float] | None = None
    asked_if: str = ""
    about: str = ""
    text: str = ""
    anchors: tuple[str, str] | None = None


class WhenMissing(StrEnum):
    """What a rule does with items that carry no answer, when enough others are answered.

    `NONE`: there is no such rule. `SKIP`: the rule uses the answered items only. `PRORATE`: the sum of the answered
    items times (items / answered). `ZERO`: counted as not ticked.
    """

    NONE = "none"
    SKIP = "skip"
    PRORATE = "prorate"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class MissingRule:
    """When a score may still be computed although answers are missing.

    `min_answered` None: every item that is not optional must be answered. A number: at least that many answers.
    Where `known.sure` is "not found" the number is the protocol's to choose (`Options.min_answered`).
    """

    then: WhenMissing
    known: Known
    min_answered: int | None = None


@dataclass(frozen=True, slots=True)
class Bands:
    """Named stretches of a score, cut at `cuts` (ascending), so `labels` has one name more than there are cuts.

    A value equal to a cut belongs to the band that `at_cut` names: "upper" (5 is already mild) or "lower" (20 is
    still minimal).
    """

    cuts: tuple[float, ...]
    labels: tuple[str, ...]
    at_cut: str
    known: Known

    def name(self, value: float) -> str:
        """The label of the band that `value` falls in."""
        find = bisect_right if self.at_cut == "upper" else bisect_left
        return self.labels[find(self.cuts, value)]


@dataclass(frozen=True, slots=True)
class Score:
    """One number (or profile) derived from answers.

    `low` and `high` bound the score; they are None only where the bound depends on something outside the file (a value
    set). `better` is None only for profiles and categories, which have no order that statistics may use.
    `rule` names a function of `holdfast.instruments.rules`; `params` are its constants.
    """

    code: str
    name: str
    rule: str
    items: tuple[str, ...]
    low: float | None
    high: float | None
    better: str | None
    unit: str
    missing: MissingRule
    known: Known
    bands: Bands | None = None
    params: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One published minimal important or minimal detectable change, with the people it was found in.

    `absolute` is in score units, `relative` a fraction of the baseline value, `low`/`high` its published range. An
    instrument has several; which one defines a responder is the protocol's choice.
    """

    score: str
    absolute: float | None
    relative: float | None
    population: str
    known: Known
    low: float | None = None
    high: float | None = None
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Safety:
    """An answer above `above` to `item` must reach a person who can act today."""

    item: str
    above: float
    says: str
    known: Known


@dataclass(frozen=True, slots=True)
class Licence:
    """Who may use the words, and what therefore ships: "text", "own wording" or "scoring only"."""

    status: str
    ships: str
    known: Known


@dataclass(frozen=True, slots=True)
class Recall:
    """The stretch of time that the questions ask about; empty where the instrument has none or nobody could say."""

    period: str
    known: Known


@dataclass(frozen=True, slots=True)
class Version:
    """One published form of the instrument, and how it differs."""

    label: str
    known: Known


class Kind(StrEnum):
    """A questionnaire is answered; a measurement is one number read from a test, a diary or another form."""

    QUESTIONNAIRE = "questionnaire"
    MEASUREMENT = "measurement"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire or test: items, scores, thresholds, licence. Everything that scoring needs is here.

    `primary` is the code of the score an outcome means when it names only the instrument.
    """

    code: str
    name: str
    kind: Kind
    measures: str
    primary: str
    rule_version: str
    recall: Recall
    versions: tuple[Version, ...]
    items: tuple[Item, ...]
    scores: tuple[Score, ...]
    licence: Licence
    mics: tuple[Threshold, ...] = ()
    mdcs: tuple[Threshold, ...] = ()
    safety: tuple[Safety, ...] = ()
    reversal: Known | None = None
    notes: tuple[str, ...] = ()

    def item(self, id: str) -> Item:
        """The item with this id; KeyError when there is none."""
        return {item.id: item for item in self.items}[id]

    def score(self, code: str | None = None) -> Score:
        """The score with this code, or the primary score; KeyError when there is none."""
        return {score.code: score for score in self.scores}[self.primary if code is None else code]
