"""The staff desk: who gets in, what they see and do, and what stays closed."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID
from admin.demo.voices import opinion_id
from admin.pages.words import LANGUAGES, all_words
from admin.staff import add_staff
from speech.audio import Audio, write_wav
from sync.problems import BROKEN
from sync.records.tables import (
    Audit,
    Opinion,
    OpinionRecording,
    Person,
    Recording,
    Reply,
    Staff,
    Transcript,
    new_id,
)
from tests.admin.desk import Desk

LAMPS = opinion_id("lamps", 0)


def test_nobody_sees_the_desk_without_signing_in(desk: Desk) -> None:
    for path in ("/desk/", f"/desk/opinions/{LAMPS}", f"/desk/opinions/{LAMPS}/sound.wav"):
        answer = desk.browser().get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith("/desk/sign-in")


def test_signing_in_shows_what_residents_said(desk: Desk) -> None:
    page = desk.signed_in().get("/desk/?state=all").get_data(as_text=True)
    assert "那段路黑得看不见脚下" in page
    assert "东巷口要不要装路灯" in page


def test_a_wrong_password_is_refused_and_soon_no_more_are_taken(desk: Desk) -> None:
    browser = desk.browser()
    codes = [browser.sign_in("nobody-here", f"wrong password {n}").status_code for n in range(7)]
    assert codes == [401] * 5 + [429] * 2
    with desk.archive.database.read() as session:
        kept = session.scalars(select(Audit).where(Audit.act == "sign_in_failed")).all()
    assert kept
    assert not any("nobody-here" in (row.subject + row.actor) for row in kept)


def test_a_new_password_ends_old_sessions(desk: Desk) -> None:
    with desk.archive.database.begin() as session:
        add_staff(session, COMMUNITY_ID, "隔壁小李", "a long password", "reviewer")
    browser = desk.browser()
    assert browser.sign_in("隔壁小李", "a long password").status_code == 302
    assert browser.get("/desk/").status_code == 200
    with desk.archive.database.begin() as session:
        found = session.scalars(select(Staff).where(Staff.name == "隔壁小李")).one()
        found.disabled_at = datetime.now(UTC)
    assert browser.get("/desk/").status_code == 302


def test_every_form_needs_its_token(desk: Desk) -> None:
    browser = desk.signed_in()
    assert browser.client.post(f"/desk/opinions/{LAMPS}/approve", data={}).status_code == 400


def test_correcting_keeps_every_version_and_approving_lets_the_words_out(desk: Desk) -> None:
    browser, page = desk.signed_in(), f"/desk/opinions/{LAMPS}"
    corrected = browser.send(
        page, f"{page}/correct", text="那段路太黑了，请装灯。", version=_version(desk, LAMPS)
    )
    assert corrected.status_code == 302
    assert browser.send(page, f"{page}/approve", version=_version(desk, LAMPS)).status_code == 302
    with desk.archive.database.read() as session:
        assert session.get_one(Opinion, LAMPS).state == "approved"
        versions = session.scalars(select(Transcript).where(Transcript.opinion_id == LAMPS)).all()
    assert [one.version for one in versions] == [1, 2]
    assert "那段路太黑了" in browser.get(page).get_data(as_text=True)


def test_two_reviewers_never_overwrite_each_other(desk: Desk) -> None:
    browser, this = desk.signed_in(), opinion_id("lamps", 1)
    page, before = f"/desk/opinions/{this}", _version(desk, this)
    assert browser.send(page, f"{page}/correct", text="灯罩朝下就行。", version=before).status_code == 302
    late = browser.send(page, f"{page}/correct", text="我改的是另一句。", version=before)
    assert late.status_code == 409
    assert "我改的是另一句。" in late.get_data(as_text=True)
    assert "有人刚刚改过" in late.get_data(as_text=True)


def test_a_reply_sent_twice_is_one_reply(desk: Desk) -> None:
    browser, this = desk.signed_in(), opinion_id("lamps", 2)
    page = f"/desk/opinions/{this}"
    for _ in range(2):
        assert browser.send(page, f"{page}/reply", text="坏了打社区电话，三天内修。").status_code == 302
    with desk.archive.database.read() as session:
        replies = session.scalars(select(Reply.spoken).where(Reply.opinion_id == this)).all()
        assert session.get_one(Opinion, this).stage == "answered"
    assert replies == ["坏了打社区电话，三天内修。"]


@pytest.mark.parametrize(("language", "sentence"), [("zh", "录音损坏，读不出声音"), ("en", "is broken")])
def test_the_desk_says_why_a_recording_could_not_be_used(desk: Desk, language: str, sentence: str) -> None:
    with desk.archive.database.begin() as session:
        session.get_one(Opinion, LAMPS).problem = BROKEN
    browser = desk.signed_in()
    browser.send("/desk/", "/desk/language", language=language)
    page = browser.get(f"/desk/opinions/{LAMPS}").get_data(as_text=True)
    assert sentence in page


def test_an_auditor_looks_but_does_not_act(desk: Desk) -> None:
    with desk.archive.database.begin() as session:
        add_staff(session, COMMUNITY_ID, "审计", "a long password", "auditor")
    browser, page = desk.browser(), f"/desk/opinions/{opinion_id('canteen', 0)}"
    browser.sign_in("审计", "a long password")
    assert "/reply" not in browser.get(page).get_data(as_text=True)
    assert browser.send(page, f"{page}/approve").status_code == 403


def test_what_may_not_be_bleeped_for_certain_is_heard_for_a_reason_by_ranges_and_never_cached(
    desk: Desk,
) -> None:
    wav = write_wav(Audio(np.zeros(8000, dtype=np.float32), 8000))
    _store_recording(desk, LAMPS, wav)  # of an opinion that was written: nobody knows when what was said
    browser = desk.signed_in()
    page, address = f"/desk/opinions/{LAMPS}", f"/desk/opinions/{LAMPS}/sound.wav"
    assert browser.get(address).status_code == 404
    assert browser.send(page, f"{page}/whole", reason=" ").status_code == 302
    assert browser.get(address).status_code == 404
    assert browser.send(page, f"{page}/whole", reason="要写下听到的话").status_code == 302
    whole = browser.get(address)
    part = browser.get(address, headers={"Range": "bytes=4-11"})
    assert whole.data == wav
    assert whole.headers["Cache-Control"] == "no-store"
    assert part.status_code == 206
    assert part.data == wav[4:12]
    assert browser.get(f"/desk/opinions/{opinion_id('lamps', 1)}/sound.wav").status_code == 404
    with desk.archive.database.read() as session:
        heard = session.scalars(
            select(Audit).where(Audit.act.in_(["unbleeped", "heard_unbleeped"])).order_by(Audit.id)
        ).all()
    assert [(one.act, one.subject, one.reason) for one in heard] == [
        ("unbleeped", LAMPS, "要写下听到的话"),
        ("heard_unbleeped", LAMPS, None),
    ]


def test_pages_carry_a_strict_policy_and_no_inline_script(desk: Desk) -> None:
    answer = desk.signed_in().get(f"/desk/opinions/{LAMPS}")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.get_data(as_text=True)
    assert re.search(r"<script src=", page)
    assert not re.search(r"<script(?! src=)|<style", page)
    assert not re.search(r"\son\w+=|style=", page)


def test_the_desk_speaks_english_when_asked(desk: Desk) -> None:
    browser = desk.signed_in()
    assert browser.send("/desk/", "/desk/language", language="en", back="/desk/").status_code == 302
    assert "Residents&#39; voices" in browser.get("/desk/").get_data(as_text=True)
    away = browser.send("/desk/", "/desk/language", language="zh", back="//elsewhere.example/desk/")
    assert away.headers["Location"] == "/desk/"


def test_words_exist_in_both_languages() -> None:
    for word_id, said in all_words().items():
        assert set(said) == set(LANGUAGES), word_id
        assert all(said.values()), word_id


def test_a_body_too_large_is_refused(desk: Desk) -> None:
    answer = desk.browser().client.post("/desk/sign-in", data={"name": "x" * 2_000_000})
    assert answer.status_code == 413


def test_another_community_sees_nothing_of_this_one(desk: Desk) -> None:
    with desk.archive.database.begin() as session:
        from sync.records.tables import Community

        other = Community(
            id=new_id("com"), name="别处", dialled_number="+8657100000000", created_at=datetime.now(UTC)
        )
        session.add(other)
        session.flush()
        add_staff(session, other.id, "别处的人", "a long password", "administrator")
    browser = desk.browser()
    browser.sign_in("别处的人", "a long password")
    assert "路灯" not in browser.get("/desk/?state=all").get_data(as_text=True)
    assert browser.get(f"/desk/opinions/{LAMPS}").status_code == 404
    assert browser.send("/desk/", f"/desk/opinions/{LAMPS}/approve").status_code == 404


def test_a_spoken_reply_may_be_large_but_must_be_sound_of_a_bearable_length(desk: Desk) -> None:
    browser, page = desk.signed_in(), f"/desk/opinions/{LAMPS}"

    def send(content: bytes) -> int:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).get_data(as_text=True))
        assert token
        form = {"csrf_token": token[1], "sound": (io.BytesIO(content), "reply")}
        return browser.client.post(f"{page}/speak", data=form).status_code

    def tone(seconds: int) -> bytes:
        return write_wav(Audio(np.full(seconds * 8000, 0.1, dtype=np.float32), 8000))

    assert len(tone(80)) > 1024 * 1024
    assert [send(tone(80)), send(tone(130)), send(b"not a sound"), send(b"")] == [302, 422, 422, 422]
    drafts = re.findall(r"/desk/spoken/(sr_\w+)\.wav", browser.get(page).get_data(as_text=True))
    assert len(drafts) == 1
    assert browser.get(f"/desk/spoken/{drafts[0]}.wav").data == tone(80)
    assert browser.send(page, f"{page}/spoken/{drafts[0]}/drop").status_code == 302
    assert browser.get(f"/desk/spoken/{drafts[0]}.wav").status_code == 404


def _version(desk: Desk, this: str) -> str:
    with desk.archive.database.read() as session:
        return str(session.get_one(Opinion, this).version)


def _store_recording(desk: Desk, this: str, wav: bytes) -> str:
    recording_id = new_id("rec")
    with desk.archive.database.begin() as session:
        person = session.get_one(Person, session.get_one(Opinion, this).person_id)
        sealed = desk.archive.keyring.seal(session, person.key_id, wav, recording_id)
        desk.archive.recordings.put(recording_id, sealed)
        session.add(
            Recording(
                id=recording_id, community_id=COMMUNITY_ID, person_id=person.id, sid=f"RE{recording_id}",
                line="exchange", state="stored", file=recording_id, seconds=1.0, created_at=datetime.now(UTC),
            )
        )  # fmt: skip
        session.flush()
        session.add(OpinionRecording(opinion_id=this, part=0, recording_id=recording_id))
    return recording_id
