"""What nobody may hear any more leaves the store of clips: people's words at once, the rest after a day."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from ivr.prompts import render as rendering
from ivr.prompts.clips import ClipStore
from ivr.prompts.render import open_renderer, prune_job, render, render_job
from ivr.prompts.tidy import KEPT_SECONDS, tidy
from ivr.prompts.wanted import Importance
from speech.audio import Audio
from speech.synthesize import FEMALE
from sync.archive import Archive
from sync.erase import withdraw_opinion
from sync.queue import JOBS, RECORDS
from sync.records.tables import Community, Reply, Topic, Unsaid
from tests.conftest import found_community, fresh_archive
from tests.prompts.rich import enrich
from tests.prompts.tone_synthesizer import ToneSynthesizer


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same community's sentences, rendered once."""
    home = tmp_path_factory.mktemp("rendered")
    for archive in fresh_archive(home):
        enrich(archive, found_community(archive))
        store = ClipStore(home / "clips", b"secret")
        render(archive, store, ToneSynthesizer(), "cm_test", up_to=Importance.RECORDS)
    return home / "clips"


@pytest.fixture
def clips(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", b"secret")


@pytest.fixture
def rich(any_archive: Archive, any_community: Community, clips: ClipStore, rendered: Path) -> Archive:
    """A community whose neighbours' words and replies are rendered."""
    shutil.copytree(rendered, clips.folder)
    enrich(any_archive, any_community)
    open_renderer(any_archive, clips, ToneSynthesizer)
    render(any_archive, clips, ToneSynthesizer(), "cm_test", up_to=Importance.RECORDS)
    return any_archive


def files_with(folder: Path, words: str) -> list[str]:
    """The files in which these words can be read."""
    return sorted(path.name for path in folder.iterdir() if words.encode() in path.read_bytes())


def test_only_what_residents_said_and_were_answered_is_personal(rich: Archive, clips: ClipStore) -> None:
    for words in ("丙的话", "我一的答复。", "我二的答复。"):
        assert clips.is_personal(clips.name(words, FEMALE))
    for words in ("电梯", "电梯的背景，大家都来说说。", "电梯的图纸画好了。", "谢谢您打来，再见。"):
        assert clips.has(clips.name(words, FEMALE))
        assert not clips.is_personal(clips.name(words, FEMALE))


def test_words_taken_back_and_replies_to_them_are_pruned_at_once(rich: Archive, clips: ClipStore) -> None:
    for name in ("丙", "我一"):
        withdraw_opinion(rich, f"op_{name}", "staff")
    assert prune_job() == 6  # three texts at both paces
    for words in ("丙的话", "我一的话", "我一的答复"):
        assert files_with(clips.folder, words) == []
        assert not clips.has(clips.name(words, FEMALE))
    assert clips.has(clips.name("乙的话", FEMALE))
    with rich.database.read() as session:
        assert all(session.scalars(select(Unsaid.pruned_at)))
    assert prune_job() == 0


def test_pruning_does_not_wait_behind_hours_of_rendering() -> None:
    assert JOBS["prune"].queue == RECORDS


def test_a_prune_that_was_killed_is_still_to_be_done(
    rich: Archive, clips: ClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw_opinion(rich, "op_丙", "staff")
    with monkeypatch.context() as patch:
        patch.setattr(ClipStore, "delete", _killed)
        with pytest.raises(KeyboardInterrupt):
            prune_job()
    with rich.database.read() as session:
        assert session.scalars(select(Unsaid.pruned_at)).all() == [None]
    assert prune_job() == 2
    assert files_with(clips.folder, "丙的话") == []


def _killed(_: ClipStore, name: str) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("left", ["{}.json", "{}.full.wav", ".{}.json.0a1b2c3d"])
def test_what_a_crash_left_half_written_goes_too(
    archive: Archive, community: Community, clips: ClipStore, left: str
) -> None:
    clips.folder.mkdir(parents=True)
    name = clips.name("不再有人说的话", FEMALE)
    (clips.folder / left.format(name)).write_text('{"text": "不再有人说的话"')
    (clips.folder / "not ours.txt").write_text("stays")
    assert not clips.has(name)
    assert tidy(archive, clips) == 1
    assert [path.name for path in clips.folder.iterdir()] == ["not ours.txt"]


def test_a_sentence_stays_for_a_day_after_it_was_last_wanted(rich: Archive, clips: ClipStore) -> None:
    words = "电梯的背景，大家都来说说。"
    now = time.time()
    month_later = now + 30 * KEPT_SECONDS
    assert tidy(rich, clips, month_later) == 0  # wanted all the time
    with rich.database.begin() as session:
        session.get_one(Topic, "tp_电梯").spoken_background = "电梯的背景变了。"
    assert tidy(rich, clips, month_later + KEPT_SECONDS / 2) == 0
    assert clips.has(clips.name(words, FEMALE))
    assert tidy(rich, clips, month_later + KEPT_SECONDS + 1) == 2  # at both paces
    assert not clips.has(clips.name(words, FEMALE))


def test_a_reply_that_is_replaced_is_not_kept_for_a_day(rich: Archive, clips: ClipStore) -> None:
    with rich.database.begin() as session:
        session.get_one(Reply, "rp_我一").spoken = "另一个答复。"
    render_job("cm_test")
    assert files_with(clips.folder, "我一的答复") == []
    assert clips.has(clips.name("另一个答复。", FEMALE))


class Slow(ToneSynthesizer):
    """Hums, and waits in the middle of one sentence until it is told to go on."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at, self.is_there, self.may_go_on = at, threading.Event(), threading.Event()

    def say(self, text: str, language: str = "zh", voice: str = FEMALE) -> Audio:
        if self.at in text:
            self.is_there.set()
            assert self.may_go_on.wait(30)
        return super().say(text, language, voice)


def test_words_taken_back_while_they_are_rendered_are_not_kept(rich: Archive, clips: ClipStore) -> None:
    for path in clips.folder.iterdir():
        path.unlink()
    engine = Slow("丙的话")
    rendered = threading.Thread(
        target=render, args=(rich, clips, engine, "cm_test"), kwargs={"up_to": Importance.RECORDS}
    )
    rendered.start()
    assert engine.is_there.wait(60)
    withdraw_opinion(rich, "op_丙", "staff")
    prune_job()
    engine.may_go_on.set()
    rendered.join(60)
    assert files_with(clips.folder, "丙的话") == []
    assert clips.has(clips.name("乙的话", FEMALE))


def test_without_a_renderer_there_is_no_pruning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "_opened", None)
    with pytest.raises(RuntimeError):
        prune_job()
