"""An independent telephone: Debian's baresip (baresip-core), driven over its control socket."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np

from tests.whole.town import free_port, until

BARESIP = shutil.which("baresip")
SIPP = shutil.which("sipp")
MODULES = ("/usr/lib/baresip/modules", "/usr/lib64/baresip/modules", "/usr/local/lib/baresip/modules")
RATE = 8000

CONFIG = """\
poll_method poll
sip_listen 127.0.0.1:{sip}
audio_player aubridge,ear{sip}
audio_source aufile,{says}
audio_alert aubridge,bell{sip}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {first}-{last}
rtp_timeout 60
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module ctrl_tcp.so
module_app account.so
module_app menu.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
"""


class DebianPhone:
    """One telephone. `says` is what its microphone hears from the moment a call is up (WAV, 8 kHz mono).

    `manner` is `manual`, or `auto`: it picks up by itself. It is called at `address`.
    """

    def __init__(
        self, folder: Path, says: Path, number: str, codec: str = "PCMA", manner: str = "manual"
    ) -> None:
        folder.mkdir(parents=True)
        self.folder, self.events = folder, list[str]()
        control, sip = free_port(), free_port()
        self.address = f"sip:{number}@127.0.0.1:{sip}"
        first = 12000 + sip % 2000 * 4
        modules = next(path for path in MODULES if Path(path).is_dir())
        told = {"sip": sip, "control": control, "first": first, "last": first + 3}
        config = CONFIG.format(says=says, modules=modules, folder=folder, **told)
        (folder / "config").write_text(config)
        account = f"<sip:{number}@127.0.0.1:{sip}>;regint=0;audio_codecs={codec};answermode={manner}\n"
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text("")
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [str(BARESIP), "-4", "-n", "127.0.0.1", "-f", str(folder)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        until(lambda: self._connect(control), 20, "baresip takes commands")
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()

    def dial(self, uri: str) -> None:
        """Call, and wait until somebody answers."""
        self.ring(uri)
        until(lambda: "CALL_ESTABLISHED" in self.events, 20, f"answered; {self.events}")

    def ring(self, uri: str) -> None:
        """Call, and wait for nothing."""
        self._tell("dial", uri)

    def press(self, digit: str) -> None:
        """One key."""
        self._tell("sndcode", digit)

    def hang_up(self) -> None:
        """Put the receiver down."""
        self._tell("hangup")
        until(lambda: "CALL_CLOSED" in self.events, 10, "closed")

    def heard(self) -> np.ndarray:
        """All that was heard so far: int16 samples at 8 kHz."""
        found = max(self.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime, default=None)
        if found is None:
            return np.zeros(0, np.int16)
        data = found.read_bytes()[44:]
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2")

    def kill(self) -> None:
        """It is gone without a word."""
        self._process.kill()

    def close(self) -> None:
        """End it."""
        try:
            self._tell("quit")
            self._process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(5)
        self._socket.close()
        self._log.close()

    def _connect(self, port: int) -> bool:
        assert self._process.poll() is None, (self.folder / "log").read_text("utf-8", "replace")[-1500:]
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), 1)
        except OSError:
            return False
        self._socket.settimeout(None)
        return True

    def _tell(self, command: str, params: str = "") -> None:
        told = json.dumps({"command": command, "params": params, "token": str(time.time())}).encode()
        self._socket.sendall(b"%d:%s," % (len(told), told))

    def _read(self) -> None:
        """Events come as netstrings."""
        waiting = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            waiting += data
            while b":" in waiting:
                length, _, rest = waiting.partition(b":")
                if len(rest) <= int(length):
                    break
                self.events.append(str(json.loads(rest[: int(length)]).get("type", "")))
                waiting = rest[int(length) + 1 :]


@contextmanager
def debian_phone(
    folder: Path, says: Path, number: str, codec: str = "PCMA", manner: str = "manual"
) -> Iterator[DebianPhone]:
    """A telephone, ended afterwards."""
    phone = DebianPhone(folder, says, number, codec, manner)
    try:
        yield phone
    finally:
        phone.close()
