"""Who may do what at the broker, as mosquitto reads it: a file of passwords and a file of rights.

A loudspeaker may read its own jobs and every stop, and write its own answers and presence; we may write jobs
and stops and read what is told. Nobody may do anything else. Secrets stand there as PBKDF2 with SHA-512, in
mosquitto's form `$7$rounds$salt$hash` (mosquitto_passwd(1)).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.broadcast.knocking import DOCTOR
from ivr.broadcast.wire import (
    ALL_PRESENCE,
    ALL_TOLD,
    OUR_USER,
    STOPS,
    job_topic,
    presence_topic,
    told_topic,
)
from sync.archive import Archive
from sync.broadcasting import secret_of
from sync.records.tables import Loudspeaker

ROUNDS = 1000
"""Our secrets are 144 random bits; more would only slow down hundreds of loudspeakers coming back."""
PASSWORDS, RIGHTS = "passwords", "acl"
_EVERYONE, _SALT_BYTES = "%u", 12

ACL = f"""\
user {OUR_USER}
topic write {job_topic("+")}
topic write {STOPS}
topic read {ALL_TOLD}
topic read {ALL_PRESENCE}

pattern read {job_topic(_EVERYONE)}
pattern read {STOPS}
pattern write {told_topic(_EVERYONE)}
pattern write {presence_topic(_EVERYONE)}
"""


def our_secret(archive: Archive, given: str = "") -> str:
    """Our own password at the broker: the one that is set, else one that follows from our keys."""
    return given or archive.keyring.secret("broker").hex()


def doctor_secret(archive: Archive) -> str:
    """The password by which the doctor sees that these files are the broker's."""
    return archive.keyring.secret("broker doctor").hex()


def accounts(session: Session, archive: Archive, ours: str) -> dict[str, str]:
    """Names and secrets of all that may connect: we, the doctor, every loudspeaker that was not removed."""
    hung = select(Loudspeaker).where(Loudspeaker.kind == "mqtt", Loudspeaker.state != "removed")
    rows = session.scalars(hung.order_by(Loudspeaker.id))
    staff = {OUR_USER: ours, DOCTOR: doctor_secret(archive)}
    return staff | {row.id: secret_of(session, archive, row) for row in rows}


def password_line(user: str, secret: str, salt: bytes) -> str:
    """One line of the file of passwords."""
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ROUNDS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"{user}:$7${ROUNDS}${'$'.join(parts)}"


def write_files(folder: Path, archive: Archive, given: Mapping[str, str]) -> bool:
    """Write both files anew where they are not as they should be; whether one was. Raises OSError.

    The same accounts make the same files: salts follow from the secrets and our keys.
    """
    key = archive.keyring.secret("broker salts")
    lines = (
        password_line(user, secret, _salt(key, user, secret)) for user, secret in given.items() if secret
    )
    folder.mkdir(parents=True, exist_ok=True)
    changed = [_put(folder / PASSWORDS, _text(lines)), _put(folder / RIGHTS, ACL)]
    return any(changed)


def _salt(key: bytes, user: str, secret: str) -> bytes:
    return hmac.digest(key, f"{user}\x1f{secret}".encode(), "sha256")[:_SALT_BYTES]


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _put(path: Path, text: str) -> bool:
    """Whole or not at all, for the owner and the group only: the group is the broker's."""
    if path.exists() and path.read_text("utf-8") == text:
        return False
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return True
