"""The linter passes every flow there is, and catches each broken rule."""

from dataclasses import dataclass, replace

import pytest

from ivr.dialogue.keeps import AGREE, KeepBallot, KeepConsent
from ivr.dialogue.linter import RULES, check
from ivr.dialogue.sample import sample_flows
from ivr.dialogue.steps import (
    Choose,
    Dial,
    End,
    Fact,
    Flow,
    Listen,
    Lookup,
    Menu,
    Prompt,
    Record,
    Say,
    Step,
    prompt,
)
from ivr.dialogue.turns import Digits, Text
from ivr.dialogue.wording import mentions, seconds
from ivr.prompts.book import LANGUAGES, Book

FLOWS = sample_flows()
SENTENCES = {
    "hello": "您好。",
    "menu": "听一听，请按1。说一说，请按2。",
    "topic": "要跳过请按井号。",
    "ballot": "同意，请按1。不同意，请按2。",
    "speak.notice": "不想录音，请按2。准备好了，请按1。",
    "speak.emergency": "有危险请挂断，拨110、119或120。",
    "bye": "再见。",
    "ringing": "请等一等。",
    "again": "没听见，再来一次。",
    "menu.no_hurry": "不着急。",
    "menu.wrong_key": "不要紧。",
    "menu.go_on": "接着来。",
    "number.too_short": "少了几位。",
}


@dataclass(frozen=True)
class Sheet:
    """A prompt book small enough to read."""

    sentences: dict[str, str]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self.sentences)

    def sentence(self, prompt_id: str) -> str:
        return self.sentences[prompt_id]


BEEP = Record("speak.emergency", key="x", then="finish", nothing="again", notice_version="1")
SMALL: dict[str, Step] = {
    "hello": Say("hello", then="main"),
    "main": Menu("menu", keys={"1": "topic", "2": "notice"}, next="topic", patience=0),
    "topic": Listen("topic", then="ballot"),
    "ballot": Menu(
        "ballot",
        keys={"1": "finish", "2": "finish"},
        keep={"1": KeepBallot("t", AGREE), "2": KeepBallot("t", "disagree")},
        next="notice",
    ),
    "notice": Menu(
        "speak.notice",
        keys={"1": "beep", "2": "finish"},
        keep={"2": KeepConsent("refused", "1")},
        next="beep",
        patience=0,
    ),
    "beep": BEEP,
    "again": Listen("again", then="beep"),
    "finish": Menu("menu", keys={"1": "topic", "2": "notice"}, next="bye"),
    "person": Dial("110", answered="main", unanswered="notice", says="ringing"),
    "bye": End("bye"),
}


def small(**changed: Step) -> Flow:
    return Flow("small", "hello", {**SMALL, **changed}, home="main", person="person")


def faults(flow: Flow, **sentences: str) -> set[str]:
    return {fault.rule for fault in check(flow, Sheet({**SENTENCES, **sentences}))}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_there_is_keeps_every_rule(name: str, language: str) -> None:
    assert check(FLOWS[name], Book.load(language)) == []


def test_the_small_flow_that_the_broken_ones_are_made_from_is_sound() -> None:
    assert faults(small()) == set()


def test_five_choices_are_too_many() -> None:
    keys = dict.fromkeys("12345", "topic")
    five = "甲，按1。乙，按2。丙，按3。丁，按4。戊，按5。"
    flow = small(main=Menu("menu", keys={**keys, "2": "notice"}, next="topic", patience=0))
    assert faults(flow, menu=five) >= {"at most four choices"}


@pytest.mark.parametrize(
    "sentence", ["请按1，听一听。说一说，请按2。", "按1听一听。说一说，请按2。", "说一说，请按2。"]
)
def test_the_key_must_not_come_before_its_choice_nor_stay_unsaid(sentence: str) -> None:
    assert "the choice before its key" in faults(small(), menu=sentence)


