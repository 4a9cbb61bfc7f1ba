"""Progress as seen on a terminal: models fetched, prompts rendered by the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ivr.prompts.clips import ClipStore
from ivr.prompts.render import Importance, due
from sync.archive import Archive

_LOOK_SECONDS = 1.5  # counting asks the database for every sentence there is
_PATIENCE_SECONDS = 180.0  # without a new clip for so long, the bar gives up: the worker's log says why


@dataclass(frozen=True)
class Rendering:
    """Watches the clips of some communities arrive; it is the prompts worker that renders them."""

    archive: Archive
    clips: ClipStore
    communities: Sequence[str]
    out: Console

    def show_first(self, is_over: Callable[[], bool]) -> None:
        """Until a call can be taken: greeting, menu, first topic. `is_over` is asked again and again."""
        self._show("先合成问候和第一个议题 · greeting and first topic", Importance.FIRST, is_over)

    def show_rest(self, is_over: Callable[[], bool]) -> None:
        """Until all prompts are there."""
        self._show("其余提示音 · the other prompts", Importance.RECORDS, is_over)

    def count(self, up_to: Importance) -> tuple[int, int]:
        """How many clips are there, and how many are wanted, of this importance or more."""
        found = [due(self.archive, self.clips, one, up_to) for one in self.communities]
        total = sum(one.total for one in found)
        return total - sum(len(one.missing) for one in found), total

    def _show(self, title: str, up_to: Importance, is_over: Callable[[], bool]) -> None:
        there, total = self.count(up_to)
        if there == total:
            return
        moved_at = time.monotonic()
        if not self.out.is_terminal:  # a log shows no bar: say what takes the time
            self.out.print(f"· {title}: {there}/{total}")
        with _bar(self.out) as bar:
            task = bar.add_task(title, total=total, completed=there)
            while there < total and not is_over():
                if time.monotonic() - moved_at > _PATIENCE_SECONDS:
                    bar.console.print(f"[yellow]![/] {title}: {there}/{total}; see logs/prompts.log")
                    return
                time.sleep(_LOOK_SECONDS)
                before, (there, total) = there, self.count(up_to)
                moved_at = time.monotonic() if there != before else moved_at
                bar.update(task, completed=there, total=total)
        if there == total:
            self.out.print(f"[green]✓[/] {title}: {total}")


@contextmanager
def fetching(out: Console) -> Iterator[Callable[[str, float], None]]:
    """A bar for the models; gives what `speech.models.fetch` reports to."""
    with _bar(out) as bar:
        task = bar.add_task("语音模型 · speech models", total=100)

        def report(what: str, share: float) -> None:
            bar.update(task, completed=round(share * 100), description=what)

        yield report


@contextmanager
def rendering(out: Console) -> Iterator[Callable[[int, int, str], None]]:
    """A bar for clips rendered in this very process; gives what `ivr.prompts.render.render` reports to."""
    with _bar(out) as bar:
        task = bar.add_task("提示音 · prompts", total=None)

        def report(there: int, total: int, text: str) -> None:
            bar.update(task, completed=there, total=total, description=text[:16])

        yield report


def _bar(out: Console) -> Progress:
    return Progress(
        TextColumn("· {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=out, transient=True, refresh_per_second=4,
    )  # fmt: skip
