"""The declarative base: ids, moments in UTC, JSON columns that work on SQLite and PostgreSQL alike."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

_NAMESPACE = uuid.UUID("6a0f9a1e-5b7c-4c57-9a53-0e6f3f7f1f10")


class Moment(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets zones, so they are put back on reading; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


Json = JSON().with_variant(JSONB(), "postgresql")
Id = String(40)
Serial = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """All tables of Tingjian."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: Moment, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012


def new_id(prefix: str) -> str:
    """A fresh id such as `cl_1f3a…`: for rows that have no natural key."""
    return f"{prefix}_{uuid.uuid4().hex}"


def record_id(prefix: str, *natural_key: str) -> str:
    """The id that follows from a natural key: the same capture always makes the same record."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, chr(31).join(natural_key)).hex}"
