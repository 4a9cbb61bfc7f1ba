"""A code for those who also take part on a platform: typed there, caller and account count as one person."""

from __future__ import annotations

from ivr.dialogue.steps import Listen, Lookup, Prompt, Remember, Say, Step
from ivr.dialogue.turns import Recall


def linking_steps(then: str) -> dict[str, Step]:
    """The steps `link…`; afterwards the call goes on at `then`. The code is forgotten once it was heard."""
    return {
        "link": Lookup(
            "link_code", {}, then={"given": "link.code", "often": "link.often"}, otherwise="link.often"
        ),
        "link.code": Listen(
            Prompt("link.code", {"code": Recall("code")}, is_slow=True),
            then="link.heard",
        ),
        "link.heard": Remember({"code": ""}, then=then),
        "link.often": Say("link.often", then=then),
    }
