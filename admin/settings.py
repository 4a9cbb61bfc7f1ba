"""What is set from outside: every environment variable in one table, read once into one frozen value."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

from admin.line_choice import LineChoice, read_line
from admin.out_choice import OutChoice, read_out
from ivr.broadcast.broker_address import Broker
from sync.making_room import NICENESS
from sync.webhooks.addresses import Reach

_LONGEST_SOCKET_PATH = 100  # Linux allows 107 bytes for the path of a unix socket


class SettingsError(Exception):
    """A setting that cannot be understood; the message names it and says what it should be."""


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name, what holds when it is not set, and what it is for."""

    name: str
    default: str
    meaning: str
    is_secret: bool = False


# fmt: off
VARIABLES = (
    Variable("TINGJIAN_HOME", "./var", "Folder of records, recordings, prompts and keys. Back it up."),
    Variable("DATABASE_URL", "SQLite in TINGJIAN_HOME", "`postgresql://user:password@host/name`."),
    Variable("REDIS_URL", "embedded", "`redis://host:6379/0`; otherwise `tingjian run` starts its own."),
    Variable("TINGJIAN_MODELS", "a folder in the user's cache", "Folder of speech models kept elsewhere."),
    Variable("TINGJIAN_SHELF", "a folder in the user's cache", "The book's sentences, rendered once; `off`."),
    Variable("TINGJIAN_HOST", "127.0.0.1", "Address that web and exchange listen on."),
    Variable("TINGJIAN_PORT", "8000", "Port of web."),
    Variable("TINGJIAN_EXCHANGE_PORT", "8010", "Port of the telephone exchange."),
    Variable("PUBLIC_BASE_URL", "http://127.0.0.1:8000", "Address by which phone platforms reach web."),
    Variable("WEB_URL", "PUBLIC_BASE_URL", "Address by which the exchange reaches web."),
    Variable("EXCHANGE_URL", "http://127.0.0.1:8010", "Address by which workers reach the exchange."),
    Variable("PHONE_URL", "EXCHANGE_URL", "WebSocket by which browser phones reach the exchange."),
    Variable("TINGJIAN_LINES", "20", "Calls the exchange carries at once, on all its telephones."),
    Variable("TINGJIAN_LINES_OUT", "5", "Of these, calls we place at most; a quarter is left to callers."),
    Variable("TINGJIAN_SIP", "127.0.0.1:5070", "Address and UDP port of the telephone line; `off`: none."),
    Variable("TINGJIAN_SIP_TRUNKS", "", "Who may call: addresses, networks, names. Others get no answer."),
    Variable("TINGJIAN_SIP_SPEAKERS", "", "Loudspeakers it may call: addresses, networks; they never call."),
    Variable("TINGJIAN_SIP_RTP_PORTS", "16384-17383", "UDP ports of its sound; nothing else may use them."),
    Variable("TINGJIAN_SIP_JITTER", "fixed", "Jitter buffer: `fixed`, `adaptive`; `off` on a local trunk."),
    Variable("TINGJIAN_SIP_ACCOUNT", "", "`user@provider` it registers as; none: trunks know its address."),
    Variable("TINGJIAN_SIP_PASSWORD", "", "Password of that account.", is_secret=True),
    Variable("TINGJIAN_SIP_OUT", "", "Host by which the line rings a person; none: nobody is rung."),
    Variable("TINGJIAN_SIP_OUT_NUMBERS", "national", "Numbers as it wants them: `national` (0571…), `e164`."),
    Variable("TINGJIAN_SIP_RING_SECONDS", "0", "It rings so long before it is answered, for missed calls."),
    Variable("TINGJIAN_SIP_NUMBER", "", "Number taken as dialled where a call names none."),
    Variable("TINGJIAN_SIP_CALLS_A_MINUTE", "120", "New calls taken from one trunk address in a minute."),
    Variable("TWILIO_ACCOUNT_SID", "", "Account of the TwiML platform; none: only our own exchange calls."),
    Variable("TWILIO_AUTH_TOKEN", "", "Its secret, by which its requests are checked.", is_secret=True),
    Variable("TINGJIAN_OUT_LINE", "off", "Line that places calls: `exchange`, `twilio`; `off`: none does."),
    Variable("TINGJIAN_OUT_URL", "the line's own", "Address of its REST resource, where it is another."),
    Variable("TINGJIAN_OUT_NUMBER", "the community's", "Number that is shown to who is called."),
    Variable("TINGJIAN_OUT_CALLS_A_DAY", "500", "Calls placed in 24 hours, of all communities together."),
    Variable("TINGJIAN_MQTT", "", "The loudspeakers' broker: `mqtt://host:1883`, `mqtts://host`; none: off."),
    Variable("TINGJIAN_MQTT_SECRET", "", "Our password there; none: one that follows from our keys.", True),
    Variable("TINGJIAN_MQTT_CA", "", "File of the certificate that signed the broker's, where it is yours."),
    Variable("TINGJIAN_MULTICAST_INTERFACE", "", "Address of the network card that multicast leaves by."),
    Variable("TINGJIAN_SPEAKER_FOLDERS", "in the home", "Where the folders of devices that play files lie."),
    Variable("TINGJIAN_CERTIFIED_ADAPTER", "", "`package.module:Class` of a certified emergency system."),
    Variable("TINGJIAN_WEBHOOKS_TO", "", "Private networks webhooks may go to: `10.20.0.0/16, 10.0.0.7`."),
    Variable("TINGJIAN_SYNTHESIZER", "kokoro", "Voice engine of the prompts: `kokoro` or `espeak`."),
    Variable("TINGJIAN_RECOGNIZER", "faster-whisper", "Engine of words; `vosk:/folder`: with that model."),
    Variable("TINGJIAN_WEB_WORKERS", "2", "Processes of web, eight threads each."),
    Variable("TINGJIAN_WORKER_NICENESS", "10", "How far workers stand back from calls, 0 to 19 (as nice)."),
    Variable("TINGJIAN_WORKER_MEMORY", "4096", "MiB of data a worker may hold; more is an error of its own."),
    Variable("TINGJIAN_BACKUP_PASSPHRASE", "", "Seals the keys in a backup, as `--passphrase`.", True),
    Variable("TINGJIAN_PRACTICE_SPEED", "1", "How many times faster practice calls go: for demonstrations."),
    Variable("TINGJIAN_LOG_LEVEL", "INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`; logs hold ids only."),
)
# fmt: on


