"""The door of the dialogue: TwiML over HTTP, signed, safe to repeat, and never an error to the phone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import quote

from flask import Blueprint, Response, request, send_file
from sqlalchemy import text

from ivr.answering import Clock
from ivr.arrivals import EXCHANGE, UnknownCall, UnknownNumber
from ivr.beginning import Greeting
from ivr.calls import Calls, Queue, utc_now
from ivr.prompts.book import PromptError
from ivr.prompts.clips import ClipStore
from ivr.web.own_voice import OwnVoice
from ivr.web.patience import UNKNOWN_NUMBER, WAIT_CLIP, Patience, log_problem, wait_sound
from ivr.web.reached import ENDS, arrival_of, delivered_of, placed_of, reached_of, told_of, try_of
from ivr.web.signature import PhoneLine, line_of
from ivr.web.twiml import TwimlRenderer
from sync.archive import Archive
from sync.errors import RecordsError
from sync.placing.courses import NoSuchTry

MOST_FORM_BYTES = 64 * 1024
CLIP_CACHE_SECONDS = 86_400


def create_blueprint(
    archive: Archive,
    queue: Queue,
    clips: ClipStore,
    lines: Mapping[str, PhoneLine],
    public_base_url: str,
    clock: Clock = utc_now,
    dials_out: bool = False,
) -> Blueprint:
    """The routes phone platforms knock at. `lines` maps AccountSid to the line whose secret signs.

    `dials_out`: there is a line by which calls are placed.

    Needs no cookies and no CSRF token: every POST is signed.
    """
    own_voice = OwnVoice(archive, _credentials(lines))
    renderer = TwimlRenderer(public_base_url, clips, own_voice.token)
    door = _Door(
        Calls(archive, queue, renderer, clock, dials_out),
        Patience(renderer, public_base_url),
        lines,
        public_base_url,
    )
    blueprint = Blueprint("calls", __name__)
    for rule, view in (
        ("/calls", door.begin),
        ("/calls/status", door.status),
        ("/calls/unanswered", door.unanswered),
        ("/calls/placed/<placed_id>", door.placed),
        ("/calls/placed/<placed_id>/status", door.placed_status),
        ("/calls/<sid>/status", door.status),
        ("/calls/<sid>/turns/<int:n>", door.turn),
        ("/calls/<sid>/turns/<int:n>/recording", door.recording),
    ):
        blueprint.add_url_rule(rule, view_func=view, methods=["POST"])
    _add_media(blueprint, clips, own_voice)
    blueprint.add_url_rule("/health", endpoint="health", view_func=_health(archive))
    return blueprint


class _Door:
    """The views of the phone lines. One instance serves all threads."""

    def __init__(
        self, calls: Calls, patience: Patience, lines: Mapping[str, PhoneLine], public_base_url: str
    ) -> None:
        self._calls = calls
        self._patience = patience
        self._lines = lines
        self._base = public_base_url

    def begin(self) -> Response:
        """The voice address: a call has come in."""
        line = self._knocks()
        if line is None:
            return _refused()
        arrival = arrival_of(_values(), line.name)
        return self._answered(arrival.sid, 0, lambda: self._calls.begin(arrival) or self._patience.refuse())

    def placed(self, placed_id: str) -> Response:
        """A call of ours has been answered."""
        line = self._knocks()
        if line is None:
            return _refused()
        answered = placed_of(placed_id, _values(), line.name)

        def begin() -> str:
            greet = partial(self._who_is_there, f"{request.path}?try={answered.n}")
            return self._calls.begin_placed(answered, greet) or self._patience.hang_up()

        return self._answered(answered.arrival.sid, 0, begin)

    def placed_status(self, placed_id: str) -> Response:
        """The line tells how a call of ours goes on."""
        line = self._knocks()
        if line is None:
            return _refused()
        values = _values()
        told, n = told_of(values), try_of(values)
        return self._noted(told.sid, lambda: self._calls.tell_placed(placed_id, n, line.name, told))

    def _who_is_there(self, path: str, greeting: Greeting) -> str:
        return self._patience.who_is_there(path, greeting.name, greeting.manner)

    def turn(self, sid: str, n: int) -> Response:
        """What answers turn `n`: keys, a recording, the end of dialling, or silence."""
        line = self._knocks()
        if line is None:
            return _refused()

        def answer() -> str:
            document = self._calls.answer(sid, n, reached_of(_values()), line.name)
            return document or self._patience.lead_on(sid, n + 1)

        return self._answered(sid, n, answer)

    def recording(self, sid: str, n: int) -> Response:
        """A finished recording is announced, before or after its turn, or though its turn never came."""
        line = self._knocks()
        if line is None:
            return _refused()
        values = _values()
        if values.get("RecordingStatus", "completed") != "completed" or not values.get("RecordingUrl"):
            return _nothing()
        return self._noted(sid, lambda: self._calls.announce(sid, n, delivered_of(values), line.name))

    def status(self, sid: str = "") -> Response:
        """The line tells how the call stands; only its end matters."""
        line = self._knocks()
        if line is None:
            return _refused()
        values = _values()
        status = values.get("CallStatus", "")
        if status not in ENDS:
            return _nothing()
        call = sid or values.get("CallSid", "")
        whose = arrival_of(values, line.name)
        return self._noted(call, lambda: self._calls.end(call, status, line.name, whose))

    def unanswered(self) -> Response:
        """The numbers at which nobody is answered: our own exchange refuses there while we are slow."""
        line = self._knocks()
        if line is None or line.name != EXCHANGE:
            return _refused()
        try:
            told = json.dumps({"numbers": self._calls.unanswered()})
        except RecordsError as error:
            log_problem(error, "")
            return Response("", 503, {"Retry-After": "5"}, mimetype="text/plain")
        return Response(told, mimetype="application/json")

    def _knocks(self) -> PhoneLine | None:
        request.max_content_length = MOST_FORM_BYTES
        return line_of(request, self._lines, self._base)

    def _answered(self, sid: str, n: int, work: Callable[[], str]) -> Response:
        manner = self._calls.manner(sid, n)
        try:
            return _twiml(work())
        except UnknownNumber:
            return _twiml(self._patience.goodbye(UNKNOWN_NUMBER, manner))
        except UnknownCall:
            return _twiml(self._patience.start_anew())
        except NoSuchTry:
            return _twiml(self._patience.hang_up())
        except Exception as error:  # whatever it is, the phone hears a kind sentence
            log_problem(error, sid)
            return _twiml(self._patience.ask_again(request.path, _values(), manner))

    def _noted(self, sid: str, work: Callable[[], None]) -> Response:
        """For callbacks that nobody listens to: an error status makes the platform tell it again."""
        try:
            work()
        except (UnknownCall, NoSuchTry):
            return Response("", 404, mimetype="text/plain")
        except Exception as error:
            log_problem(error, sid)
            return Response("", 503, {"Retry-After": "5"}, mimetype="text/plain")
        return _nothing()


def _values() -> dict[str, str]:
    """The parameters of this request: its form, and what its address carries besides."""
    return {**request.args.to_dict(), **{name: text for name, text in request.form.items() if text}}


def _twiml(document: str) -> Response:
    return Response(document, mimetype="text/xml", headers={"Cache-Control": "no-store"})


def _nothing() -> Response:
    return Response("", 204)


def _refused() -> Response:
    return Response("", 403, mimetype="text/plain")


def _credentials(lines: Mapping[str, PhoneLine]) -> Callable[[str], tuple[str, str]]:
    """User and password of each line's recordings: its account and its secret."""
    known = {line.name: (account, line.token) for account, line in lines.items()}
    return lambda name: known.get(name, ("", ""))


