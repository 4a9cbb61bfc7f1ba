"""A morning at the desk in a real browser: a topic written, heard and opened, stages, prompts, the house."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID
from admin.staff import FAILURES_PER_NAME
from ivr.prompts.render import open_renderer, preview_job
from speech.audio import Audio, write_wav
from sync.people import find_or_create_number, person_at
from sync.records.tables import Household, Milestone, Person, PromptRecording, Staff, Topic
from tests.admin.browser import NEEDS_CHROMIUM, Seat, browser, served, sit_down
from tests.admin.desk import Desk
from tests.prompts.tone_synthesizer import ToneSynthesizer

pytestmark = NEEDS_CHROMIUM
NUMBER = "+8613977778888"


@pytest.fixture(scope="module")
def seat(desk: Desk) -> Iterator[Seat]:
    with served(desk) as base, browser() as opened:
        yield sit_down(opened, base, desk.account.name, desk.account.password)


@pytest.fixture(scope="module")
def renderer(desk: Desk) -> Iterator[None]:
    """What the prompts worker does, beside the browser."""
    open_renderer(desk.archive, desk.app.extensions["tingjian_clips"], ToneSynthesizer)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.1):
            preview_job()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    yield
    is_over.set()
    worker.join(10)


def duration(seat: Seat) -> float:
    """Play what the page offers; how long the browser says it is."""
    seat.page.evaluate("document.querySelector('audio').load()")
    seat.page.evaluate("document.querySelector('audio').play()")
    seat.until("document.querySelector('audio').readyState >= 3")
    return float(seat.page.evaluate("document.querySelector('audio').duration"))


def test_a_topic_is_written_heard_opened_and_its_stages_planned(
    desk: Desk, seat: Seat, renderer: None
) -> None:
    page = seat.page
    seat.go("/desk/topics")
    page.click("text=写一个新议题")
    page.fill("#title", "村口凉亭要不要修")
    page.fill("#text", "凉亭漏雨，修一修要三千元。")
    page.fill("#spoken_title", "村口凉亭要不要修")
    page.fill("#spoken_background", "拟对凉亭予以整改。" * 15)
    page.fill("#label_1", "修")
    page.fill("#label_2", "不修")
    page.select_option("#counts", "households")
    page.click("text=保存并试听")
    seat.confirmed("草稿存好了")
    assert page.locator(".notice.warning").count() == 1
    assert duration(seat) > 1
    page.click("text=修改议题")
    page.fill("#spoken_background", "村口的凉亭漏雨。修一修要三千元。")
    page.click("text=保存并试听")
    seat.confirmed("改好了")
    assert page.locator(".notice.warning").count() == 0
    page.click("text=开放讨论")
    seat.confirmed("电话里听得到了")
    page.click("summary:has-text('加一个阶段')")
    page.fill("#new-title", "买瓦")
    page.fill("#new-goal", "两百片瓦到货")
    page.fill("#new-owner", "工程组")
    page.fill("#new-due", "2026-01-31")
    page.press("#new-due", "Enter")
    seat.confirmed("阶段记好了")
    assert page.locator(".stage-late .tag.late").count() == 1
    with desk.archive.database.read() as session:
        topic = session.scalars(select(Topic).where(Topic.title == "村口凉亭要不要修")).one()
        assert (topic.state, topic.rules["counts"]) == ("open", "households")
        assert session.scalars(select(Milestone.owner).where(Milestone.topic_id == topic.id)).all() == [
            "工程组"
        ]
    assert seat.problems == []


def test_every_number_of_the_overview_leads_somewhere_and_it_prints(seat: Seat) -> None:
    seat.go("/desk/overview?days=90")
    links = seat.page.eval_on_selector_all("main a", "all => all.map(one => one.getAttribute('href'))")
    assert len(links) > 8
    for link in dict.fromkeys(links):
        seat.go(link)
    seat.go("/desk/overview?days=90")
    seat.page.emulate_media(media="print")
    assert seat.page.locator("svg.bar").first.is_visible()
    assert not seat.page.locator("nav.around").is_visible()
    seat.page.emulate_media(media="screen")


def test_a_prompt_is_recorded_over_and_brought_back(
    desk: Desk, seat: Seat, renderer: None, tmp_path: Path
) -> None:
    moments = np.arange(16_000 * 2) / 16_000
    file = tmp_path / "goodbye.wav"
    file.write_bytes(write_wav(Audio((np.sin(2 * np.pi * 220 * moments) * 0.3).astype(np.float32), 16_000)))
    seat.go("/desk/prompts?q=finish.goodbye")
    seat.page.click("main li a >> nth=0")
    seat.page.set_input_files("#sound", file)
    seat.page.click("text=用这段录音")
    seat.confirmed("录音已换上")
    seat.page.click("text=换回机器的声音")
    seat.confirmed("已换回")
    with desk.archive.database.read() as session:
        assert session.scalars(select(PromptRecording)).all() == []
    assert duration(seat) > 0


def test_a_roster_is_checked_and_a_name_taken_off(desk: Desk, seat: Seat, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("户,姓名,电话\n7-701,郑十,13977778888\n", "utf-8")
    seat.go("/desk/roster")
    seat.page.click("summary:has-text('导入名册')")
    seat.page.set_input_files("#file", file)
    seat.page.click("button:text-is('先检查')")
    seat.page.wait_for_selector("text=还没有导入")
    seat.page.click("button:text-is('导入')")
    seat.page.wait_for_selector("text=导入好了")
    seat.go("/desk/roster?q=7-7")
    seat.page.click("summary:has-text('删除 郑十')")
    seat.page.click("button:has-text('确定删除 郑十')")
    seat.confirmed("已从名册上删掉")
    with desk.archive.database.read() as session:
        assert session.scalars(select(Household).where(Household.reference == "7-701")).one()


def test_a_person_is_found_given_their_data_and_deleted(desk: Desk, seat: Seat) -> None:
    with desk.archive.database.begin() as session:
        number = find_or_create_number(session, desk.archive, COMMUNITY_ID, NUMBER)
        person_id = person_at(session, desk.archive, COMMUNITY_ID, number).id
    seat.go("/desk/privacy")
    seat.page.fill("#asked", "139 7777 8888")
    seat.page.fill("#reason", "本人来社区")
    seat.page.click("button.good")
    seat.page.wait_for_url(re.compile(f"{person_id}$"))
    assert "77778888" not in seat.page.inner_text("main")
    seat.page.fill("#why-number", "要给本人回电")
    seat.page.click("button:has-text('看号码')")
    assert seat.page.wait_for_selector(".notice a[href^=tel]").inner_text() == NUMBER
    seat.go(f"/desk/privacy/people/{person_id}")
    seat.page.fill("#why-export", "本人要一份")
    with seat.page.expect_download() as taken:
        seat.page.click("button:has-text('导出给本人')")
    assert taken.value.suggested_filename == f"{person_id}.zip"
    seat.page.fill("#why-erase", "本人要求")
    seat.page.check("[name=sure]")
    seat.page.click("button.grave")
    seat.confirmed("已全部删除")
    with desk.archive.database.read() as session:
        assert session.get_one(Person, person_id).erased_at is not None


def test_staff_platforms_settings_and_the_log_by_keyboard(desk: Desk, seat: Seat) -> None:
    page = seat.page
    seat.go("/desk/staff")
    page.focus("#name")
    page.keyboard.insert_text("新来的小王")
    seat.press("Tab", "Tab", "Enter")
    page.wait_for_selector(".secret")
    page.select_option("li:has-text('新来的小王') select", "publisher")
    page.click("li:has-text('新来的小王') button:has-text('保存')")
    seat.confirmed("改好了")
    with desk.archive.database.read() as session:
        assert session.scalars(select(Staff.role).where(Staff.name == "新来的小王")).one() == "publisher"
    seat.go("/desk/platforms")
    page.focus("#name")
    page.keyboard.insert_text("小程序")
    seat.press("Enter")
    assert page.wait_for_selector(".secret").inner_text().startswith("tjk_")
    seat.go("/desk/settings")
    page.fill("#value-keep_months", "6")
    page.press("#value-keep_months", "Enter")
    seat.confirmed("设置已改")
    seat.go("/desk/audit")
    page.select_option("#act", "setting_changed")
    page.click("main form[role=search] button")
    page.wait_for_url(re.compile("act=setting_changed"))
    assert page.locator("tbody tr").count() >= 1
    with page.expect_download() as taken:
        page.click("text=下载这些记录")
    assert "keep_months" in Path(taken.value.path()).read_text("utf-8-sig")
    assert seat.problems == []


def test_who_guesses_a_password_is_told_to_wait(seat: Seat) -> None:
    """The last test of this file: from now on the door is closed to this name."""
    seat.page.context.clear_cookies()
    for _ in range(FAILURES_PER_NAME + 1):
        seat.page.goto(f"{seat.base}/desk/sign-in")
        seat.page.fill("#name", "不是我")
        seat.page.fill("#password", "猜一猜")
        seat.page.keyboard.press("Enter")
        seat.page.wait_for_selector("[role=alert]")
    assert "十五分钟后再来" in seat.page.inner_text("main")
