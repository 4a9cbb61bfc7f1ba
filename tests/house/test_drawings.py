"""The drawing of the call in the docs is the one its table gives today."""

from pathlib import Path

from ivr.dialogue.called import flow_of
from ivr.dialogue.draw import draw
from ivr.dialogue.hotline import hotline
from ivr.dialogue.sample import reply_view, sample_view
from ivr.prompts.book import Book

CALLS = Path(__file__).parents[2] / "docs" / "calls.md"


def test_the_drawn_call_is_fresh() -> None:
    assert CALLS.read_text("utf-8") == draw(hotline(sample_view()), Book.load("zh"))


def test_the_drawn_call_for_a_reply_is_fresh() -> None:
    drawn = draw(flow_of(reply_view()), Book.load("zh"))
    assert CALLS.with_name("reply_call.md").read_text("utf-8") == drawn


def test_every_sentence_of_the_book_is_said_somewhere() -> None:
    """A sentence nobody says would still be rendered, recorded and translated."""
    source = "\n".join(path.read_text("utf-8") for path in (CALLS.parents[1] / "ivr").rglob("*.py"))
    numbered = ("ballot.option_", "speak.about_", "speak.other_", "seat.change_", "seat.new_", "stage.")
    spread = ("ballot.kept_", "release.kept_")
    unsaid = {
        prompt
        for prompt in Book.load("zh").ids
        if f'"{prompt}"' not in source and not prompt.startswith((*numbered, *spread))
    }
    assert unsaid == set()
