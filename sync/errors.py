"""What can go wrong with the records, in our words."""

from __future__ import annotations


class RecordsError(Exception):
    """Something about the records is wrong; the base of this package's errors."""


class RecordsUnavailable(RecordsError):
    """The database or the store can't be used now (locked, full, gone): nothing was kept, try again later."""


class KeyDestroyed(RecordsError):
    """What is asked for was erased: its key no longer exists."""


class KeyringUnreadable(RecordsError):
    """The file of the master key is missing a part, damaged, or the key does not fit these records."""


class RecordingMissing(RecordsError):
    """No sound of this name is in the store."""
