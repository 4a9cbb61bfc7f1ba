"""Who calls whom, from the headers of a SIP call: E.164 where that can be, '' for a withheld number."""

from __future__ import annotations

import re
from urllib.parse import unquote

import phonenumbers

from ivr.exchange.sip.stack import Invite

WITHHELD = frozenset({"anonymous", "unavailable", "restricted", "unknown", "withheld", "private"})
PRIVATE = frozenset({"id", "user", "header", "full"})
"""Values of Privacy (RFC 3323, RFC 3325) by which callers ask not to be named."""
POSSIBLE = phonenumbers.ValidationResult.IS_POSSIBLE
"""A number that can be called from anywhere; a short or local one stays as it is."""
_URI = re.compile(r"(?:sips?|tel):([^@;>?\s]*)", re.IGNORECASE)
_DIGITS = re.compile(r"\+?[0-9*#]{1,20}")


def caller_of(invite: Invite, region: str) -> str:
    """The caller as E.164, '' when withheld or no number. A trunk's assertion goes before the From header."""
    asked = {value.strip().lower() for value in invite.privacy.split(";")}
    if asked & PRIVATE or user_of(invite.from_).lower() in WITHHELD:
        return ""
    for header in (*invite.asserted.split(","), invite.from_):
        if number := e164(user_of(header), region):
            return number
    return ""


def dialled_of(invite: Invite, region: str, number: str, own_user: str = "") -> str:
    """The number that was called: E.164, or a short number as dialled; `number` where the call names none."""
    user = user_of(invite.to)
    if not _DIGITS.fullmatch(user) or (number and user == own_user):
        return number
    return e164(user, region) or user


def user_of(header: str) -> str:
    """The user part of the first SIP or tel address in a header; of a number without the marks in it."""
    found = _URI.search(header)
    user = unquote(found[1]) if found else ""
    return re.sub(r"[\s().-]", "", user) if _DIGITS.match(user) else user


def e164(written: str, region: str) -> str:
    """A number in any way it is written (leading 0, 86, 0086, +86) as E.164; '' when it is none."""
    if not _DIGITS.fullmatch(written) or not written.lstrip("+").isdigit():
        return ""
    for attempt in (written, f"+{written}"):
        try:
            number = phonenumbers.parse(attempt, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number_with_reason(number) == POSSIBLE:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""
