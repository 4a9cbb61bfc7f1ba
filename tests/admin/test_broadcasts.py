"""The loudspeakers' pages: composing by buttons, listening, approving, times, what was played."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID
from admin.staff import add_staff
from ivr.broadcast.rendering import Studio
from ivr.broadcast.store import SoundStore
from ivr.prompts.clips import ClipStore
from speech.audio import read_audio
from sync.broadcasting import add_loudspeaker
from sync.desk import Actor
from sync.records.tables import (
    Audit,
    Community,
    Loudspeaker,
    Opinion,
    Programme,
    ProgrammeItem,
    Schedule,
    Topic,
    new_id,
)
from tests.admin.desk import open_desk
from tests.admin.loud_village import NEW, NOW, PASSWORD, Village, called, played, seen, send
from tests.prompts.tone_synthesizer import ToneSynthesizer


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def village(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """One village on each database."""
    where = {} if request.param == "sqlite" else {"DATABASE_URL": request.getfixturevalue("empty_postgres")}
    desk = open_desk(tmp_path_factory.mktemp("home"), **where)
    with desk.archive.database.begin() as session:
        for role in ("publisher", "reviewer"):
            add_staff(session, COMMUNITY_ID, role, PASSWORD, role)
    browsers = desk.browser(), desk.browser()
    for browser, role in zip(browsers, ("publisher", "reviewer"), strict=True):
        assert browser.sign_in(role, PASSWORD).status_code == 302
    hum = ToneSynthesizer()
    clips = ClipStore(desk.settings.home / "clips", b"clips", hum.name)
    studio = Studio(desk.archive, clips, SoundStore.under(desk.settings.home), lambda: hum)
    yield Village(desk, studio, *browsers)
    desk.archive.close()


# --- composing ---
def test_a_programme_is_put_together_by_buttons_alone(village: Village) -> None:
    with village.desk.archive.database.read() as session:
        topic = session.scalars(select(Topic).where(Topic.state == "open")).first()
        opinion = session.scalars(select(Opinion).where(Opinion.release == "words")).first()
    assert topic is not None
    assert opinion is not None
    with village.desk.archive.database.begin() as session:
        session.get_one(Opinion, opinion.id).state = "approved"
    rows: dict[str, list[str]] = {name: [] for name in ("kind", "ref", "text", "own")}
    page = ""
    for button, choice in (
        ("add:call", ""), ("add:topic", topic.id), ("add:voice", opinion.id), ("add:notice", ""),
        ("add:chime", ""), ("up:3", ""), ("drop:2", ""),
    ):  # fmt: skip
        chosen = {f"add_{button.partition(':')[2]}": choice}
        answer = send(village.reviewer, NEW, NEW, title="路灯", do=button, **rows, **chosen)
        assert answer.status_code == 200
        page = answer.get_data(as_text=True)
        rows = {name: re.findall(rf'name="{name}"[^>]*?value="([^"]*)"', page) for name in ("kind", "ref")}
        rows |= {"text": [""] * len(rows["kind"]), "own": ["read"] * len(rows["kind"])}
    assert rows["kind"] == ["chime", "topic", "voice", "call"]
    assert "念出来大约" in seen(answer)
    long = {
        **rows,
        "kind": [*rows["kind"], "notice"],
        "ref": [*rows["ref"], ""],
        "text": [*rows["text"], "长" * 590],
    }
    warned = send(village.reviewer, NEW, NEW, title="路灯", do="look", **{**long, "own": [""] * 5})
    assert "超过三分钟" in seen(warned)
    assert "超过一分钟" in seen(warned)
    saved = send(village.reviewer, NEW, NEW, title="路灯", do="save", priority="normal", **rows)
    assert saved.status_code == 302
    programme_id = saved.headers["Location"].rpartition("/")[2]
    with village.desk.archive.database.read() as session:
        items = session.scalars(
            select(ProgrammeItem)
            .where(ProgrammeItem.programme_id == programme_id)
            .order_by(ProgrammeItem.position)
        ).all()
        assert session.get_one(Programme, programme_id).state == "draft"
    assert [item.kind for item in items] == ["chime", "topic", "voice", "call"]
    assert (items[1].topic_id, items[2].opinion_id) == (topic.id, opinion.id)
    assert (topic.spoken_title or "") in seen(village.reviewer.get(saved.headers["Location"]))


def test_what_cannot_be_saved_says_why_and_keeps_what_was_typed(village: Village) -> None:
    rows = {"kind": ["notice"], "ref": [""], "text": ["写好的话"], "own": [""]}
    answer = send(village.reviewer, NEW, NEW, title="", do="save", **rows)
    assert answer.status_code == 422
    assert "还没写内容" in seen(answer)
    assert "写好的话" in seen(answer)
    empty = send(
        village.reviewer, NEW, NEW, title="空的", do="save", kind=["chime"], ref=[""], text=[""], own=[""]
    )
    assert (empty.status_code, "节目里还没有内容" in seen(empty)) == (422, True)


def test_two_who_edit_never_overwrite_each_other(village: Village) -> None:
    programme_id = village.new(title="两个人改")
    page = f"/desk/broadcasts/{programme_id}/edit"
    rows = {"kind": ["notice"], "ref": [""], "own": [""]}
    first = send(
        village.publisher, page, page, title="先存的", do="save", version="1", text=["先存的话。"], **rows
    )
    assert first.status_code == 302
    late = send(
        village.reviewer, page, page, title="后存的", do="save", version="1", text=["后存的话。"], **rows
    )
    assert late.status_code == 409
    assert all(words in seen(late) for words in ("有人刚刚改过", "先存的话。", "后存的话。", "publisher"))
    assert village.programme(programme_id).title == "先存的"
    version = re.search(r'name="version" value="(\d+)"', late.get_data(as_text=True))
    assert version is not None
    again = send(
        village.reviewer,
        page,
        page,
        title="后存的",
        do="save",
        version=version[1],
        text=["后存的话。"],
        **rows,
    )
    assert again.status_code == 302
    assert village.programme(programme_id).title == "后存的"


# --- listening and approving ---
def test_nothing_is_approved_unheard(village: Village) -> None:
    programme_id = village.new()
    page = f"/desk/broadcasts/{programme_id}"
    waiting = village.publisher.get(page)
    assert "正在做声音" in seen(waiting)
    assert "reviewer 编于" in seen(waiting)
    state = village.publisher.get(f"{page}/state.json").get_json()
    assert (state["state"], state["sound"]) == ("submitted", "wanted")
    assert send(village.publisher, page, f"{page}/approve", digest="x").status_code == 422
    digest = village.ready(programme_id).sound_digest or ""
    sound = village.publisher.get(f"{page}/sound/{digest}.mp3")
    part = village.publisher.get(f"{page}/sound/{digest}.mp3", headers={"Range": "bytes=10-19"})
    assert (sound.mimetype, sound.headers["Cache-Control"]) == ("audio/mpeg", "no-store")
    assert read_audio(sound.data).seconds > 3.0
    assert (part.status_code, part.data) == (206, sound.data[10:20])
    assert village.publisher.get(f"{page}/sound/{'0' * 64}.mp3").status_code == 404
    assert "明天上午停水。" in seen(village.publisher.get(page))
    other = send(village.publisher, page, f"{page}/approve", digest="0" * 64)
    assert (other.status_code, "不是同一版" in seen(other)) == (422, True)
    assert send(village.reviewer, page, f"{page}/approve", digest=digest).status_code == 403
    assert send(village.publisher, page, f"{page}/approve", digest=digest).status_code == 302
    assert "publisher 批准" in seen(village.reviewer.get(page))
    rows = {"kind": ["notice"], "ref": [""], "text": ["改了。"], "own": [""]}
    send(village.reviewer, f"{page}/edit", f"{page}/edit", title="改了", do="save", version="1", **rows)
    assert village.programme(programme_id).state == "draft"
    assert village.publisher.get(f"{page}/sound/{digest}.mp3").status_code == 404


def test_an_emergency_needs_a_second_person_or_the_pin(village: Village) -> None:
    first = village.approved(title="紧急一", priority="emergency")
    page = f"/desk/broadcasts/{first}"
    digest = village.programme(first).sound_digest or ""
    alone = send(village.publisher, page, f"{page}/approve", digest=digest)
    assert (alone.status_code, "还要另一个人批准" in seen(alone)) == (422, True)
    assert "马上插播" not in seen(village.publisher.get(page))
    administrator = village.desk.signed_in()
    assert send(administrator, page, f"{page}/approve", digest=digest).status_code == 302
    assert "马上插播" in seen(village.publisher.get(page))

    second = village.new(title="紧急二", priority="emergency")
    digest, page = village.ready(second).sound_digest or "", f"/desk/broadcasts/{second}"
    speakers = "/desk/broadcasts/loudspeakers"
    assert send(administrator, speakers, f"{speakers}/pin", pin="123").status_code == 422
    assert send(administrator, speakers, f"{speakers}/pin", pin="246810").status_code == 302
    wrong = send(village.publisher, page, f"{page}/approve", digest=digest, pin="111111")
    assert (wrong.status_code, "PIN 不对" in seen(wrong)) == (422, True)
    assert send(village.publisher, page, f"{page}/approve", digest=digest, pin="246810").status_code == 302
    assert "用 PIN 批准" in seen(village.publisher.get(page))
    acts = [one.act for one in village.all(Audit)]  # type: ignore[attr-defined]
    assert {"programme.wrong_pin", "programme.approved_too"} <= set(acts)


# --- when, and how it went ---
def test_times_are_set_paused_and_shown_with_what_stands_in_the_way(village: Village) -> None:
    programme_id = village.new(title="定时的")
    page, day = f"/desk/broadcasts/{programme_id}", (NOW + timedelta(days=2)).date().isoformat()
    wrong = send(village.publisher, page, f"{page}/schedule", times="二十五点", how="once")
    assert wrong.status_code == 422
    fields: dict[str, str | list[str]] = {
        "times": "18：30、22:00",
        "how": "once",
        "first_day": day,
        "repeats": "2",
    }
    assert send(village.publisher, page, f"{page}/schedule", **fields).status_code == 302
    found = next(one for one in village.all(Schedule) if one.programme_id == programme_id)  # type: ignore[attr-defined]
    assert (found.times, found.first_day, found.last_day, found.repeats) == (["18:30", "22:00"], day, day, 2)
    listed = seen(village.reviewer.get("/desk/broadcasts"))
    assert "定时的 还没批准，不会响" in listed
    assert "定时的 是安静时间，不会响" in listed
    assert "21:00–07:00" in listed
    rules = "/desk/broadcasts/rules"
    rule = {
        "name": "每天傍晚",
        "minutes": "3",
        "lead_minutes": "60",
        "times": "18:30",
        "weekdays": ["0", "4"],
    }
    assert send(village.publisher, rules, rules, **rule).status_code == 302
    assert "每周一、周五" in seen(village.reviewer.get(rules)).replace(" ", "")
    paused = send(village.publisher, rules, f"/desk/broadcasts/schedules/{found.id}", state="paused")
    assert paused.status_code == 302
    assert "定时的 停着" in seen(village.reviewer.get(rules))
    assert "定时的 还没批准" not in seen(village.reviewer.get("/desk/broadcasts"))


def test_a_form_sent_twice_plays_once_and_silence_is_seen(village: Village) -> None:
    programme_id = village.approved(title="现在就播")
    page = f"/desk/broadcasts/{programme_id}"
    sent = [send(village.publisher, page, f"{page}/play", kind="play", request="r1") for _ in range(2)]
    assert {answer.status_code for answer in sent} == {302}
    assert len({answer.headers["Location"] for answer in sent}) == 1
    not_urgent = send(village.publisher, page, f"{page}/play", kind="cut_in", request="r2")
    assert (not_urgent.status_code, "只有紧急节目" in seen(not_urgent)) == (422, True)
    airing_id = sent[0].headers["Location"].rpartition("/")[2]
    played(village, airing_id, {"村口1号": "finished", "村口2号": "failed"})
    called(village, after=timedelta(minutes=30))
    result = seen(village.reviewer.get(f"/desk/broadcasts/airings/{airing_id}"))
    assert "2 个喇叭播了 1 个" in result
    assert "没响：村口2号" in result
    assert "连不上" in result
    assert "播出后来了 1 个电话" in result
    assert "来了 1 个电话" in seen(village.reviewer.get("/desk/broadcasts"))
    assert "2 个喇叭播了 1 个" in seen(village.reviewer.get("/desk/broadcasts/airings"))
    zipped = village.reviewer.get(f"{page}/files.zip")
    assert (zipped.mimetype, zipped.data[:2]) == ("application/zip", b"PK")
    assert village.reviewer.get("/desk/broadcasts/week.zip").status_code == 200
    stopped = send(village.reviewer, f"{page}", f"/desk/broadcasts/airings/{airing_id}/stop")
    assert stopped.status_code == 302
    withdrawn = send(village.publisher, page, f"{page}/withdraw", reason="")
    assert withdrawn.status_code == 422
    assert send(village.publisher, page, f"{page}/withdraw", reason="说错了").status_code == 302
    refused = village.reviewer.get(f"{page}/files.zip")
    assert refused.status_code == 302


# --- loudspeakers ---
def test_a_loudspeaker_is_added_its_secret_shown_once_changed_and_put_away(village: Village) -> None:
    administrator, page = village.desk.signed_in(), "/desk/broadcasts/loudspeakers"
    lacking = send(administrator, page, page, name="缺地址", kind="multicast", volume="50")
    assert (lacking.status_code, "地址没填全" in seen(lacking)) == (422, True)
    added = send(
        administrator, page, page, name="东头", kind="mqtt", place="老槐树", area="东片", volume="70"
    )
    secret = re.search(r'id="secret">([^<]+)<', added.get_data(as_text=True))
    row = next(one for one in village.all(Loudspeaker) if one.name == "东头")  # type: ignore[attr-defined]
    assert secret is not None
    assert (row.place, row.area, row.volume, row.address) == ("老槐树", "东片", 70, {})
    one = f"{page}/{row.id}"
    assert secret[1] not in administrator.get(one).get_data(as_text=True)
    twice = send(administrator, page, page, name="东头", kind="mqtt", volume="70")
    assert (twice.status_code, "已经有叫这个名字" in seen(twice)) == (422, True)
    changed = {
        "place": "槐树下",
        "area": "西片",
        "groups": "学校、田边",
        "volume": "30",
        "address_form": "wav",
    }
    assert send(administrator, one, f"{one}/change", **changed).status_code == 302
    shown = seen(village.reviewer.get(one))
    assert "槐树下" in shown
    assert "西片 · 学校、田边" in shown
    anew = send(administrator, one, f"{one}/secret", secret="")
    assert secret[1] not in anew.get_data(as_text=True)
    assert 'id="secret"' in anew.get_data(as_text=True)
    assert send(administrator, one, f"{one}/state", state="removed").status_code == 302
    assert "东头" not in seen(village.reviewer.get(page))
    assert send(village.publisher, one, f"{one}/state", state="active").status_code == 403


def test_another_community_sees_nothing_and_the_pages_speak_english(village: Village) -> None:
    programme_id = village.approved(title="别人的")
    with village.desk.archive.database.begin() as session:
        other = Community(id=new_id("com"), name="别处", dialled_number=new_id("+"), created_at=NOW)
        session.add(other)
        session.flush()
        add_staff(session, other.id, other.id, PASSWORD, "administrator")
        speaker, _ = add_loudspeaker(
            session, village.desk.archive, Actor("st", COMMUNITY_ID), other.id, "files", NOW
        )
    stranger = village.desk.browser()
    stranger.sign_in(other.id, PASSWORD)
    page = f"/desk/broadcasts/{programme_id}"
    for path in (
        page,
        f"{page}/edit",
        f"{page}/state.json",
        f"{page}/files.zip",
        f"/desk/broadcasts/loudspeakers/{speaker}",
    ):
        assert stranger.get(path).status_code == 404, path
    for act in ("approve", "submit", "withdraw", "play", "schedule"):
        assert send(stranger, NEW, f"{page}/{act}", reason="x", times="18:30").status_code == 404, act
    assert "别人的" not in seen(stranger.get("/desk/broadcasts"))
    stranger.send("/desk/", "/desk/language", language="en")
    for path in (
        "broadcasts",
        "broadcasts/new",
        "broadcasts/airings",
        "broadcasts/rules",
        "broadcasts/loudspeakers",
    ):
        answer = stranger.get(f"/desk/{path}")
        assert answer.status_code == 200
        assert not re.search(r"\son\w+=|style=", answer.get_data(as_text=True))
    assert "Now and next" in seen(stranger.get("/desk/broadcasts"))
