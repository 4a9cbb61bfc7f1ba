"""Communities to draw and check calls with: a rich one, and the corners that flows are built from."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue.called import CALLED_BACK, REPLY_CALL, flow_of
from ivr.dialogue.danger import DANGER_CALL
from ivr.dialogue.steps import Flow
from ivr.dialogue.view import (
    AlertView,
    BroadcastItemView,
    BroadcastView,
    CommunityView,
    OwnView,
    TopicView,
    VoiceView,
)

LAMPS = TopicView(
    "lamps",
    "东巷口要不要装路灯",
    "东巷口到菜场两百米没有路灯，去年冬天有三位老人摔倒。社区想装八盏太阳能路灯，不向大家收钱。也有人担心灯光照进窗户。",
    voices=(
        VoiceView("op_early", "我早上五点去买菜，那段路黑得看不见脚下，盼着早点装上灯。"),
        VoiceView(
            "op_window", "我家窗户正对着巷口，灯罩要朝下，半夜要能调暗一些。", recording_id="rec_window"
        ),
    ),
    updates=("路灯的价钱问过三家了，下周贴出来给大家看。",),
    tells_voters=True,
)
CANTEEN = TopicView(
    "canteen",
    "老年食堂开在哪里",
    "社区要办老年食堂，午饭一荤两素十二元。有三个地方可以选，请您选一个走着方便的地方。",
    options=(("station", "老粮站"), ("room", "活动室一楼"), ("gate", "北门空店面")),
    tells_voters=True,
)
BENCHES = TopicView(
    "benches",
    "楼下要不要添长椅",
    "已经问过大家了。",
    is_open=False,
    decision="添六张带靠背的长椅，月底装好。",
)
PRIVATE = OwnView(
    "op_stairs", "20481737", "answered", None, "三楼的扶手明天来修。", is_new=True, is_private=True
)
ANSWERED = OwnView("op_ramp", "20481745", "answered", "老年食堂开在哪里", "坡道这个月先修好。")
WAITING = OwnView("op_lamp", "20481753", "assigned", "东巷口要不要装路灯")
EVENING = BroadcastView(
    "pg_evening",
    "路灯定下来了",
    (
        BroadcastItemView(("东巷口的八盏路灯，下个月三号开始装。", "装的两天里，巷口晚上不走车。")),
        BroadcastItemView(("一位邻居这样说。",), VoiceView("op_early", "我早上五点去买菜，盼着早点装上灯。")),
    ),
)
MORNING = BroadcastView("pg_morning", "老年食堂选地方", (BroadcastItemView(("老年食堂有三个地方可以选。",)),))


def sample_view() -> CommunityView:
    """A community with something of everything."""
    return CommunityView(
        "青溪社区",
        topics=(LAMPS, CANTEEN, BENCHES),
        own=(WAITING, ANSWERED, PRIVATE),
        person_number="+8657100000000",
        seats=3,
        may_link=True,
        broadcasts=(EVENING, MORNING),
    )


def reply_view() -> CommunityView:
    """A call we place because there is a reply: first a private one, then one that anybody may hear."""
    own = (PRIVATE, replace(ANSWERED, is_new=True))
    return replace(sample_view(), own=own, placed_for=REPLY_CALL)


def danger_view(receipts: int = 3) -> CommunityView:
    """A call to the duty phone: so many dangers with a receipt, or one without."""
    kinds = ("燃气", "摔倒", "自伤")
    told = tuple(AlertView(f"op_{n}", kinds[n], f"2048173{n}") for n in range(receipts))
    return replace(sample_view(), placed_for=DANGER_CALL, alerts=told or (AlertView("op_0", "火情"),))


def corner_views() -> dict[str, CommunityView]:
    """Views by name in which some part of the call is missing, new, cut off or as long as it may be."""
    rich = sample_view()
    long = replace(
        LAMPS,
        title="字" * 20,
        background="字" * 120,
        options=tuple((f"choice_{number}", "字" * 12) for number in range(4)),
        voices=tuple(VoiceView(f"op_{number}", "字" * 200) for number in range(3)),
        updates=("字" * 60,) * 3,
    )
    longest = tuple(replace(long, topic_id=f"long_{number}") for number in range(9))
    endless = BroadcastView("pg_long", "字" * 20, (BroadcastItemView(("字" * 300,) * 3),) * 9)
    return {
        "rich": rich,
        "bare": CommunityView("青溪社区"),
        "first call": replace(rich, own=(), is_first_call=True),
        "nobody to dial": replace(rich, person_number=""),
        "nothing open": replace(rich, topics=(BENCHES,), own=()),
        "dropped while choosing": replace(rich, resume_step="topic.lamps.ballot"),
        "dropped while speaking": replace(rich, resume_step="other.record", own=()),
        "one seat": replace(rich, seats=1),
        "many seats": replace(rich, seats=9),
        "no app": replace(rich, may_link=False),
        "may be called": replace(rich, asks_to_call=True),
        "called back": replace(rich, placed_for=CALLED_BACK),
        "called for a reply": reply_view(),
        "called for a reply to anybody": replace(reply_view(), own=(ANSWERED,), person_number=""),
        "called about dangers": danger_view(),
        "called about a danger without a receipt": danger_view(0),
        "nothing broadcast": replace(rich, broadcasts=()),
        "one broadcast": replace(rich, broadcasts=(EVENING,), own=()),
        "a voice taken back": replace(rich, broadcasts=(_silenced(EVENING), replace(MORNING, items=()))),
        "everything as long as it may be": replace(
            rich, name="长寿花园东里社区", topics=longest, is_slow=True, broadcasts=(endless,) * 4
        ),
    }


def _silenced(broadcast: BroadcastView) -> BroadcastView:
    """The broadcast without the words of those who spoke in it."""
    items = (
        item if item.voice is None else replace(item, voice=VoiceView(item.voice.opinion_id, ""))
        for item in broadcast.items
    )
    return replace(broadcast, items=tuple(items))


def sample_flows() -> dict[str, Flow]:
    """Every kind of flow there is, by name: what the linter has to pass."""
    return {name: flow_of(view) for name, view in corner_views().items()}
