"""An online platform in one page: residents read topics, vote and comment, next to what came by telephone.

It keeps a copy of what Tingjian shows (pulled with a checkpoint, hurried by webhooks), writes down what its
users give before it sends that on, and lets Tingjian do the counting: whoever votes by phone and here is one.
"""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, abort, g, redirect, render_template, request, session, url_for
from mirror import Json, Mirror, Store
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from sync.client import Away, Checkpoint, Client, NotSigned, Refused, verify_webhook

LOG = logging.getLogger("example")
CHOICES = [["agree", "同意"], ["disagree", "不同意"], ["pass", "不表态"]]
CAREFUL = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(mirror: Mirror, webhook_secrets: Sequence[str], cookie_key: str) -> Flask:
    """The web application: one page and the forms on it."""
    app, store = Flask(__name__), mirror.store
    app.secret_key = cookie_key
    app.config.update(SESSION_COOKIE_SAMESITE="Lax", MAX_CONTENT_LENGTH=64 * 1024)

    @app.before_request
    def know_the_visitor() -> None:
        """Who is here; forms carry a token of this visitor, so that no other page can send them."""
        with store.open() as db:
            row = db.execute("SELECT * FROM accounts WHERE id=?", (session.get("account"),)).fetchone()
        g.account = row
        session.setdefault("token", secrets.token_hex(16))
        if (
            request.method == "POST"
            and request.endpoint != "hook"
            and request.form.get("token") != session["token"]
        ):
            abort(400)

    @app.after_request
    def be_careful(answer: Response) -> Response:
        answer.headers.update(CAREFUL)
        return answer

    @app.get("/")
    def page() -> str:
        return render_template(
            "page.html",
            topics=shown_topics(store),
            me=g.account,
            said=session.pop("said", ""),
            code=session.get("code"),
        )

    @app.post("/enter")
    def enter() -> Response:
        """By telephone number (a real platform sends the code by SMS), or by a name alone."""
        digits = "".join(filter(str.isdigit, request.form.get("number", "")))
        name = request.form.get("name", "").strip()[:20]
        if digits:
            if len(digits) != 11 or not digits.startswith("1"):
                return told("手机号应是 11 位数字。")
            session["number"], session["seat"] = f"+86{digits}", request.form.get("seat", 1, type=int)
            session["code"] = f"{secrets.randbelow(10**6):06d}"
            return told("验证码已发出。")
        return come_in(name or "居民", None, None)

    @app.post("/code")
    def code() -> Response:
        if not secrets.compare_digest(request.form.get("code", ""), session.get("code") or "none"):
            return told("验证码不对，请再试一次。")
        number, seat = session.pop("number"), session.pop("seat")
        session.pop("code")
        return come_in(f"尾号 {number[-4:]}", number, seat)

    def come_in(name: str, number: str | None, seat: int | None) -> Response:
        with store.open() as db:
            row = db.execute("SELECT id FROM accounts WHERE number=? AND seat=?", (number, seat)).fetchone()
            session["account"] = row["id"] if row else uuid.uuid4().hex
            if row is None:
                db.execute(
                    "INSERT INTO accounts (id, name, number, seat) VALUES (?,?,?,?)",
                    (session["account"], name, number, seat),
                )
        return told(f"{name}，您好。")

    @app.post("/leave")
    def leave() -> Response:
        session.clear()
        return redirect(url_for("page"))

    @app.post("/link")
    def link() -> Response:
        """The six digits somebody heard on the phone: account and caller are one person from now on."""
        try:
            mirror.client.put_link(
                here(), "".join(filter(str.isdigit, request.form.get("code", ""))), key=uuid.uuid4().hex
            )
        except Refused as refusal:
            return told(
                {409: "您的账号和电话已经是同一个人了。", 429: "试得太多了，请一小时后再来。"}.get(
                    refusal.status, "号码不对，或已过了十分钟。"
                )
            )
        except Away:
            return told("暂时连不上，请稍后再试。")
        with store.open() as db:
            db.execute("UPDATE accounts SET is_linked=1 WHERE id=?", (here(),))
        return told("好了：您在电话里和在这里是同一个人，一件事只算一票。")

    @app.post("/topics/<topic_id>/ballot")
    def vote(topic_id: str) -> Response:
        return give("ballot", topic_id, {"choice": request.form.get("choice", "")}, "cast_at", "投票收到了。")

    @app.post("/topics/<topic_id>/comment")
    def comment(topic_id: str) -> Response:
        text = request.form.get("text", "").strip()[:2000]
        if not text:
            return told("请先写几个字。")
        release = "words" if request.form.get("released") else "none"
        said = {"topic_id": topic_id, "text": text, "release": release}
        return give("feedback", topic_id, said, "said_at", "您的话收好了，社区工作人员会看。")

    @app.post("/opinions/<opinion_id>/reaction")
    def react(opinion_id: str) -> Response:
        return give("reaction", opinion_id, {"choice": request.form.get("choice", "")}, "cast_at", "收到了。")

    @app.post("/hook")
    def hook() -> tuple[str, int]:
        """A webhook is a hint: the feed tells the rest."""
        try:
            event = verify_webhook(dict(request.headers), request.get_data(), webhook_secrets)
        except NotSigned:
            return "", 401
        LOG.info("told of %s", event.type)
        mirror.hurry.set()
        return "", 204

    def give(kind: str, about: str, body: Json, moment: str, thanks: str) -> Response:
        """Write it down, then send it on; if Tingjian is away the mirror does that later."""
        account, given_id = here(), uuid.uuid4().hex
        voice = {"account": account} | (
            {"number": g.account["number"], "seat": g.account["seat"]} if g.account["number"] else {}
        )
        whole = {"id": given_id, "voice": voice, moment: datetime.now(UTC).isoformat()} | body
        with store.open() as db:
            db.execute(
                "INSERT INTO given (id, account, kind, about, body) VALUES (?,?,?,?,?)",
                (given_id, account, kind, about, json.dumps(whole)),
            )
        mirror.hurry.set()
        return told(thanks)

    def here() -> str:
        if g.account is None:
            abort(403)
        return str(g.account["id"])

    def told(words: str) -> Response:
        session["said"] = words
        return redirect(url_for("page"))

    return app


