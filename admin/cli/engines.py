"""Commands about the speech engines: which there are, whether one works, how well it does."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from admin.cli.measured import FORMATS
from admin.cli.terms import done, kindly, read_settings
from admin.parts import models_of
from speech import recognize, synthesize
from speech.channel import CONDITIONS
from speech.errors import SpeechError
from speech.measure import Clip, Heard, listen, read_manifest, sample
from speech.recognize import Recognizer, load_recognizer
from speech.synthesize import Synthesizer, load_synthesizer

KINDS = {"recognizer": "识别", "synthesizer": "合成"}

models_option = click.option(
    "--models",
    "given",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="模型目录 · the folder with the weights, or of one model",
)
as_json = click.option("--json", "is_json", is_flag=True, help="JSON 格式 · as JSON")


@click.group()
def speech() -> None:
    """语音引擎 · Speech engines."""


@speech.command("engines")
@models_option
@as_json
@kindly
def list_engines(given: Path | None, is_json: bool) -> None:
    """列出识别和合成引擎：版本、权重、语言、许可证、哪个是默认。

    List recognizers and synthesizers: version, weights, languages, licence, and which one is used (*).
    """
    from speech.inventory import engines

    settings = read_settings()
    used = {"recognizer": _engine_of(settings.recognizer), "synthesizer": settings.synthesizer}
    found = engines(given or models_of(settings))
    if is_json:
        rows = [
            {**dataclasses.asdict(one.facts), **_plain(one), "is_default": used[one.kind] == one.name}
            for one in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=sorted))
        return
    for one in found:
        mark = "*" if used[one.kind] == one.name else " "
        state = f"– {one.problem}" if one.problem else "可用 · ready"
        languages = ",".join(sorted(one.languages, reverse=True)) or "?"
        about = f"{one.version or '–':<9} {languages:<14} {one.facts.licence:<28} {state}"
        click.echo(f"{KINDS[one.kind]} {one.kind:<11} {mark} {one.name:<14} {about}")
        if not one.facts.is_exercised:
            click.echo(f"{'':<32}本项目没有用真模型试过 · not exercised here with a real model")


def _plain(one: object) -> dict[str, object]:
    told = dataclasses.asdict(one)  # type: ignore[call-overload]
    told.pop("facts")
    return dict(told)


@speech.command("check")
@click.argument("engine")
@models_option
@click.option("--language", default="", help="用哪种语言试 · which language to try, zh or en")
@kindly
def check(engine: str, given: Path | None, language: str) -> None:
    """让一个引擎真的说一句、听一句：说出的话经过电话线路再识别；不行时以 1 退出。

    Prove an ENGINE on sound: a sentence is spoken, carried by the telephone and recognised. Exits with 1
    where no words or mostly wrong ones come out.
    """
    from speech.proof import prove

    settings = read_settings()
    name = _engine_of(engine)
    if name not in {**recognize.ENGINES, **synthesize.ENGINES}:
        known = ", ".join([*recognize.ENGINES, *synthesize.ENGINES])
        raise click.ClickException(f"没有这个引擎 · there is no engine {engine}; there are: {known}")
    is_voice = name in synthesize.ENGINES
    weights = models_of(settings)
    found = prove(
        _recognizer(settings.recognizer if is_voice else engine, weights if is_voice else given or weights),
        _synthesizer(name if is_voice else settings.synthesizer, given or weights if is_voice else weights),
        language or ("en" if name == "espeak" else ""),  # its Mandarin is known not to be understood
    )
    done(f"说：{found.said}", f"said, {found.audio_seconds:.1f} s of telephone sound")
    done(f"听到：{found.heard or '（没有话）'}", "heard" if found.heard else "no words were heard")
    if found.wrong is not None:
        done(f"错字 {found.wrong:.0%}", "characters wrong")
    done(
        f"载入 {found.load_seconds:.1f} 秒，说 {found.say_seconds:.1f} 秒，听 {found.hear_seconds:.1f} 秒，"
        f"内存 {found.mebibytes} MB",
        "loading, saying, hearing, memory of both engines",
    )
    if not found.is_good:
        raise click.ClickException(f"{engine} 没有通过 · {engine} does not work here")
    done(f"{engine} 可用", f"{engine} works")


def _recognizer(name: str, models: Path) -> Callable[[], Recognizer]:
    return lambda: load_recognizer(name, models)


def _synthesizer(name: str, models: Path) -> Callable[[], Synthesizer]:
    return lambda: load_synthesizer(name, models)


def _engine_of(name: str) -> str:
    """The engine in `vosk:/path/to/a/model`."""
    return name.partition(":")[0]


@speech.command("measure")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--engine", help="默认用设置里的 · the configured one unless named")
@models_option
@click.option(
    "--condition",
    type=click.Choice([*CONDITIONS, "all"]),
    default="phone",
    show_default=True,
    help="原声、电话、嘈杂 · clean, over the telephone, in a noisy room over the telephone",
)
@click.option("--language", default="zh", show_default=True, help="语言 · language")
@click.option(
    "--limit", type=click.IntRange(1), help="最多几段，先每人一段 · so many clips, one a speaker first"
)
@click.option("--format", "kind", type=click.Choice([*FORMATS]), default="table")
@kindly
def measure(
    folder: Path,
    engine: str | None,
    given: Path | None,
    condition: str,
    language: str,
    limit: int | None,
    kind: str,
) -> None:
    """测一个目录里录音的字错率和开销。

    Measure the recordings of FOLDER: errors by character (each speaker weighs the same) and CPU seconds a
    second of sound. Its manifest.tsv has the columns file and transcript, and if you like speaker and style.
    Numbers may be written or spelled out, marks do not count, a clip costs at most 200 %.
    """
    settings = read_settings()
    clips = read_manifest(folder)
    clips = sample(clips, limit or len(clips))
    recognizer = load_recognizer(engine or settings.recognizer, given or models_of(settings))
    wanted = list(CONDITIONS) if condition == "all" else [condition]
    heard = _listen_to_all(recognizer, clips, wanted, language)
    if not heard:
        raise click.ClickException("没有一段能读 · none of the clips could be read")
    click.echo(FORMATS[kind](heard), nl=False)


def _listen_to_all(
    recognizer: Recognizer, clips: Sequence[Clip], wanted: Sequence[str], language: str
) -> list[Heard]:
    """What can be read is measured; what can't is named. The bar and the names go to standard error."""
    heard: list[Heard] = []
    work = [(clip, condition) for condition in wanted for clip in clips]
    unread: list[str] = []
    with click.progressbar(work, label="识别 · recognising", file=sys.stderr) as bar:
        for clip, condition in bar:
            try:
                heard.append(listen(recognizer, clip, condition, language))
            except SpeechError as error:
                unread.append(f"{clip.path.name}: {error}")
    for line in unread:
        click.echo(f"! {line}", err=True)
    return heard
