"""What people do with a running study: one function per deed, one transaction per deed, roles in one place.

Start with `holdfast.app.desk` (who works, on which study, with which store), then `holdfast.app.path` (the one
table of a participant's path), `holdfast.app.access` (the one place that decides what a role may do and see),
`holdfast.app.deeds` (what people do) and `holdfast.app.views` (what they see).
"""

from __future__ import annotations

from holdfast.app.desk import Account, Desk, Done, Role

__all__ = ["Account", "Desk", "Done", "Role"]
