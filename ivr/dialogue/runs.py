"""Every turn a flow can give, found by following its table: what the linter reasons about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ivr.dialogue.steps import Flow, Listen, Menu, Passing, Prompt, Step, prompts, ways

COMMANDS = "*#90"


@dataclass(frozen=True)
class Run:
    """One turn: where the caller waited (None: the call begins), what came, steps passed, where it stops."""

    source: str | None
    how: str
    passed: tuple[str, ...]
    stop: str

    def says(self, flow: Flow) -> tuple[Prompt, ...]:
        """Everything said in this turn."""
        return tuple(each for step in (*self.passed, self.stop) for each in prompts(flow.steps[step]))


def runs(flow: Flow) -> Iterator[Run]:
    """All turns of a flow whose targets exist. `0` and `9` are followed where they lead by rule."""
    yield from _from(flow, None, "start", flow.start)
    yield from _from(flow, None, "0", flow.person)
    yield from _from(flow, None, "9", flow.home)
    for name, step in flow.steps.items():
        if isinstance(step, Passing):
            continue
        if isinstance(step, Listen) or (isinstance(step, Menu) and step.is_returnable):
            yield Run(None, "9", (), name)
        for how, target in ways(step):
            yield from _from(flow, name, how, target)


def _from(
    flow: Flow, source: str | None, how: str, target: str, passed: tuple[str, ...] = ()
) -> Iterator[Run]:
    step = flow.steps[target]
    if not isinstance(step, Passing):
        yield Run(source, how, passed, target)
    elif target not in passed:
        for _, following in ways(step):
            yield from _from(flow, source, how, following, (*passed, target))


def reachable(flow: Flow, start: str, avoiding: type[Step] | None = None) -> frozenset[str]:
    """Every step that can be come to from `start` without going through a step of the kind `avoiding`."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        step = flow.steps[name]
        if avoiding is not None and isinstance(step, avoiding):
            continue
        waiting += [target for _, target in ways(step)]
        if isinstance(step, Menu | Listen):
            waiting += [flow.home, flow.person]
    return frozenset(found)


def depths(flow: Flow) -> dict[str, int]:
    """How deep each menu lies: 1 + the fewest numbered choices leading there. `#` only goes on: no choice."""
    costs = {flow.start: 0}
    waiting = [flow.start]
    while waiting:
        name = min(waiting, key=lambda each: costs[each])
        waiting.remove(name)
        for target, cost in _chosen_ways(flow, name):
            if costs[name] + cost < costs.get(target, 1000):
                costs[target] = costs[name] + cost
                waiting.append(target)
    return {name: cost + 1 for name, cost in costs.items() if isinstance(flow.steps[name], Menu)}


def _chosen_ways(flow: Flow, name: str) -> Iterator[tuple[str, int]]:
    step = flow.steps[name]
    if isinstance(step, Menu | Listen):
        yield flow.person, 1
    for how, target in ways(step):
        if how == "silence":
            continue
        yield target, int(isinstance(step, Menu) and how != "#")
