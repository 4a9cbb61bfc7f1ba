"""What can be held to without a real Paraformer or SenseVoice: the library, on networks of their shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from speech.audio import Audio
from speech.engines import sherpa
from speech.engines.sherpa import PARAFORMER, SENSE_VOICE, SherpaRecognizer, find_model, joined
from speech.errors import SpeechError
from speech.recognize import load_recognizer
from tests.speech.tiny_networks import paraformer, sense_voice

SAID = ("▁wi", "fi", "路", "灯", "壞", "了", "，", "请", "修", "。")
SOUND = Audio(np.zeros(3 * 16_000, np.float32), 16_000)


@pytest.fixture
def all_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    """These networks know no silence: the sound is taken for speech from 0.5 to 3 s."""
    monkeypatch.setattr(sherpa, "speech_spans", lambda _: ((0.5, 3.0),))


@pytest.mark.usefixtures("all_is_speech")
def test_sense_voice_gives_words_with_times_and_its_own_marks(tmp_path: Path) -> None:
    heard = SherpaRecognizer(sense_voice(tmp_path, SAID)).transcribe(SOUND)
    assert heard.text == "wifi路灯坏了，请修。"
    assert [word.text for word in heard.words] == ["wifi", "路", "灯", "坏", "了，", "请", "修。"]
    assert heard.words[0].start_seconds == pytest.approx(0.62, abs=0.05)
    assert heard.words[1].start_seconds == heard.words[0].end_seconds
    assert all(0.5 <= word.start_seconds <= word.end_seconds <= 3.0 for word in heard.words)
    assert heard.engine.startswith("sherpa-onnx 2")
    assert heard.speech_seconds == 2.5


@pytest.mark.usefixtures("all_is_speech")
def test_a_paraformer_without_times_has_said_each_word_anywhere(tmp_path: Path) -> None:
    heard = SherpaRecognizer(paraformer(tmp_path, ["路", "灯", "he@@", "llo", "坏", "了"])).transcribe(SOUND)
    assert heard.text == "路灯hello坏了。"
    assert {(word.start_seconds, word.end_seconds) for word in heard.words} == {(0.5, 3.0)}


def test_a_stretch_of_a_few_frames_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sherpa, "speech_spans", lambda _: ((2.99, 3.0),))
    heard = SherpaRecognizer(sense_voice(tmp_path, SAID)).transcribe(SOUND)
    assert all(2.99 <= word.start_seconds <= word.end_seconds <= 3.0 for word in heard.words)


@pytest.mark.usefixtures("all_is_speech")
def test_sense_voice_is_loaded_again_for_another_language_only(tmp_path: Path) -> None:
    recognizer = SherpaRecognizer(sense_voice(tmp_path, SAID))
    first = recognizer._engine
    recognizer.transcribe(SOUND, "zh")
    assert recognizer._engine is first
    assert recognizer.transcribe(SOUND, "yue").language == "yue"
    assert recognizer._engine is not first


def test_what_a_network_says_of_itself_decides_not_its_folder(tmp_path: Path) -> None:
    heard = sense_voice(tmp_path / "sherpa" / "paraformer-zh", SAID)
    assert find_model(tmp_path).kind == find_model(heard).kind == SENSE_VOICE
    other = paraformer(tmp_path / "sense-voice", SAID)
    assert find_model(other).kind == PARAFORMER
    (other / "model.onnx").rename(other / "model.int8.onnx")
    assert load_recognizer(f"sherpa-onnx:{other}").languages == {"zh", "en"}


def lose_symbols(folder: Path) -> None:
    (folder / "tokens.txt").unlink()


def forget_a_symbol(folder: Path) -> None:
    rows = (folder / "tokens.txt").read_text("utf-8").splitlines()
    (folder / "tokens.txt").write_text("\n".join(rows[:-1]), "utf-8")


def spoil_symbols(folder: Path) -> None:
    (folder / "tokens.txt").write_bytes(b"\xff\xfe\x00no list")


def cut_the_network(folder: Path) -> None:
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize("harm", [lose_symbols, forget_a_symbol, spoil_symbols, cut_the_network])
def test_a_model_that_is_not_whole_is_named_and_may_come_later(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(sense_voice(tmp_path, SAID))
    with pytest.raises(SpeechError, match=str(tmp_path)) as caught:
        load_recognizer("sherpa-onnx", tmp_path)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("make", "key"), [(sense_voice, "neg_mean"), (sense_voice, "with_itn"), (paraformer, "lfr_window_size")]
)
def test_a_network_over_which_the_library_would_end_the_process_is_refused_before(
    tmp_path: Path, make: Callable[..., Path], key: str
) -> None:
    make(tmp_path, SAID, without=key)
    with pytest.raises(SpeechError, match=key) as caught:
        SherpaRecognizer(tmp_path)
    assert not caught.value.permanent


def test_other_networks_among_the_models_are_left_alone(tmp_path: Path) -> None:
    """Kokoro's is a model.onnx, too."""
    paraformer(tmp_path / "kokoro", SAID)
    with pytest.raises(SpeechError, match="no model for sherpa-onnx") as caught:
        load_recognizer("sherpa-onnx", tmp_path)
    assert not caught.value.permanent


def test_pieces_are_joined_as_each_model_breaks_them() -> None:
    def texts(*tokens: str) -> list[str]:
        return [word.text for word in joined(tokens, [], [], 1.0)]

    assert texts("▁the", "▁play", "ing", "好", "，", "▁ok") == ["the", "playing", "好，", "ok"]
    assert texts("he@@", "llo", "world", "好") == ["hello", "world", "好"]
    assert texts("，", "好") == ["好"]
    assert texts() == []
