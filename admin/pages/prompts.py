"""What the phone says: read and heard, recorded anew, and how names of the place are pronounced."""

from __future__ import annotations

import io

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt_within, clips, done, now
from admin.pages.topic_sound import wait_for
from admin.roles import for_role
from ivr.prompts import takes
from ivr.prompts.as_heard import as_heard
from ivr.prompts.book import Book
from ivr.prompts.render import due
from sync import pronunciations
from sync.queue import WorkQueue
from sync.records.tables import Community

Answer = str | AnyResponse | tuple[str, int]


def add_prompts(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the pages and the acts on the desk. What is heard otherwise now wakes the prompts worker."""

    def heard_anew(key: str) -> AnyResponse:
        for job in ("prune", "render"):  # what nobody hears any more goes first
            queue.put(job, **({"community_id": reader().community_id} if job == "render" else {}))
        return redirect(url_for("desk.prompt", key=key) if key else url_for("desk.pronunciations"))

    @for_role("prompts.write")
    def record(key: str) -> Answer:
        """A recording in place of what is heard now."""
        upload, version = request.files.get("sound"), request.form.get("version", 0, type=int)
        data = upload.read(takes.LARGEST_BYTES) if upload else b""
        problem = attempt_within(lambda session: takes.record(session, actor(), key, data, version, now()))
        if problem:
            return one(key), problem
        done("done_prompt_recorded")
        return heard_anew(key)

    @for_role("prompts.write")
    def restore(key: str) -> Answer:
        """An earlier version again; 0: the synthesizer's voice."""
        which, version = (request.form.get(name, 0, type=int) for name in ("which", "version"))
        problem = attempt_within(lambda session: takes.restore(session, actor(), key, which, version, now()))
        if problem:
            return one(key), problem
        done("done_prompt_restored")
        return heard_anew(key)

    @for_role("prompts.see")
    def sound(key: str) -> Response:
        """How callers hear it now; rendered while the listener waits where it is not there yet."""
        words = _phrase(key).words
        names = wait_for(archive(), clips(), queue, [words])
        if names is None:
            return Response("", 503, mimetype="text/plain", headers={"Retry-After": "10"})
        return _sent(as_heard(clips(), names))

    @for_role("prompts.see", post="prompts.write")
    def spoken() -> Answer:
        """The list of the place's own pronunciations, and a word put on it or said otherwise."""
        if request.method == "GET":
            return _pronunciations({})
        word, pinyin, before = (request.form.get(name, "") for name in ("word", "pinyin", "before"))
        problem = attempt_within(
            lambda session: pronunciations.say(session, actor(), word, pinyin, before, now())
        )
        if problem:
            return _pronunciations(dict(request.form)), problem
        done("done_pronunciation")
        return heard_anew("")

    @for_role("prompts.write")
    def forget() -> AnyResponse:
        """A word taken off the list."""
        attempt_within(lambda session: pronunciations.forget(session, actor(), request.form.get("word", "")))
        done("done_pronunciation_removed")
        return heard_anew("")

    desk.add_url_rule("/prompts", "prompts", prompts)
    desk.add_url_rule("/prompts/pronunciations", "pronunciations", spoken, methods=["GET", "POST"])
    desk.add_url_rule("/prompts/pronunciations/forget", "pronunciation_forget", forget, methods=["POST"])
    desk.add_url_rule("/prompts/said/<path:key>", "prompt", one)
    desk.add_url_rule("/prompts/sound/<path:key>", "prompt_sound", sound)
    desk.add_url_rule("/prompts/take/<int:n>/<path:key>", "prompt_take", take)
    desk.add_url_rule("/prompts/record/<path:key>", "prompt_record", record, methods=["POST"])
    desk.add_url_rule("/prompts/restore/<path:key>", "prompt_restore", restore, methods=["POST"])


@for_role("prompts.see")
def prompts() -> str:
    """Every fixed sentence of the book; `?q=` finds words or an id."""
    asked = request.args.get("q", "").strip()[:40]
    with archive().database.read() as session:
        recorded = takes.recorded(session, reader().community_id)
    found = [one for one in takes.phrases(_book()) if asked in one.words or asked in one.key]
    work = due(archive(), clips(), reader().community_id)
    return render_template(
        "desk/prompts.html", phrases=found, recorded=recorded, asked=asked, total=work.total,
        ready=work.total - len(work.missing),
    )  # fmt: skip


@for_role("prompts.see")
def one(key: str) -> str:
    """One sentence, its versions, and the form for a recording."""
    phrase = _phrase(key)
    with archive().database.read() as session:
        versions = takes.versions(session, reader().community_id, key)
    return render_template(
        "desk/prompt.html", phrase=phrase, versions=versions, version=versions[0].version if versions else 0,
        longest=takes.LONGEST_SECONDS,
    )  # fmt: skip


@for_role("prompts.see")
def take(n: int, key: str) -> Response:
    """The sound of version `n`."""
    with archive().database.read() as session:
        found = takes.sound_of(session, reader().community_id, key, n)
    if found is None:
        abort(404)
    return _sent(found)


def _pronunciations(typed: dict[str, str]) -> str:
    with archive().database.read() as session:
        listed = pronunciations.listed(session, reader().community_id)
    return render_template("desk/pronunciations.html", listed=listed, typed=typed)


def _sent(wav: bytes) -> Response:
    answer = send_file(io.BytesIO(wav), "audio/wav", conditional=True, etag=False)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _phrase(key: str) -> takes.Phrase:
    found = next((phrase for phrase in takes.phrases(_book()) if phrase.key == key), None)
    if found is None:
        abort(404)
    return found


def _book() -> Book:
    with archive().database.read() as session:
        return Book.load(session.get_one(Community, reader().community_id).language)
