"""`tingjian speech`: which engines there are, whether one works, how well it does."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from admin.cli import main
from speech.audio import write_wav
from speech.channel import CONDITIONS
from speech.errors import SpeechError
from speech.inventory import FACTS, engines
from speech.measure import Clip, Heard, average, averages, read_manifest, sample
from speech.models import models_folder
from speech.recognize import ENGINES as RECOGNIZERS
from speech.synthesize import ENGINES as SYNTHESIZERS
from speech.synthesize import load_synthesizer
from tests.speech.tiny_networks import sense_voice

SAID = ("路", "灯", "坏", "了", "。")


def typed(tmp_path: Path, *words: str, **variables: str) -> Result:
    environment = {"TINGJIAN_HOME": str(tmp_path / "home"), **variables}
    return CliRunner().invoke(main, ["speech", *words], env=environment)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network for sherpa-onnx that hears 路灯坏了 in every voice."""
    return sense_voice(tmp_path_factory.mktemp("models") / "sherpa" / "tiny", SAID)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of two speakers and one that is broken; all sound the same."""
    folder = tmp_path_factory.mktemp("recordings")
    voice = load_synthesizer("espeak").say("The lamp is broken.", "en")
    for name in "abcd":
        (folder / f"{name}.wav").write_bytes(write_wav(voice))
    (folder / "broken.wav").write_bytes(b"RIFF")
    rows = [
        "file\ttranscript\tsource\tspeaker\tstyle",
        "a.wav\t路灯坏了\tx\tWang\tread; at home",
        "b.wav\t路灯修好\tx\tWang\tread",
        "c.wav\t路燈壞了！\tx\tLi\tspontaneous",
        "d.wav\t今天下雨\tx\tZhao\tspontaneous; market",
        "broken.wav\t路灯\tx\tZhao\tspontaneous",
    ]
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def test_engines_are_listed_with_all_that_is_known_of_them(tmp_path: Path, model: Path) -> None:
    assert set(FACTS) == {*RECOGNIZERS, *SYNTHESIZERS}
    told = json.loads(typed(tmp_path, "engines", "--json", "--models", str(model.parents[1])).output)
    by_name = {one["name"]: one for one in told}
    assert list(by_name) == [*RECOGNIZERS, *SYNTHESIZERS]
    assert by_name["faster-whisper"]["problem"] == "whisper-base/model.bin is missing"
    assert by_name["faster-whisper"]["is_default"]
    assert not by_name["vosk"]["is_default"]
    assert by_name["sherpa-onnx"]["problem"] is None
    assert by_name["sherpa-onnx"]["languages"] == ["en", "ja", "ko", "yue", "zh"]
    assert not by_name["sherpa-onnx"]["is_exercised"]
    assert by_name["espeak"]["licence"].startswith("GPL-3")
    assert all(one["version"] for one in told)


def test_the_list_says_what_is_used_and_what_was_never_tried(tmp_path: Path) -> None:
    rows = typed(
        tmp_path, "engines", TINGJIAN_RECOGNIZER="vosk:/srv/cn", TINGJIAN_MODELS=str(tmp_path)
    ).output
    line = {name: next(row for row in rows.splitlines() if f" {name} " in row) for name in FACTS}
    assert "* vosk" in line["vosk"]
    assert "* faster-whisper" not in line["faster-whisper"]
    assert "there is no vosk model" in line["vosk"]
    assert "没有用真模型试过" in rows.splitlines()[rows.splitlines().index(line["sherpa-onnx"]) + 1]


def test_a_package_that_is_not_installed_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from speech import inventory

    without = {**FACTS, "sherpa-onnx": inventory.Facts("no-such-package", "–", None)}
    monkeypatch.setattr(inventory, "FACTS", without)
    found = next(one for one in engines(tmp_path) if one.name == "sherpa-onnx")
    assert (found.version, found.problem) == (None, "the package no-such-package is not installed")


def test_a_recognizer_that_hears_other_words_does_not_pass(tmp_path: Path, model: Path) -> None:
    done = typed(tmp_path, "check", f"sherpa-onnx:{model}", TINGJIAN_SYNTHESIZER="espeak")
    assert done.exit_code == 1
    assert "听到：路灯坏了。" in done.output
    assert "没有通过" in done.output


@pytest.mark.parametrize(
    ("engine", "why"), [("parrot", "there are: faster-whisper"), ("vosk", "no vosk model")]
)
def test_an_engine_that_is_not_there_is_a_clear_error(tmp_path: Path, engine: str, why: str) -> None:
    done = typed(tmp_path, "check", engine, TINGJIAN_MODELS=str(tmp_path))
    assert done.exit_code == 1
    assert why in done.output
    assert "Traceback" not in done.output


@pytest.mark.slow
def test_a_voice_that_is_understood_passes(tmp_path: Path) -> None:
    done = typed(tmp_path, "check", "espeak", TINGJIAN_MODELS=str(models_folder()))
    assert done.exit_code == 0, done.output
    assert "lamp" in done.output
    assert "MB" in done.output


def test_a_folder_is_measured_fairly(tmp_path: Path, model: Path, recordings: Path) -> None:
    """Wang has half of one clip wrong, Li none, Zhao all: each counts once."""
    done = typed(tmp_path, "measure", str(recordings), "--engine", f"sherpa-onnx:{model}", "--format", "json")
    told = json.loads(done.stdout)
    mean = {row["style"]: row for row in told["averages"]}
    assert mean["all"]["wrong"] == pytest.approx((0.25 + 0 + 1) / 3)
    assert mean["read"]["wrong"] == pytest.approx(0.25)
    assert mean["spontaneous"]["wrong"] == pytest.approx(0.5)
    assert (mean["all"]["clips"], mean["all"]["speakers"]) == (4, 3)
    assert 0 < mean["all"]["cost"] < 5
    assert "broken.wav: this is no sound" in done.stderr
    assert {row["condition"] for row in told["clips"]} == {"phone"}


def test_every_condition_and_a_sample_as_csv_and_as_a_table(
    tmp_path: Path, model: Path, recordings: Path
) -> None:
    words = ("measure", str(recordings), "--engine", f"sherpa-onnx:{model}", "--limit", "2")
    done = typed(tmp_path, *words, "--condition", "all", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["condition"], row["file"]) for row in rows] == [
        (condition, name) for condition in CONDITIONS for name in ("a.wav", "c.wav")
    ]
    assert {row["heard"] for row in rows} == {"路灯坏了。"}
    table = typed(tmp_path, *words).stdout.splitlines()
    assert table[0].split() == [
        "condition",
        "style",
        "clips",
        "speakers",
        "seconds",
        "CER",
        "%",
        "CPU",
        "s/s",
    ]
    assert table[-1].split()[:4] == ["phone", "all", "2", "2"]


def test_a_folder_without_a_list_is_a_clear_error(tmp_path: Path, model: Path) -> None:
    (tmp_path / "manifest.tsv").write_text("name\tsaid\na\tb\n")
    done = typed(tmp_path, "measure", str(tmp_path), "--engine", f"sherpa-onnx:{model}")
    assert done.exit_code == 1
    assert "needs rows with file and transcript" in done.output
    with pytest.raises(SpeechError, match="can't be read"):
        read_manifest(tmp_path / "nowhere")


def test_a_sample_takes_everybody_before_anybody_twice() -> None:
    clips = [Clip(Path(f"{n}.wav"), "", speaker, "") for n, speaker in enumerate("aaabbc")]
    assert [clip.speaker for clip in sample(clips, 4)] == ["a", "b", "c", "a"]
    assert len(sample(clips, 99)) == 6


def test_averages_keep_conditions_apart_and_put_the_whole_last() -> None:
    def heard(speaker: str, style: str, condition: str, wrong: float) -> Heard:
        return Heard(Clip(Path("x"), "", speaker, style), condition, "", 0.5, wrong, 2.0, 1.0)

    found = [
        heard("a", "read", "clean", 0.0),
        heard("b", "free", "clean", 1.0),
        heard("c", "free", "clean", 0.5),
    ]
    found.append(heard("a", "read", "phone", 0.5))
    rows = [(condition, style, round(mean.wrong, 2)) for condition, style, mean in averages(found)]
    assert rows == [
        ("clean", "free", 0.75),
        ("clean", "read", 0.0),
        ("clean", "all", 0.5),
        ("phone", "read", 0.5),
        ("phone", "all", 0.5),
    ]
    assert average(found).cost == pytest.approx(0.5)
    assert not math.isnan(average(found[:1]).wrong)
