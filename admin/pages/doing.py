"""How every page does an act: who acts, what it says when it can't be done, what the app was made with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from flask import abort, current_app, flash
from sqlalchemy.orm import Session

from admin.pages.access import archive, language, reader
from admin.pages.words import word
from admin.roster import RosterError
from admin.staff import StaffError
from ivr.prompts.clips import ClipStore
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.webhooks.addresses import Reach, Unreachable


def actor() -> Actor:
    """Who is signed in, as the records know them."""
    who = reader()
    return Actor(who.staff_id, who.community_id)


def clips() -> ClipStore:
    """The rendered prompts this app was made with."""
    return cast(ClipStore, current_app.extensions["tingjian_clips"])


def reach() -> Reach:
    """Where webhooks may go."""
    return cast(Reach, current_app.extensions["tingjian_reach"])


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def refused(error: DeskError) -> str:
    """Why an act can't be done, in the reader's language."""
    return word(f"refused_{error.code}", language(), longest=error.longest)


def attempt(act: Callable[[], object]) -> int | None:
    """Do an act. None when it is done; else its reason is shown on the next page, which has this status.

    What there is none of is a 404; what somebody changed meanwhile a 409; what can't be so a 422.
    """
    try:
        act()
    except NotThere:
        abort(404)
    except ChangedMeanwhile as error:
        flash(refused(error), "problem")
        return 409
    except DeskError as error:
        flash(refused(error), "problem")
        return 422
    except (RosterError, StaffError) as error:  # these say it in both languages
        chinese, _, english = str(error).partition(" · ")
        flash(chinese if language() == "zh" else english or chinese, "problem")
        return 422
    except Unreachable as error:
        flash(word("refused_webhook_address", language(), why=str(error)), "problem")
        return 422
    return None


def attempt_within(act: Callable[[Session], object]) -> int | None:
    """The same within one writing transaction."""

    def within() -> None:
        with archive().database.begin() as session:
            act(session)

    return attempt(within)


def done(word_id: str, **values: object) -> None:
    """Say on the next page that it is done."""
    flash(word(word_id, language(), **values), "done")
