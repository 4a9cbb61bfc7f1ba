"""Commands about sound: the speech models and the prompts rendered ahead."""

from __future__ import annotations

import click
from rich.console import Console

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from admin.parts import models_of, open_clips, open_synthesizer


@click.group()
def models() -> None:
    """语音模型 · Speech models."""


@models.command("fetch")
@kindly
def fetch_models() -> None:
    """取来缺少的模型，逐个核对 sha256。

    Fetch the models that are missing, checked by sha256. Safe to repeat.
    """
    from admin.progress import fetching
    from speech.models import fetch

    settings = read_settings()
    with fetching(Console()) as report:
        fetch(models_of(settings), report)
    done("语音模型齐全", "the speech models are there")


@models.command("check")
@kindly
def check_models() -> None:
    """检查模型是否齐全；不齐时以 1 退出。

    Say what is wrong with the models; exits with 1 where something is.
    """
    from speech.models import check

    problems = check(models_of(read_settings()))
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.ClickException("模型不齐：tingjian models fetch · models are missing")
    done("语音模型齐全", "the speech models are there")


@click.group()
def prompts() -> None:
    """预先合成的提示音 · Prompts rendered ahead."""


@prompts.command("render")
@click.option("--community", "asked", help="社区名称 · which community")
@kindly
def render_prompts(asked: str | None) -> None:
    """合成一个社区缺少的提示音。

    Render what a community's calls may say and what is not there yet. May be broken off and repeated.
    """
    from admin.progress import rendering
    from admin.sentences import open_sentences, render_sentences
    from ivr.prompts.render import render

    settings = read_settings()
    with opened(settings) as archive:
        with archive.database.read() as session:
            community_id = pick_community(session, asked).id
        clips = open_clips(settings, archive)
        synthesizer = open_synthesizer(settings)
        with rendering(Console()) as report:
            made = render(archive, clips, synthesizer, community_id, report)
        render_sentences(open_sentences(settings, archive), lambda: synthesizer)
    done(
        f"共 {made.total} 段，新合成 {made.made}，失败 {made.failed}",
        f"{made.total} clips, {made.made} made now, {made.failed} failed",
    )
