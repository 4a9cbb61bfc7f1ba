"""Commands that run something: everything at once, or one process of it."""

from __future__ import annotations

import sys

import click

from admin.cli.terms import kindly, read_settings
from admin.supervised import end_with_supervisor


@click.command()
@click.option("--no-demo", is_flag=True, help="不装入演示社区 · without the demo community")
@kindly
def run(no_demo: bool) -> None:
    """启动全部：数据库、Redis、网页、后台、交换机；Ctrl-C 停止。

    Start everything: database, embedded Redis, web, workers, exchange. Ctrl-C stops it cleanly.
    """
    from admin.run import run_everything

    sys.exit(run_everything(read_settings(), has_demo=not no_demo))


@click.command()
@kindly
def web() -> None:
    """电话网页接口、平台接口和工作台。

    Serve the phone webhooks, the platforms' API and the staff desk.
    """
    from admin.serve import serve

    end_with_supervisor()
    serve(read_settings())


@click.command()
@kindly
def exchange() -> None:
    """小电话交换机：浏览器电话和终端电话打到这里。

    Run the small telephone exchange that browser and terminal phones call.
    """
    from admin.work import exchange_calls

    end_with_supervisor()
    exchange_calls(read_settings())
