"""A reporting guideline as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to report: its number in the guideline ("21c"), and what to say, in holdfast's own words.

    `verified` is True only when number and content were read in `source`.
    """

    number: str
    section: str
    topic: str
    text: str
    verified: bool
    source: str

    @property
    def parent(self) -> str:
        """The number of the item this is a part of ("21" for "21c"); its own number when it is no part."""
        return self.number.rstrip("abcd") if self.number[0].isdigit() else self.number


@dataclass(frozen=True, slots=True)
class Checklist:
    """A guideline. `stated_items` is how many numbered items it has by its own account, parts not counted.

    `complete` says whether all of them are here; `notes` what a user has to know before relying on it.
    """

    code: str
    name: str
    citation: str
    of: str
    stated_items: int
    complete: bool
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    def item(self, number: str) -> Item:
        """The item with this number; KeyError when there is none."""
        return {item.number: item for item in self.items}[number]
