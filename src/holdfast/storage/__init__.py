"""Keeps a study's records and files: SQLite by default, PostgreSQL by URL; the only room that speaks SQL.

`open_store` gives a store; `migrate` brings an older one up; `verify` proves the chain; `backup` writes a copy and
proves it by restoring it; `restore` brings it back into an empty place. The sealed allocation (`storage.sealed`) and
the vault of names (`storage.vault`) are apart on purpose and are not exported here.
"""

from holdfast.storage.backups import Backup, backup, restore
from holdfast.storage.files import Files
from holdfast.storage.opening import open_store
from holdfast.storage.schema import migrate
from holdfast.storage.store import SqlStore
from holdfast.storage.transaction import Arms, SqlTransaction
from holdfast.storage.verifying import verify

__all__ = [
    "Arms",
    "Backup",
    "Files",
    "SqlStore",
    "SqlTransaction",
    "backup",
    "migrate",
    "open_store",
    "restore",
    "verify",
]
