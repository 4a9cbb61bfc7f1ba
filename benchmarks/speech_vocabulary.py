"""What a community's vocabulary does for speech that holds its words, and to speech about other things."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import jieba

from benchmarks.report import Measured
from benchmarks.speech_clips import Clip
from speech.error_rate import average_over_speakers, character_error_rate, normalised
from speech.recognize import Recognizer, Transcript
from speech.repair import repair

OFF_TOPIC_TARGET_POINTS = 0.5
FOUND_TARGET = 1.3  # words of the vocabulary that are found, against without it
RAREST = 2  # words of a clip that its speaker's community would have in its vocabulary
SELDOM = 2_000  # a word that jieba's corpus has more often needs no vocabulary
# A community's own words; none of the clips is about them.
VOCABULARY = (
    "要不要给三号楼加装电梯",
    "长者食堂",
    "凤凰小区",
    "东门路灯",
    "物业费",
    "垃圾分类",
    "充电桩",
    "楼道堆物",
    "停车位",
    "业委会",
    "下水道",
    "健身器材",
    "广场舞",
    "卫生服务站",
    "居家养老",
    "议事会",
)


def measure(recognizer: Recognizer, bare: Sequence[tuple[Clip, Transcript]]) -> Iterator[Measured]:
    """`bare`: the clips as they were heard without a vocabulary."""
    off = [(clip, _with(recognizer, clip, VOCABULARY)) for clip, _ in bare]
    lost = 100 * (_mean(off) - _mean(bare))
    yield Measured("speech.off_topic_lost", lost, "points", OFF_TOPIC_TARGET_POINTS, is_at_most=True)
    told = [(clip, words, own) for clip, words in bare if (own := own_words(clip.said))]
    on = [(clip, _with(recognizer, clip, (*own, *VOCABULARY))) for clip, _, own in told]
    before = sum(_found(words, own) for _, words, own in told)
    after = sum(_found(words, told[at][2]) for at, (_, words) in enumerate(on))
    total = sum(len(own) for _, _, own in told)
    print(f"# vocabulary: {before} of {total} rare words found without it, {after} with it", file=sys.stderr)
    yield Measured("speech.vocabulary_found", after / total, "share", FOUND_TARGET, after / max(1, before))


def own_words(said: str) -> tuple[str, ...]:
    """The rarest words of what is said: names and the like."""
    jieba.setLogLevel(60)
    words = {word for word in jieba.cut(normalised(said)) if len(word) >= 2}
    seldom = [word for word in words if (jieba.dt.FREQ.get(word) or 0) < SELDOM]
    return tuple(sorted(seldom, key=lambda word: (jieba.dt.FREQ.get(word) or 0, word))[:RAREST])


def _with(recognizer: Recognizer, clip: Clip, words: Sequence[str]) -> Transcript:
    return repair(recognizer.transcribe(clip.sound, "zh", words), words)


def _found(heard: Transcript, words: Sequence[str]) -> int:
    text = normalised(heard.text)
    return sum(word in text for word in words)


def _mean(heard: Sequence[tuple[Clip, Transcript]]) -> float:
    return average_over_speakers(
        (clip.speaker, character_error_rate(clip.said, words.text)) for clip, words in heard
    )
