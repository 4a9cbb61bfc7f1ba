"""The command that says how a topic was counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from admin.cli.terms import kindly, opened, read_settings
from admin.pages.counting import steps
from admin.pages.words import LANGUAGES, known_word, word
from sync.explain import Chain, Explained
from sync.records.tables import Community, Topic

_INDENT = "  "


@click.command()
@click.argument("topic")
@click.option("--language", type=click.Choice(LANGUAGES), default="zh", help="zh 中文, en English")
@kindly
def explain(topic: str, language: str) -> None:
    """说明一个议题的票是怎么计的。

    Say how TOPIC (its id) was counted: what came in by which channel, what became of it, what it comes to.
    Nobody is named.
    """
    from sync.explain import explain as explained

    with opened(read_settings()) as archive, archive.database.read() as session:
        found = explained(session, topic, datetime.now(UTC))
        community = session.get_one(Community, session.get_one(Topic, topic).community_id)
        zone = ZoneInfo(community.time_zone)
        for line in lines(found, language, zone):
            click.echo(line)


def lines(found: Explained, language: str, zone: ZoneInfo) -> Iterator[str]:
    """The whole account, line by line, in one language."""

    def say(word_id: str, **values: object) -> str:
        return word(word_id, language, **values)

    def known(kind: str, value: str) -> str:
        return known_word(f"{kind}_{value}", language, value)

    yield f"{say('counted_title')} · {found.title}"
    yield ""
    yield say("counted_given", n=found.total)
    for one in found.given:
        why = f" · {known('why', one.problem)}" if one.problem else ""
        yield f"{_INDENT}{known('channel', one.channel)} · {known('fate', one.state)}{why}  {one.ballots}"
    yield ""
    yield say("counted_ballots")
    for word_id, n in steps(found):
        yield f"{_INDENT}{say(word_id)}  {n}"
    yield ""
    yield say("counted_result")
    yield from (f"{_INDENT}{line}" for line in _result(found, language))
    if found.chains:
        yield ""
        yield say("counted_chains" if found.is_named else "counted_chains_anonymous")
    for chain in found.chains:
        yield from (f"{_INDENT}{line}" for line in _chain(chain, language, zone))


def _result(found: Explained, language: str) -> Iterator[str]:
    if not found.is_shown:
        yield word("counted_hidden", language)
        return
    count = found.tally
    for choice, voters in count.choices.items():
        yield f"{known_word(f'choice_{choice}', language, choice)}  {voters}"
    evidence = (f"{word(f'evidence_{proof}', language)} {n}" for proof, n in sorted(count.evidence.items()))
    yield f"{word('evidence', language)}: {', '.join(evidence) or '–'}"
    if count.quorum is not None:
        said = word("quorum_reached" if count.is_quorate else "quorum_missed", language)
        yield f"{word('quorum', language, n=count.quorum)} · {said}"


def _chain(chain: Chain, language: str, zone: ZoneInfo) -> Iterator[str]:
    people = word("chain_people", language, n=chain.people) if chain.people > 1 else ""
    yield f"{word('chain_voter', language, n=chain.number)}{people}"
    for link in chain.links:
        parts = [
            link.cast_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
            known_word(f"channel_{link.channel}", language, link.channel),
        ]
        if link.choice is not None:
            parts.append(known_word(f"choice_{link.choice}", language, link.choice))
        parts.append(known_word(f"fate_{link.fate}", language, link.fate))
        if link.problem:
            parts.append(known_word(f"why_{link.problem}", language, link.problem))
        yield _INDENT + " · ".join(parts)
