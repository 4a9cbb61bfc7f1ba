"""How much of what is private the redactor finds: written, said, heard over the telephone; and in the sound.

What counts as found: every letter of a number, a name or an address in a written sentence; of one that was
recognised, all but a fifth of the letters that were heard in its place (none of a name may stay).
"""

from __future__ import annotations

import csv
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from benchmarks.private_calls import Heard, call, recognised
from benchmarks.private_match import audible, is_hidden, kept, left_over, placed
from benchmarks.private_said_guests import SAID_GUESTS
from benchmarks.private_said_held_out import SAID_HELD_OUT
from benchmarks.private_said_newcomers import SAID_NEWCOMERS
from benchmarks.private_said_strangers import SAID_STRANGERS
from benchmarks.private_said_tuning import SAID_TUNING
from benchmarks.private_sentences import NAMES, NUMBERS, Private, Sentence, sentences
from benchmarks.private_templates import HELD_OUT, NOTHING, TUNING, Half
from benchmarks.report import Measured
from speech.bleep import bleep, hidden_intervals, hidden_letters
from speech.errors import SpeechError
from speech.redact import redact

DATA = Path(__file__).parents[2] / "shared" / "data"
HALVES = {
    "tuning": (TUNING, SAID_TUNING, 11),
    "held_out": (HELD_OUT, SAID_HELD_OUT, 12),
    "strangers": (NOTHING, SAID_STRANGERS, 57),
    "newcomers": (NOTHING, SAID_NEWCOMERS, 91),
    "guests": (NOTHING, SAID_GUESTS, 77),
}
TIMES = 6  # how often each template is filled
CALLS = 26  # of each half's first templates: about every one that can be said, once; and all of the second
IN_THE_SOUND = 40  # of these calls, which are bleeped and heard again
SPOKEN_NUMBERS = 0.95
NAMES_OR_ADDRESSES = 0.85
MOST_FALSE_ALARMS = 0.01
MOST_BESIDE = 0.02
LEAST_AUDIBLE, LEAST_UNDERSTOOD = 0.85, 0.6
MESSAGES, MESSAGE = 2_000, 60


@dataclass
class Tally:
    """How many private stretches there were and were found, by kind; and letters beside them, and hidden."""

    there: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    beside: int = 0
    beside_hidden: int = 0

    def count(self, one: Private, is_found: bool) -> None:
        """Add one private stretch."""
        kind = "numbers" if one.kind in NUMBERS else "names" if one.kind in NAMES else "addresses"
        self.there[kind] += 1
        self.found[kind] += is_found


