import subprocess
import sys
from pathlib import Path

import pytest

from ivr.prompts.book import PromptError
from ivr.prompts.clips import ClipStore


def test_a_clip_is_found_under_what_is_said_and_how(tmp_path: Path) -> None:
    clips = ClipStore(tmp_path / "clips", b"secret")
    name = clips.name("您好", "zf_xiaoxiao")
    assert not clips.has(name)
    clips.write(name, b"phone", b"full", "您好")
    assert clips.has(name)
    assert clips.path(name).read_bytes() == b"phone"
    assert clips.path(name, is_full_band=True).read_bytes() == b"full"
    assert clips.caption(name) == "您好"
    assert clips.names() == {name}
    clips.delete(name)
    clips.delete(name)
    assert not list(clips.folder.iterdir())


def test_every_difference_that_can_be_heard_gives_another_name(tmp_path: Path) -> None:
    clips = ClipStore(tmp_path, b"secret")
    names = {
        clips.name("您好", "a"),
        clips.name("您好", "b"),
        clips.name("您好", "a", is_slow=True),
        clips.name("您好。", "a"),
        ClipStore(tmp_path, b"secret", engine="espeak").name("您好", "a"),
        ClipStore(tmp_path, b"other secret").name("您好", "a"),
        clips.recorded_name("您好", "co_1"),
        clips.recorded_name("您好", "co_2"),
    }
    assert len(names) == 8
    assert clips.name("您好", "a") == ClipStore(tmp_path / "elsewhere", b"secret").name("您好", "a")


def test_a_persons_recording_comes_first_and_a_missing_slow_clip_is_said_at_normal_pace(
    tmp_path: Path,
) -> None:
    clips = ClipStore(tmp_path, b"secret")
    assert clips.find("您好", "a", True, "co_1") is None
    clips.write(clips.name("您好", "a"), b"w", b"w", "您好")
    assert clips.find("您好", "a", True, "co_1") == clips.name("您好", "a")
    clips.write(clips.name("您好", "a", True), b"w", b"w", "您好")
    assert clips.find("您好", "a", True, "co_1") == clips.name("您好", "a", True)
    clips.write(clips.recorded_name("您好", "co_1"), b"w", b"w", "您好")
    assert clips.find("您好", "a", True, "co_1") == clips.recorded_name("您好", "co_1")
    assert clips.find("您好", "a", True, "co_2") == clips.name("您好", "a", True)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "", "a" * 39, "A" * 40, "a" * 40 + "/x", "a" * 40 + "\n"]
)
def test_only_our_own_names_lead_to_files(tmp_path: Path, name: str) -> None:
    clips = ClipStore(tmp_path, b"secret")
    assert not clips.has(name)
    with pytest.raises(PromptError):
        clips.path(name)


def test_a_full_disk_leaves_no_half_clip(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path; from ivr.prompts.clips import ClipStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "clips = ClipStore(Path(sys.argv[1]), b's')\n"
        "try: clips.write('a' * 40, b'x' * 9000, b'x', 'words')\n"
        "except OSError: sys.exit(7)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == 7
    assert not ClipStore(tmp_path, b"s").has("a" * 40)
    assert not list(tmp_path.glob(".*"))


def test_writing_again_replaces_the_clip_whole(tmp_path: Path) -> None:
    clips = ClipStore(tmp_path, b"secret")
    name = clips.name("您好", "a")
    clips.write(name, b"one", b"one", "您好")
    clips.write(name, b"two", b"two", "您好啊")
    assert clips.path(name).read_bytes() == b"two"
    assert clips.caption(name) == "您好啊"
    assert len(list(tmp_path.iterdir())) == 3