def test_the_same_in_english() -> None:
    broken = "Press 1 to listen. To speak, press 2."
    assert "the choice before its key" in faults(small(), menu=broken)
    assert "the choice before its key" not in faults(small(), menu="To listen, press 1. To speak, press 2.")


def test_a_key_that_is_spoken_must_do_something() -> None:
    assert faults(small(), ballot="同意，请按1。不同意，请按2。说不好，请按3。") == {
        "keys that are spoken work"
    }
    assert faults(small(), hello="您好，要退订请按7。") == {"keys that are spoken work"}


def test_four_menus_deep_is_too_deep() -> None:
    deep: dict[str, Step] = {
        f"level{level}": Menu("menu", keys={"1": f"level{level + 1}", "2": "notice"}, next=f"level{level}")
        for level in range(2, 4)
    }
    deep["level4"] = Menu("menu", keys={"1": "topic", "2": "notice"}, next="bye")
    flow = small(main=Menu("menu", keys={"1": "level2", "2": "notice"}, next="topic", patience=0), **deep)
    assert "at most three menus deep" in faults(flow)


def test_ten_seconds_of_speech_are_the_most_before_one_can_do_something() -> None:
    assert faults(small(), hello="您好，" + "欢迎" * 15) == {"ten seconds before the first thing to do"}
    assert faults(small(), topic="背景" * 16) == {"ten seconds before the first thing to do"}


@pytest.mark.parametrize("key", ["*", "#", "9", "0", "12"])
def test_the_four_commands_cannot_be_choices(key: str) -> None:
    flow = small(finish=replace(SMALL["finish"], keys={"1": "topic", "2": "notice", key: "topic"}))  # type: ignore[arg-type]
    assert "* # 9 0 mean the same everywhere" in faults(flow)


def test_nought_must_not_hang_up() -> None:
    assert "* # 9 0 mean the same everywhere" in faults(replace(small(), person="bye"))


def test_nine_must_lead_back_to_a_menu() -> None:
    assert "* # 9 0 mean the same everywhere" in faults(replace(small(), home="topic"))


def test_silence_must_not_end_the_call_before_the_beep() -> None:
    flow = small(
        main=Menu("menu", keys={"1": "topic", "2": "notice"}, next="topic", silence="bye", patience=0)
    )
    assert "silence is never punished" in faults(flow)


def test_wrong_keys_must_not_end_the_call_either() -> None:
    flow = small(ballot=replace(SMALL["ballot"], next="bye"))  # type: ignore[arg-type]
    assert "silence is never punished" in faults(flow)


def test_nobody_is_hung_up_on_while_listening() -> None:
    flow = small(finish=Listen("topic", then="bye"))
    assert "silence is never punished" in faults(flow)


def test_a_menu_that_ends_in_silence_must_invite_to_speak() -> None:
    flow = small(finish=Menu("menu", keys={"1": "topic", "2": "topic"}, next="bye"))
    assert "silence is never punished" in faults(flow)


def test_nothing_heard_must_be_asked_once_more() -> None:
    assert "silence is never punished" in faults(small(beep=replace(BEEP, nothing="finish")))


def test_a_beep_needs_the_emergency_sentence() -> None:
    assert faults(small(beep=replace(BEEP, says="hello"))) == {"notice and emergency before the beep"}
    assert faults(small(), **{"speak.emergency": "有危险请拨110。"}) == {
        "notice and emergency before the beep"
    }


def test_a_beep_needs_the_notice_right_before_it() -> None:
    flow = small(main=Menu("menu", keys={"1": "topic", "2": "beep"}, next="topic", patience=0))
    assert faults(flow) == {"notice and emergency before the beep"}
    flow = small(notice=replace(SMALL["notice"], next="hint"), hint=Listen("again", then="beep"))  # type: ignore[arg-type]
    assert "notice and emergency before the beep" in faults(flow)


def test_the_notice_needs_a_key_to_refuse() -> None:
    flow = small(notice=replace(SMALL["notice"], keep={}))  # type: ignore[arg-type]
    assert faults(flow) == {"notice and emergency before the beep"}