def measure() -> Iterator[Measured]:
    """Recall by kind and half, false alarms, the cost, and what can still be heard after the tone."""
    for name, (written, said, seed) in HALVES.items():
        yield from _told(f"private.{name}.written", _of_text(written, said, seed, is_spoken=False), 1.0)
        spoken = _of_text(written, said, seed, is_spoken=True)
        yield from _told(f"private.{name}.spoken", spoken, SPOKEN_NUMBERS)
        flagged = [bool(_hidden(one)) for one in (*written.plain, *said.plain)]
        yield _false_alarms(f"private.{name}.false_alarms", flagged)
    yield from _of_messages()
    for name, (written, said, seed) in HALVES.items():
        calls = [call(one, number) for number, one in enumerate(_to_be_said(written, said, seed))]
        yield from _told(f"private.{name}.phone", _of_calls(calls), SPOKEN_NUMBERS)
        plain = [call(Sentence(one, one, ()), number).transcript for number, one in enumerate(said.plain)]
        flagged = [bool(_hidden(one.text, one.others)) for one in plain]
        yield _false_alarms(f"private.{name}.phone.false_alarms", flagged)
        yield from _in_the_sound(f"private.{name}.sound", calls[:: len(calls) // IN_THE_SOUND])


def _to_be_said(written: Half, said: Half, seed: int) -> list[Sentence]:
    first = sentences(written, seed + 20, 1, is_spoken=True)[:CALLS]
    return [*first, *sentences(said, seed + 20, 1, is_spoken=True)]


def _false_alarms(name: str, flagged: Sequence[bool]) -> Measured:
    return Measured(name, fmean(flagged), f"of {len(flagged)}", MOST_FALSE_ALARMS, is_at_most=True)


def _told(name: str, tally: Tally, numbers: float) -> Iterator[Measured]:
    for kind, there in sorted(tally.there.items()):
        target = numbers if kind == "numbers" else NAMES_OR_ADDRESSES
        yield Measured(f"{name}.{kind}", tally.found[kind] / there, f"of {there}", target)
    if tally.beside:
        share = tally.beside_hidden / tally.beside
        yield Measured(f"{name}.beside", share, "of", MOST_BESIDE, is_at_most=True)


def _of_text(written: Half, said: Half, seed: int, *, is_spoken: bool) -> Tally:
    halves = ((written, TIMES), (said, TIMES // 2))
    made = [one for half, times in halves for one in sentences(half, seed + is_spoken, times, is_spoken)]
    return _marked([(one.text, one.private) for one in made])


def _marked(texts: Sequence[tuple[str, Sequence[Private]]]) -> Tally:
    tally = Tally()
    for text, private in texts:
        hidden = _hidden(text)
        told: Set[int] = {place for one in private for place in range(one.start, one.end)}
        for one in private:
            tally.count(one, hidden.issuperset(range(one.start, one.end)))
        others = [at for at, letter in enumerate(text) if letter.isalnum() and at not in told]
        tally.beside += len(others)
        tally.beside_hidden += sum(at in hidden for at in others)
    return tally


def _hidden(text: str, others: Sequence[str] = ()) -> frozenset[int]:
    return frozenset(place for span in redact(text, others).spans for place in range(span.start, span.end))


def _of_messages() -> Iterator[Measured]:
    """The shared sets, where they are: marked sentences to tune on, and messages to a town's government.

    Of the messages' sentences some do hold names and numbers: their share is a bound from above.
    """
    marked = DATA / "pii" / "pii_synth.jsonl"
    if marked.exists():
        rows = [json.loads(line) for line in marked.read_text("utf-8").splitlines()]
        texts = [(row["text"], [_entity(one) for one in row["entities"]]) for row in rows]
        yield from _told("private.shared", _marked(texts), 1.0)
    messages = DATA / "civic_messages_raw.tsv"
    if messages.exists():
        yield from _of_civic(messages)


def _entity(one: dict[str, str]) -> Private:
    kinds = {"NAME": "name", "SURNAME": "surname", "ADDRESS": "address"}
    return Private(int(one["start"]), int(one["end"]), kinds.get(one["type"], "card"))


def _of_civic(path: Path) -> Iterator[Measured]:
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    parts = [part.strip() for text in texts for part in re.split("[。！？；!?;]", text)]
    some = random.Random(7).sample([part for part in parts if len(part) > 3], MESSAGES)
    flagged = sum(bool(redact(part).spans) for part in some) / len(some)
    yield Measured("private.civic.flagged", flagged, "of", 1.0, is_at_most=True)
    short = [text[:MESSAGE] for text in texts if len(text) >= MESSAGE][:MESSAGES]
    start = time.process_time()
    for text in short:
        redact(text)
    spent = (time.process_time() - start) / len(short) * 1_000
    yield Measured("private.message_of_60", spent, "ms", 2.0, is_at_most=True)


def _of_calls(calls: Sequence[Heard]) -> Tally:
    tally = Tally()
    for one in calls:
        text = one.transcript.text
        hidden = _hidden(text, one.transcript.others)
        for stretch, places in placed(one.sentence.text, text, one.sentence.private):
            tally.count(stretch, is_hidden(stretch, places, hidden))
    return tally


def _in_the_sound(name: str, calls: Sequence[Heard]) -> Iterator[Measured]:
    """Bleeped as the machine wrote it down, and as a person corrected it; what was refused is told apart."""
    for how in ("machine", "corrected"):
        yield from _bleeped(f"{name}.{how}", calls, is_corrected=how == "corrected")


def _bleeped(name: str, calls: Sequence[Heard], *, is_corrected: bool) -> Iterator[Measured]:
    tally, refused, before, after, left, there = Tally(), 0, 0, 0, 0, 0
    for one in calls:
        said = one.sentence.text
        text, others = (said, ()) if is_corrected else (one.transcript.text, one.transcript.others)
        hidden = hidden_letters(text, redact(text, others).text)
        try:
            tones = hidden_intervals(text, hidden, one.transcript.words, one.sound.seconds)
        except SpeechError:
            refused += 1
            continue
        heard = recognised(bleep(one.sound, tones)).text if tones else one.transcript.text
        for stretch in one.sentence.private:
            tally.count(stretch, not left_over(said, stretch, heard))
        if not is_corrected:
            own_left, own_there = audible(text, one.transcript.words, hidden, tones)
            left, there = left + own_left, there + own_there
        before += kept(said, one.sentence.private, one.transcript.text)
        after += kept(said, one.sentence.private, heard)
    yield from _told(name, tally, SPOKEN_NUMBERS)
    if there:
        yield Measured(f"{name}.audible", left / there, "of the other letters", LEAST_AUDIBLE)
    yield Measured(f"{name}.understood", after / max(1, before), "of what was before", LEAST_UNDERSTOOD)
    yield Measured(f"{name}.refused", refused / len(calls), "of", 1.0, is_at_most=True)
