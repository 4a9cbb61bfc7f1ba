"""Every way by which a resident's voice can leave the desk is known, and what others hear is bleeped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where others hear a resident: the sound goes through `sync.bleeped`, which raises where it can't be done.
HEARD_BY_OTHERS = {
    "sync/api/audio.py": "bleeped",  # platforms
    "ivr/web/own_voice.py": "bleeped",  # neighbours on the telephone
    "ivr/broadcast/rendering.py": "bleeped",  # loudspeakers, and their preview at the desk
    "admin/pages/hearing.py": "hushed",  # staff, until they say why they must hear all of it
}
# Who opens a recording as it was spoken, and why nobody else hears it so.
OPENED_WHOLE = {
    "sync/sound.py": "opens recordings for the others",
    "sync/bleeped.py": "bleeps it",
    "sync/words.py": "the recognizer, on this machine",
    "sync/spoken.py": "a reply that staff spoke, no resident",
    "ivr/prompts/recorded.py": "a reply that staff spoke, no resident",
    "ivr/web/own_voice.py": "to the caller who has just said it, in the same call",
    "admin/pages/hearing.py": "staff who wrote down why; it is audited",
    "sync/export/person.py": "the person's own data, for the person",
    "sync/backup.py": "sealed bytes, as they lie in the store",
}
OPENERS = frozenset({"gather", "unsealed"})
WAYS = frozenset({"bleeped", "hushed"})


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("speech", "sync", "ivr", "admin"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def _imported(tree: ast.Module, module: str) -> set[str]:
    """What a module takes from another by name; "*" where it takes the module itself."""
    package, _, name = module.rpartition(".")
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == module:
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == package:
            found |= {"*" for one in node.names if one.name == name}
        elif isinstance(node, ast.Import):
            found |= {"*" for one in node.names if one.name == module}
    return found


def _reads_the_store(tree: ast.Module) -> bool:
    """Whether it calls `….recordings.get(…)`."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "get"
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "recordings"
        for node in ast.walk(tree)
    )


def test_whoever_opens_a_recording_whole_is_on_the_list() -> None:
    openers = {
        name
        for name, tree in _sources()
        if _imported(tree, "sync.sound") & (OPENERS | {"*"}) or _reads_the_store(tree)
    }
    assert openers == set(OPENED_WHOLE)


def test_what_others_hear_is_bleeped() -> None:
    ways = {name: _imported(tree, "sync.bleeped") & (WAYS | {"*"}) for name, tree in _sources()}
    assert {name: found for name, found in ways.items() if found} == {
        name: {way} for name, way in HEARD_BY_OTHERS.items()
    }


def test_nobody_bleeps_by_a_rule_of_their_own() -> None:
    users = {name for name, tree in _sources() if _imported(tree, "speech.bleep") & {"bleep", "*"}}
    assert users == {"sync/bleeped.py"}
