"""`tingjian demo`: a whole call with a real voice, told to its end; the records hold what was said."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from admin.demo.story import SAYS
from speech.audio import write_wav
from speech.models import check, models_folder
from speech.synthesize import MALE, load_synthesizer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_story_is_told_to_its_end(tmp_path: Path) -> None:
    if problems := check(models_folder()):
        pytest.skip(f"no speech models: {problems[0]}")
    voice = tmp_path / "voice.wav"
    voice.write_bytes(write_wav(load_synthesizer("kokoro").say(SAYS, voice=MALE)))
    environment = {
        **os.environ,
        "TINGJIAN_HOME": str(tmp_path / "home"),
        "TINGJIAN_PORT": str(_free_port()),
        "TINGJIAN_EXCHANGE_PORT": str(_free_port()),
        "TINGJIAN_SIP": "off",
        "TINGJIAN_SYNTHESIZER": "espeak",  # prompts in seconds; only the caller has to be understood
        "TINGJIAN_PRACTICE_SPEED": "6",
    }
    told = subprocess.run(
        [sys.executable, "-m", "admin", "demo", "--speak", str(voice), "--keys", "1,1"],
        env=environment, capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    story = told.stdout
    assert "东巷口要不要装路灯：同意" in story
    transcript = next(line for line in story.splitlines() if "transcript" in line)
    assert "路灯" in transcript
    assert "看不见" in transcript
    assert story.index("您提的意见有回复了") < story.index("下个星期开始装", story.index("第二通电话"))
    assert "满意 · satisfied  是" in story
    assert story.rstrip().endswith("settled")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
