"""Nothing is synthesised while a caller waits: a whole call, without a clip ahead, touches no engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sync.archive import Archive
from tests.conftest import found_community
from tests.web.conftest import add_topics

ENGINES = ("speech.engines.kokoro", "speech.engines.espeak", "onnxruntime", "misaki", "espeakng_loader")
CALL = """
import json, sys
from pathlib import Path
from sync.archive import Archive
from tests.web.platform import Platform, open_app

started = []
sys.addaudithook(lambda event, _: started.append(event) if event in ("subprocess.Popen", "os.exec") else None)
archive = Archive.open(sys.argv[1], Path(sys.argv[2]))
call = Platform(open_app(archive).test_client()).begin()
heard = [call.raw]
for key in ("1", "1", "2", "1"):
    heard.append(call.press(key).raw)
heard.append(call.wait_until("Record").speak(12).raw)
heard += [call.press(key).raw for key in ("1", "1")]
call.end()
said = sum("<Say" in one for one in heard)
print(json.dumps({"said": said, "loaded": sorted(sys.modules), "started": started}))
"""


def test_a_whole_call_without_any_clip_loads_no_synthesizer(archive: Archive, tmp_path: Path) -> None:
    add_topics(archive, found_community(archive).id)
    ended = subprocess.run(
        [sys.executable, "-c", CALL, f"sqlite:///{tmp_path}/records.db", str(tmp_path)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["said"] >= 6  # every answer left its words to the platform's own voice
    assert not [name for name in told["loaded"] if name in ENGINES]
    assert told["started"] == []
