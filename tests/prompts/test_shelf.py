"""The shelf of rendered sentences: the book's own words once a machine, nobody else's ever."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from ivr.prompts.clips import ClipStore
from ivr.prompts.render import render
from ivr.prompts.shelf import Said, Shelf, book_texts
from ivr.prompts.wanted import Importance
from speech.audio import Audio
from speech.pacing import Pace
from speech.synthesize import FEMALE, MALE
from sync.archive import Archive
from sync.records.tables import Community
from tests.prompts.rich import enrich
from tests.prompts.tone_synthesizer import ToneSynthesizer

BOOKS = "espeak"
SENTENCE = sorted(book_texts("zh"))[0]
SAID = Said(SENTENCE, BOOKS, FEMALE, Pace.NORMAL, "zh")


class Voice:
    """Makes a sound, and counts how often."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Audio:
        self.made += 1
        return Audio(np.full(2400, 0.25, np.float32), 24_000)


class BooksVoice(ToneSynthesizer):
    """Hums under the name of a real engine."""

    def __init__(self) -> None:
        super().__init__()
        self.name = BOOKS


def test_a_sentence_of_the_book_is_made_once_and_sounds_the_same_again(tmp_path: Path) -> None:
    make = Voice()
    first, again = (Shelf(tmp_path / "shelf").sound(SAID, make) for _ in range(2))
    assert make.made == 1
    assert again.rate == first.rate
    assert np.abs(again.samples - first.samples).max() < 1e-3
    for other in (replace(SAID, voice=MALE), replace(SAID, pace=Pace.SLOW), replace(SAID, language="en")):
        Shelf(tmp_path / "shelf").sound(other, make)
    assert make.made == 4


def test_what_a_community_wrote_never_lies_there(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    enrich(archive, community)
    shelf = Shelf(tmp_path / "shelf")
    for home in ("one", "other"):
        clips, engine = ClipStore(tmp_path / home, home.encode(), shelf=shelf), BooksVoice()
        render(archive, clips, engine, "cm_test", up_to=Importance.PROMPTS)
        said = {text.strip("。，、？！：") for text in engine.said}
        assert any("电梯" in text for text in said), "its own topics are said in every home"
        if home == "other":
            assert not said & {text.strip("。，、？！：") for text in book_texts("zh")}
    assert 0 < len(list(shelf.folder.glob("*.wav"))) <= 2 * len(book_texts("zh"))
    assert shelf.folder.stat().st_mode & 0o077 == 0


def test_a_broken_sound_is_made_again_and_a_folder_that_cannot_be_is_passed_over(tmp_path: Path) -> None:
    make = Voice()
    Shelf(tmp_path / "shelf").sound(SAID, make)
    next((tmp_path / "shelf").glob("*.wav")).write_bytes(b"RIFF")
    assert Shelf(tmp_path / "shelf").sound(SAID, make).seconds == 0.1
    (tmp_path / "file").write_text("")
    assert Shelf(tmp_path / "file").sound(SAID, make).seconds == 0.1
    assert make.made == 3


def test_two_that_want_it_at_once_make_it_once(tmp_path: Path) -> None:
    make, begun, may_end = Voice(), threading.Event(), threading.Event()

    def slowly() -> Audio:
        begun.set()
        may_end.wait(10)
        return make()

    first = threading.Thread(target=Shelf(tmp_path).sound, args=(SAID, slowly))
    second = threading.Thread(target=Shelf(tmp_path).sound, args=(SAID, make))
    first.start()
    assert begun.wait(10)
    second.start()
    may_end.set()
    first.join(10)
    second.join(10)
    assert make.made == 1
