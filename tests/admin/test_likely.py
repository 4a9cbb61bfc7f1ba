"""The page of an opinion says what it is like; one key puts it to its topic; a topic says what people say."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from sync.likely import likely
from sync.records.tables import Community, Opinion, Person, Topic, Transcript
from tests.admin.desk import Browser, Desk

BENCH = (
    "楼下的长椅坏了两条，老人没地方坐",
    "长椅坏了没人修，老人在楼下没地方坐",
    "楼下长椅断了一条腿，坐不了人",
    "请把楼下坏的长椅修一修，老人要坐",
)
OTHER = (
    "晚上广场舞太吵了睡不着",
    "垃圾桶满了没人倒，臭得很",
    "食堂的菜太咸了",
    "电梯老是停，爬楼受不了",
    "路口太黑了，装个灯吧",
    "门禁卡刷不开门",
    "水压太低，四楼没有水",
    "公交车等半个小时",
    "孩子没有地方玩",
    "想学用手机挂号",
)
LONG = (
    "我说三件事。头一件，楼下的长椅坏了两条，老人买菜回来没有地方歇脚，只好坐在花坛边上。"
    "第二件，花坛边上的砖松了，踩上去要摔跤，我邻居就崴了脚。"
    "第三件，晚上路灯九点就关，我们散步回来看不见路，牵着狗的人也看不清。"
    "这几件事说过好几回了，一直没有人来看，请你们抽空过来走一趟。"
)


@pytest.fixture(scope="module")
def said(desk: Desk) -> dict[str, str]:
    """Opinions by their words; those about the bench belong to a topic, but for the last: a message."""
    with desk.archive.database.begin() as session:
        community = session.scalars(select(Community.id)).one()
        person = session.scalars(select(Person.id).limit(1)).one()
        at = datetime.now(UTC) - timedelta(hours=1)
        session.add(
            Topic(
                id="tp_bench", community_id=community, owner="desk", title="楼下添长椅",
                text="楼下的长椅要不要修，要不要添。",
                spoken_title="楼下添长椅", spoken_background="长椅坏了。", state="open", created_at=at,
            )
        )  # fmt: skip
        session.flush()
        ids = {}
        for n, words in enumerate((*BENCH, *OTHER, LONG)):
            ids[words] = opinion_id = f"op_likely_{n}"
            session.add(
                Opinion(
                    id=opinion_id, community_id=community, person_id=person, source="test",
                    source_id=f"likely{n}",
                    topic_id="tp_bench" if words in BENCH[:3] else None, channel="phone", evidence="none",
                    kind="opinion", state="review", said_at=at + timedelta(minutes=n),
                )
            )  # fmt: skip
            session.flush()
            row = {
                "opinion_id": opinion_id,
                "version": 1,
                "redacted": words,
                "confidence": 0.9,
                "language": "zh",
            }
            made = {"engine": "parrot", "speech_seconds": 5.0, "made_by": "machine", "made_at": at}
            session.execute(insert(Transcript), [row | made])
        return ids


def test_an_opinion_is_near_to_its_matter_and_to_nothing_else(desk: Desk, said: dict[str, str]) -> None:
    with desk.archive.database.read() as session:
        found = likely(session, session.get_one(Opinion, said[BENCH[3]]))
        other = likely(session, session.get_one(Opinion, said[OTHER[2]]))
    assert {one for one, _ in found.near} <= {said[words] for words in (*BENCH, LONG)}
    assert len(found.near) >= 2
    assert all(0.5 <= share <= 1 for _, share in found.near)
    assert found.topic is not None
    assert (found.topic.topic_id, found.topic.title) == ("tp_bench", "楼下添长椅")
    assert other.topic is None or other.topic.topic_id != "tp_bench"
    assert not {one for one, _ in other.near} & {said[words] for words in BENCH}


def test_one_key_puts_an_opinion_to_the_topic_it_is_about(desk: Desk, said: dict[str, str]) -> None:
    browser, opinion_id = desk.signed_in(), said[BENCH[3]]
    page = _page(browser, f"/desk/opinions/{opinion_id}")
    assert "像是在说议题“楼下添长椅”" in page
    assert 'data-key="y"' in page
    where = f"/desk/opinions/{opinion_id}/retopic"
    assert browser.send(f"/desk/opinions/{opinion_id}", where, text="tp_bench").status_code == 302
    assert "像是在说议题" not in _page(browser, f"/desk/opinions/{opinion_id}")
    with desk.archive.database.read() as session:
        assert session.get_one(Opinion, opinion_id).topic_id == "tp_bench"


def test_a_long_opinion_is_said_in_short_and_a_topic_says_what_people_say(
    desk: Desk, said: dict[str, str]
) -> None:
    browser = desk.signed_in()
    assert "要点" in _page(browser, f"/desk/opinions/{said[LONG]}")
    assert "要点" not in _page(browser, f"/desk/opinions/{said[BENCH[0]]}")
    assert "/desk/topics/tp_bench/said" in _page(browser, "/desk/topics/tp_bench")
    page = _page(browser, "/desk/topics/tp_bench/said")
    assert "长椅" in page
    assert "2 条" in page or "3 条" in page
    assert "广场舞" not in page
    assert browser.get("/desk/topics/tp_none/said").status_code == 404


def _page(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.get_data(as_text=True))
