"""The command `tingjian`. Each command is imported only when it is called, so that help comes at once."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

COMMANDS: Mapping[str, tuple[str, str]] = {
    "run": ("admin.cli.running:run", "全部启动，Ctrl-C 停止 · start everything; Ctrl-C stops it"),
    "web": ("admin.cli.running:web", "电话网页接口和工作台 · webhooks, API and staff desk"),
    "worker": ("admin.cli.working:worker", "后台工作 · jobs: recordings, words, prompts"),
    "exchange": ("admin.cli.running:exchange", "小电话交换机 · the small telephone exchange"),
    "line": ("admin.cli.line:line", "电话线路 · the telephone line (SIP); `line test` calls it"),
    "placer": ("admin.cli.placed:placer", "打出电话的进程 · places the calls that are due"),
    "placed": ("admin.cli.placed:placed", "我们打出去的电话 · the calls we place"),
    "broadcast": ("admin.cli.announcing:broadcast", "播报员，管喇叭 · the announcer of the loudspeakers"),
    "phone": ("admin.cli.telephone:phone", "用终端打电话 · call from the terminal"),
    "demo": ("admin.cli.telephone:demo", "打一通完整的示范电话 · one whole scripted call, told as a story"),
    "calls": ("admin.cli.flows:calls", "画出、检查通话流程 · draw and check the flow of a call"),
    "card": ("admin.cli.paper:card", "打印给老人的一页说明 · the one-page guide on paper"),
    "doctor": ("admin.cli.upkeep:doctor", "检查缺什么、哪里配错 · what is missing or misconfigured"),
    "health": ("admin.cli.upkeep:health", "一个进程是否在干活 · whether one process does its work"),
    "migrate": ("admin.cli.upkeep:migrate", "建立或更新数据表 · make or update the tables"),
    "backup": ("admin.cli.upkeep:backup", "备份 · back up records, recordings and keys"),
    "restore": ("admin.cli.upkeep:restore", "恢复 · restore a backup"),
    "settings": ("admin.cli.upkeep:settings", "列出设置 · list the settings"),
    "community": ("admin.cli.people:community", "添加、列出社区 · add and list communities"),
    "staff": ("admin.cli.people:staff", "工作人员 · people at the desk"),
    "topics": ("admin.cli.topics:topics", "议题和口语稿 · topics, and the words the phone reads"),
    "speaker": ("admin.cli.speaker:speaker", "喇叭 · loudspeakers: add, list, simulate one"),
    "platforms": ("admin.cli.platforms:platforms", "线上平台 · online platforms and their keys"),
    "explain": ("admin.cli.explaining:explain", "我们怎样计票 · how a topic was counted"),
    "programme": ("admin.cli.programmes:programme", "喇叭节目 · programmes: what was played; as files"),
    "categories": ("admin.cli.sorting:categories", "意见的类别 · what opinions are sorted by"),
    "export": ("admin.cli.exporting:export", "导出成文件 · records as CSV and JSON"),
    "pull": ("admin.cli.pulling:pull", "读出变化 · a platform's changes as lines of JSON"),
    "roster": ("admin.cli.people:roster", "住户名册 · the roster of residents"),
    "links": ("admin.cli.links:links", "同一个人的关联 · who counts as one person with whom"),
    "forget": ("admin.cli.forgetting:forget", "应居民要求删除 · delete what a resident wants gone"),
    "models": ("admin.cli.sounds:models", "语音模型 · speech models"),
    "prompts": ("admin.cli.sounds:prompts", "预先合成提示音 · render prompts ahead"),
    "speech": ("admin.cli.engines:speech", "语音引擎：列出、试、测 · speech engines: list, check, measure"),
}


class LazyGroup(click.Group):
    """A group whose commands are named in `COMMANDS` and imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands in the order of a newcomer's day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, without importing anything."""
        with formatter.section("命令 · Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """听见：一通电话，一只喇叭，人人说得上话。

    Tingjian: a full seat in community deliberation by telephone and loudspeaker.
    """