def shown_topics(store: Store) -> list[Json]:
    """Topics with counts, what was said of them wherever it came from, and one's own part in it."""
    opinions = sorted(store.records("opinion"), key=lambda one: one["said_at"])
    mine = given_by(store, str(g.account["id"])) if g.account else []
    now, found = datetime.now(UTC), []
    for topic in sorted(store.records("topic"), key=lambda one: one["created_at"]):
        choices = topic["options"] or CHOICES
        about = [one for one in mine if one["about"] == topic["id"]]
        closes_at = datetime.fromisoformat(topic["closes_at"]) if topic["closes_at"] else None
        ballots = [one for one in about if one["kind"] == "ballot"]
        own = {one["answer"]["id"]: one for one in about if one["kind"] == "feedback" and one["answer"]}
        said = [one for one in opinions if one["topic_id"] == topic["id"]]
        found.append(
            topic
            | {
                "choices": choices,
                "is_open": topic["state"] == "open" and (closes_at is None or now < closes_at),
                "opinions": [one for one in said if is_for_neighbours(one)],
                "own": [
                    one | {"words": own[one["id"]]["body"]["text"]}
                    for one in said
                    if one["id"] in own and not is_for_neighbours(one)
                ],
                "ballot": dict(choices).get(ballots[-1]["body"]["choice"]) if ballots else None,
                "problems": [one["problem"] for one in about if one["problem"]],
                "receipts": [(one["body"]["text"], one["answer"]["receipt"]) for one in own.values()],
            }
        )
    return found


def is_for_neighbours(opinion: Json) -> bool:
    """Whether staff have let the words out and their speaker wants neighbours to have them.

    What was joined to a like opinion is shown as that one's further voices.
    """
    return bool(opinion["text"]) and opinion["release"] != "none" and not opinion["joined_to"]


def given_by(store: Store, account: str) -> list[Json]:
    """What one account gave, oldest first."""
    with store.open() as db:
        rows = db.execute("SELECT * FROM given WHERE account=? ORDER BY rowid", (account,)).fetchall()
    return [
        dict(row)
        | {"body": json.loads(row["body"]), "answer": json.loads(row["answer"]) if row["answer"] else None}
        for row in rows
    ]


def main() -> None:
    """Serve the page, and keep the copy fresh beside it."""
    parser = argparse.ArgumentParser(
        description="An example of an online platform beside Tingjian's telephone."
    )
    parser.add_argument("--base", required=True, help="where Tingjian is, such as http://127.0.0.1:8000")
    parser.add_argument("--key", required=True, help="the platform's key, or @FILE that holds it")
    parser.add_argument(
        "--webhook-secret", action="append", default=[], help="whsec_…; twice while exchanged"
    )
    parser.add_argument(
        "--home", type=Path, default=Path("example_platform_data"), help="folder of its own data"
    )
    parser.add_argument("--look", type=float, default=5.0, help="seconds between pulls; a webhook hurries it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asked.home.mkdir(parents=True, exist_ok=True)
    key = Path(asked.key[1:]).read_text("utf-8").strip() if asked.key.startswith("@") else asked.key
    cookie_key = asked.home / "cookie.key"
    if not cookie_key.exists():
        cookie_key.touch(0o600)
        cookie_key.write_text(secrets.token_hex(32))
    mirror = Mirror(
        Client(asked.base, key),
        Store(asked.home / "platform.db"),
        Checkpoint(asked.home / "checkpoint"),
        asked.look,
    )
    app = create_app(mirror, asked.webhook_secret, cookie_key.read_text())
    threading.Thread(target=mirror.run, name="mirror", daemon=True).start()
    server = make_server(asked.host, asked.port, app, threaded=True)
    LOG.info("open http://%s:%d/", asked.host, server.port)
    server.serve_forever()


if __name__ == "__main__":
    main()
