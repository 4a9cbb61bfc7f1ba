"""Values of the dialogue as JSON and back."""

import json

import pytest

from ivr.dialogue.plain import (
    from_plain,
    heard_from_plain,
    heard_to_plain,
    to_plain,
    view_from_plain,
    view_to_plain,
)
from ivr.dialogue.sample import corner_views
from ivr.dialogue.turns import (
    Dialled,
    Heard,
    HungUp,
    Line,
    Pressed,
    Recorded,
    Silence,
    Started,
    Text,
    Told,
)


@pytest.mark.parametrize("name", corner_views())
def test_a_view_comes_back_as_it_was(name: str) -> None:
    view = corner_views()[name]
    assert view_from_plain(json.loads(json.dumps(view_to_plain(view)))) == view


@pytest.mark.parametrize(
    "heard",
    [
        Started(),
        Pressed("1", 0.4),
        Silence(),
        Recorded("rec_1", 3.5, "hangup"),
        Dialled(is_answered=True),
        Told("voted", {"choice": "agree"}),
        HungUp(),
    ],
)
def test_everything_that_can_be_heard_comes_back_as_it_was(heard: Heard) -> None:
    assert heard_from_plain(json.loads(json.dumps(heard_to_plain(heard)))) == heard


def test_a_field_of_a_newer_program_is_left_out() -> None:
    assert from_plain({**to_plain(Text("好")), "loudness": 3}) == Text("好")


def test_values_inside_a_line_keep_their_kind() -> None:
    line = Line("greeting", {"name": Text("青溪社区")}, is_slow=True)
    assert from_plain(to_plain(line)) == line


def test_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="Teapot"):
        from_plain({"is": "Teapot"})
