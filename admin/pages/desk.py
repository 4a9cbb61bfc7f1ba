"""The staff desk: its pages, its words, and what it says when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, render_template, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from admin.pages.access import add_doors, archive, is_staff, language, reader
from admin.pages.acts import add_acts
from admin.pages.alerting import add_alerts, urgent_now
from admin.pages.audits import add_audits
from admin.pages.behalf import add_behalf
from admin.pages.broadcasts import add_broadcasts
from admin.pages.callbacks import add_callbacks
from admin.pages.charts import bar, stack
from admin.pages.counting import add_counting
from admin.pages.differences import differences
from admin.pages.gist import add_gist
from admin.pages.libraries import add_libraries
from admin.pages.look import look
from admin.pages.navigation import navigation
from admin.pages.opinions import add_opinions
from admin.pages.overview import add_overview
from admin.pages.placed import add_placed
from admin.pages.platforms import add_platforms
from admin.pages.privacy import add_privacy
from admin.pages.prompts import add_prompts
from admin.pages.replying import add_replying
from admin.pages.roster import add_roster
from admin.pages.settings import add_settings
from admin.pages.sound import add_sound
from admin.pages.staff_list import add_staff_list
from admin.pages.stages import add_stages
from admin.pages.topics import add_topics
from admin.pages.words import known_word, word
from admin.secure import style_nonce
from ivr.prompts.clips import ClipStore
from sync.errors import RecordsError
from sync.queue import WorkQueue
from sync.records.tables import Community

_SORRY = {403: "forbidden", 404: "not_found", 410: "erased", 413: "too_large", 405: "not_found"}


def create_desk(queue: WorkQueue, clips: ClipStore, home: Path) -> Blueprint:
    """The blueprint `desk` under `/desk`; `clips` are what callers hear, programmes lie under `home`."""
    desk = Blueprint(
        "desk", __name__, url_prefix="/desk", template_folder="templates", static_folder="static"
    )
    add_doors(desk)
    add_libraries(desk)
    add_opinions(desk)
    add_alerts(desk)
    add_sound(desk)
    add_counting(desk)
    add_callbacks(desk)
    add_placed(desk)
    add_acts(desk, queue)
    add_replying(desk, queue, clips)
    add_behalf(desk, queue)
    add_overview(desk)
    add_topics(desk, queue)
    add_gist(desk)
    add_stages(desk, queue)
    add_prompts(desk, queue)
    add_roster(desk, queue)
    add_privacy(desk, queue)
    add_staff_list(desk)
    add_platforms(desk)
    add_settings(desk, queue)
    add_audits(desk)
    add_broadcasts(desk, queue, home)
    desk.context_processor(_for_every_page)
    desk.register_error_handler(CSRFError, lambda _: _sorry("expired", 400))
    desk.register_error_handler(RecordsError, lambda _: _sorry("unavailable", 503))
    desk.register_error_handler(HTTPException, _refused)
    return desk


def _for_every_page() -> dict[str, object]:
    """What every template of the desk may use."""
    spoken = language()
    has_phone = "phone.phone" in current_app.view_functions
    return {
        "language": spoken,
        "w": lambda word_id, **values: word(word_id, spoken, **values),
        "known": lambda word_id, otherwise: known_word(word_id, spoken, otherwise),
        "local": _local_clock(),
        "look": look(),
        "bar": bar,
        "stack": stack,
        "urgent_now": urgent_now,
        "style_nonce": style_nonce,
        "navigation": navigation,
        "difference": differences,
        "may": lambda act: is_staff() and reader().may(act),
        "phone_page": url_for("phone.phone") if has_phone else None,
    }


def _local_clock() -> Callable[[datetime], str]:
    zone = ZoneInfo("Asia/Shanghai")
    if is_staff():
        with archive().database.read() as session:
            community = session.get(Community, current_user.community_id)
            zone = ZoneInfo(community.time_zone) if community else zone
    return lambda moment: moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _refused(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    return _sorry(_SORRY.get(code, "broken"), code)


def _sorry(problem: str, code: int) -> tuple[str, int]:
    return render_template("desk/sorry.html", problem=problem), code