@dataclass(frozen=True)
class Settings:
    """All process settings. Addresses have no slash at the end; `redis_url` is never empty."""

    home: Path
    database_url: str
    redis_url: str
    models: Path | None
    shelf: Path | None
    host: str
    port: int
    exchange_port: int
    public_base: str
    web_url: str
    exchange_url: str
    phone_url: str
    twilio_sid: str
    twilio_token: str
    webhooks_to: str
    synthesizer: str
    recognizer: str
    web_workers: int
    worker_niceness: int
    worker_memory: int
    practice_speed: int
    log_level: str
    owns_redis: bool
    lines: int
    lines_out: int
    line: LineChoice | None
    out: OutChoice | None
    broker: str
    broker_secret: str
    broker_ca: str
    multicast_interface: str
    speaker_folders: str
    certified_adapter: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables of `VARIABLES`; SettingsError names the first that makes no sense."""
        given = os.environ if environment is None else environment

        def value(name: str, default: str = "") -> str:
            return given.get(name, "").strip() or default

        home = Path(value("TINGJIAN_HOME", "./var")).expanduser().resolve()
        port = _port("TINGJIAN_PORT", value("TINGJIAN_PORT", "8000"))
        exchange_port = _port("TINGJIAN_EXCHANGE_PORT", value("TINGJIAN_EXCHANGE_PORT", "8010"))
        public_base = _address("PUBLIC_BASE_URL", value("PUBLIC_BASE_URL", f"http://127.0.0.1:{port}"))
        near = f"http://127.0.0.1:{exchange_port}"
        exchange_url = _address("EXCHANGE_URL", value("EXCHANGE_URL", near))
        models = value("TINGJIAN_MODELS")
        return cls(
            home=home,
            database_url=_database(value("DATABASE_URL", f"sqlite:///{home / 'tingjian.db'}")),
            redis_url=value("REDIS_URL", f"unix://{redis_socket(home)}"),
            models=Path(models).expanduser().resolve() if models else None,
            shelf=_shelf(value("TINGJIAN_SHELF")),
            host=value("TINGJIAN_HOST", "127.0.0.1"),
            port=port,
            exchange_port=exchange_port,
            public_base=public_base,
            web_url=_address("WEB_URL", value("WEB_URL", public_base)),
            exchange_url=exchange_url,
            phone_url=value("PHONE_URL", _phone_url(exchange_url)),
            twilio_sid=value("TWILIO_ACCOUNT_SID"),
            twilio_token=value("TWILIO_AUTH_TOKEN"),
            webhooks_to=_networks("TINGJIAN_WEBHOOKS_TO", value("TINGJIAN_WEBHOOKS_TO")),
            synthesizer=value("TINGJIAN_SYNTHESIZER", "kokoro"),
            recognizer=value("TINGJIAN_RECOGNIZER", "faster-whisper"),
            web_workers=_count("TINGJIAN_WEB_WORKERS", value("TINGJIAN_WEB_WORKERS", "2")),
            worker_niceness=_niceness(value("TINGJIAN_WORKER_NICENESS", str(NICENESS))),
            worker_memory=_count("TINGJIAN_WORKER_MEMORY", value("TINGJIAN_WORKER_MEMORY", "4096")),
            practice_speed=_count("TINGJIAN_PRACTICE_SPEED", value("TINGJIAN_PRACTICE_SPEED", "1")),
            log_level=value("TINGJIAN_LOG_LEVEL", "INFO").upper(),
            owns_redis=not value("REDIS_URL"),
            lines=_count("TINGJIAN_LINES", value("TINGJIAN_LINES", "20")),
            lines_out=_count("TINGJIAN_LINES_OUT", value("TINGJIAN_LINES_OUT", "5")),
            line=_line(given),
            out=_out(given),
            broker=_broker(value("TINGJIAN_MQTT")),
            broker_secret=value("TINGJIAN_MQTT_SECRET"),
            broker_ca=value("TINGJIAN_MQTT_CA"),
            multicast_interface=_card(value("TINGJIAN_MULTICAST_INTERFACE")),
            speaker_folders=value("TINGJIAN_SPEAKER_FOLDERS"),
            certified_adapter=value("TINGJIAN_CERTIFIED_ADAPTER"),
        )

    def to_environment(self) -> dict[str, str]:
        """The variables that make another process read these same settings."""
        told = {
            "TINGJIAN_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "TINGJIAN_SHELF": str(self.shelf or "off"),
            "TINGJIAN_HOST": self.host,
            "TINGJIAN_PORT": str(self.port),
            "TINGJIAN_EXCHANGE_PORT": str(self.exchange_port),
            "PUBLIC_BASE_URL": self.public_base,
            "WEB_URL": self.web_url,
            "EXCHANGE_URL": self.exchange_url,
            "PHONE_URL": self.phone_url,
            "TWILIO_ACCOUNT_SID": self.twilio_sid,
            "TWILIO_AUTH_TOKEN": self.twilio_token,
            "TINGJIAN_WEBHOOKS_TO": self.webhooks_to,
            "TINGJIAN_SYNTHESIZER": self.synthesizer,
            "TINGJIAN_RECOGNIZER": self.recognizer,
            "TINGJIAN_WEB_WORKERS": str(self.web_workers),
            "TINGJIAN_WORKER_NICENESS": str(self.worker_niceness),
            "TINGJIAN_WORKER_MEMORY": str(self.worker_memory),
            "TINGJIAN_PRACTICE_SPEED": str(self.practice_speed),
            "TINGJIAN_LOG_LEVEL": self.log_level,
            "TINGJIAN_LINES": str(self.lines),
            "TINGJIAN_LINES_OUT": str(self.lines_out),
            "TINGJIAN_SIP": f"{self.line.host}:{self.line.port}" if self.line else "off",
            **(self.out.to_environment() if self.out else {}),
            "TINGJIAN_MQTT": self.broker,
            "TINGJIAN_MQTT_SECRET": self.broker_secret,
            "TINGJIAN_MQTT_CA": self.broker_ca,
            "TINGJIAN_MULTICAST_INTERFACE": self.multicast_interface,
            "TINGJIAN_SPEAKER_FOLDERS": self.speaker_folders,
            "TINGJIAN_CERTIFIED_ADAPTER": self.certified_adapter,
            "REDIS_URL": "" if self.owns_redis else self.redis_url,
        }
        return told | ({"TINGJIAN_MODELS": str(self.models)} if self.models else {})

    @property
    def for_loudspeakers(self) -> Mapping[str, str]:
        """What the adapters of loudspeakers are told, as `ivr.broadcast.loudspeakers.Wiring.settings`."""
        return {
            "broker": self.broker,
            "broker_secret": self.broker_secret,
            "broker_ca": self.broker_ca,
            "multicast_interface": self.multicast_interface,
            "files_folder": self.speaker_folders,
            "certified_adapter": self.certified_adapter,
        }

    @property
    def clips_folder(self) -> Path:
        """Where rendered prompts lie."""
        return self.home / "clips"


def _phone_url(exchange_url: str) -> str:
    """Where the exchange takes calls from handsets: its WebSocket, without a ticket."""
    scheme, rest = exchange_url.split("://", 1)
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/phone/ws"


def redis_socket(home: Path) -> Path:
    """The socket of the embedded Redis: in `home`, or in a private folder where that path is too long."""
    usual = home / "redis.sock"
    if len(str(usual).encode()) <= _LONGEST_SOCKET_PATH:
        return usual
    name = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tingjian-{os.getuid()}-{name}" / "redis.sock"


def _line(given: Mapping[str, str]) -> LineChoice | None:
    defaults = {one.name: one.default for one in VARIABLES}
    try:
        return read_line(lambda name: given.get(name, "").strip() or defaults[name])
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _out(given: Mapping[str, str]) -> OutChoice | None:
    defaults = {"TINGJIAN_OUT_CALLS_A_DAY": "500"}
    try:
        return read_out(lambda name: given.get(name, "").strip() or defaults.get(name, ""))
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _card(text: str) -> str:
    try:
        return str(IPv4Address(text)) if text else ""
    except ValueError as error:
        message = f"TINGJIAN_MULTICAST_INTERFACE is {text!r}: it should be an address such as 192.168.8.2"
        raise SettingsError(message) from error


def _port(name: str, text: str) -> int:
    number = _count(name, text)
    if number > 65535:
        raise SettingsError(f"{name} is {text}: a port is at most 65535")
    return number


def _niceness(text: str) -> int:
    if text not in map(str, range(20)):
        raise SettingsError(f"TINGJIAN_WORKER_NICENESS is {text!r}: it should be a number from 0 to 19")
    return int(text)


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingsError(f"{name} is {text!r}: it should be a number from 1")
    return int(text)


def _networks(name: str, text: str) -> str:
    try:
        Reach.of(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}: it should look like 10.20.0.0/16, 192.168.1.5") from error
    return text


def _broker(text: str) -> str:
    if text:
        try:
            Broker.of(text)
        except ValueError as error:
            raise SettingsError(f"TINGJIAN_MQTT is set wrongly: {error}") from error
    return text


def _address(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f"{name} is {text!r}: it should look like https://calls.example.org")
    return text.rstrip("/")


def _shelf(text: str) -> Path | None:
    if text == "off":
        return None
    return Path(text).expanduser().resolve() if text else Path.home() / ".cache" / "tingjian" / "shelf"


def _database(text: str) -> str:
    """SQLAlchemy names its driver in the address; people do not."""
    for plain in ("postgres://", "postgresql://"):
        if text.startswith(plain):
            return "postgresql+psycopg://" + text.removeprefix(plain)
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError("DATABASE_URL should begin with sqlite:/// or postgresql://")
    return text