def test_a_ballot_must_not_take_keys_while_its_background_is_read() -> None:
    read = small(topic=Say(prompt("background", text=Text("背景")), then="ballot"))
    assert faults(read, background="{text}") == {"a ballot takes keys from its options on"}
    inside = small(ballot=replace(SMALL["ballot"], says=("hello", "ballot")))  # type: ignore[arg-type]
    assert faults(inside) == {"a ballot takes keys from its options on"}


def test_numbers_are_said_twice_and_slowly() -> None:
    def said(sentence: str, is_slow: bool) -> set[str]:
        number = Prompt("number", {"digits": Digits("12345678")}, is_slow)
        return faults(small(hello=Say(number, then="main")), number=sentence)

    assert said("{digits}，{digits}。", True) == set()
    assert said("{digits}，{digits}。", False) == {"numbers twice and slowly"}
    assert said("{digits}。", True) == {"numbers twice and slowly"}


def test_a_step_no_caller_can_come_to_is_found() -> None:
    assert faults(small(attic=Say("hello", then="main"))) == {"every step can be reached"}


def test_a_way_that_leads_nowhere_is_found() -> None:
    assert faults(small(topic=Listen("topic", then="gone"))) == {"every way leads somewhere"}
    assert faults(replace(small(), home="gone")) == {"every way leads somewhere"}


def test_a_sentence_that_is_not_in_the_book_is_found() -> None:
    assert faults(small(topic=Listen("unwritten", then="ballot"))) == {"every sentence is in the book"}
    assert faults(small(), bye="再见，{name}。") == {"every sentence is in the book"}
    sheet = Sheet({name: words for name, words in SENTENCES.items() if name != "menu.no_hurry"})
    assert {fault.step for fault in check(small(), sheet)} == {"menu.no_hurry"}


def test_steps_that_chase_each_other_are_found() -> None:
    chase = small(
        hello=Say("hello", then="round"), round=Choose(Fact("x"), then={"y": "main"}, otherwise="hello")
    )
    assert faults(chase) == {"every path can end"}


def test_a_call_that_can_never_end_is_found() -> None:
    flow = small(
        finish=Menu("menu", keys={"1": "topic", "2": "notice"}, next="topic"), bye=Say("bye", then="main")
    )
    assert faults(flow) == {"every path can end"}


def test_a_question_nobody_listens_to_is_found() -> None:
    asks = Lookup("standing_ballot", {}, then={}, otherwise="ballot")
    assert faults(small(topic=Listen("topic", then="asks"), asks=asks)) == {"questions are answered"}


def test_every_rule_has_a_name_a_person_can_read() -> None:
    assert all(" " in name for name in RULES)


def test_a_fault_reads_as_a_sentence() -> None:
    (fault,) = check(small(topic=Listen("topic", then="gone")), Sheet(SENTENCES))
    assert str(fault) == "topic: on leads to gone, which is not there [every way leads somewhere]"


def test_keys_are_found_in_both_languages() -> None:
    assert [mention.key for mention in mentions("听事情按1，退回去按9；星号键不算，再听按星号。")] == [
        "1",
        "9",
        "*",
    ]
    assert [mention.key for mention in mentions("To go on, press hash. For a person press 0.")] == ["#", "0"]
    assert mentions("有危险请拨110。不按键也行。") == ()


@pytest.mark.parametrize("prompt_id", sorted(Book.load("zh").ids))
def test_a_sentence_names_the_same_keys_in_every_language(prompt_id: str) -> None:
    named = [sorted(each.key for each in mentions(Book.load(one).sentence(prompt_id))) for one in LANGUAGES]
    assert all(keys == named[0] for keys in named)


def test_speech_is_measured_at_three_characters_a_second() -> None:
    assert seconds("您好，这里是青溪社区。") == pytest.approx(9 / 3)
    assert seconds("To listen press 1") == pytest.approx(3 / 2.5 + 1 / 3)
