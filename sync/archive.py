"""What every part is handed: the records, the keys that open them, the store of sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sync.database import Database
from sync.keyring import Keyring
from sync.recordings import RecordingStore


@dataclass(frozen=True)
class Archive:
    """One installation's records."""

    database: Database
    keyring: Keyring
    recordings: RecordingStore

    @classmethod
    def open(cls, database_url: str, home: Path) -> Archive:
        """The archive at a database, with `keys.json` and `recordings/` under `home`. Makes no tables."""
        home.mkdir(parents=True, exist_ok=True)
        keyring = Keyring.load_or_create(home / "keys.json")
        return cls(Database(database_url), keyring, RecordingStore(home / "recordings"))

    def close(self) -> None:
        """Give back the database's connections."""
        self.database.close()