def _add_media(blueprint: Blueprint, clips: ClipStore, own_voice: OwnVoice) -> None:
    def clip(name: str) -> Response:
        """A rendered clip, under a name that nobody can guess; what it says stands in a header."""
        if name == WAIT_CLIP:
            return Response(wait_sound(), mimetype="audio/wav", headers={"X-Caption": quote("♪")})
        try:
            response = send_file(
                clips.path(name).resolve(), "audio/wav", conditional=True, max_age=CLIP_CACHE_SECONDS
            )
        except (PromptError, OSError):
            return Response("", 404, mimetype="text/plain")
        response.headers["X-Caption"] = quote(clips.caption(name))
        if clips.may_change(name):  # it may be taken back or replaced: nobody is to keep a copy
            response.headers["Cache-Control"] = "no-store"
        return response

    def voice(token: str) -> Response:
        """A recording in its speaker's own voice, for the bearer of a link that expires."""
        try:
            sound = own_voice.sound(token)
        except RecordsError as error:
            log_problem(error, "")
            return Response("", 503, mimetype="text/plain")
        if sound is None:
            return Response("", 404, mimetype="text/plain")
        return Response(sound, mimetype="audio/wav", headers={"Cache-Control": "no-store"})

    blueprint.add_url_rule("/media/<name>.wav", view_func=clip)
    blueprint.add_url_rule("/media/voice/<token>.wav", view_func=voice)


def _health(archive: Archive) -> Callable[[], Response]:
    def health() -> Response:
        """Whether the records answer."""
        try:
            with archive.database.read() as session:
                session.execute(text("SELECT 1"))
        except RecordsError:
            return Response('{"status": "the records do not answer"}', 503, mimetype="application/json")
        return Response('{"status": "ok"}', mimetype="application/json")

    return health
