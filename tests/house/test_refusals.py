"""Every reason for which the records refuse an act of the desk has words at the desk."""

import ast
from pathlib import Path

import admin
from admin.pages.words import LANGUAGES, all_words

REFUSALS = {"DeskError", "NotThere", "ChangedMeanwhile", "TopicRefused", "_said_or_refused"}
_ROOT = Path(str(admin.__file__)).parents[1]


def refused_codes() -> set[str]:
    """The second argument of every refusal in the three packages that may refuse."""
    files = (path for package in ("admin", "ivr", "sync") for path in (_ROOT / package).rglob("*.py"))
    trees = [ast.parse(path.read_text("utf-8")) for path in files]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in REFUSALS]
    codes = [node for call in named for node in ast.walk(call.args[1]) if isinstance(node, ast.Constant)]
    return {str(node.value) for node in codes}


def test_every_refusal_is_said_in_every_language() -> None:
    codes = refused_codes()
    assert {"taken_back", "title_missing", "window_over", "sound_too_long", "not_oneself"} <= codes
    unsaid = {
        code
        for code in codes
        for language in LANGUAGES
        if not all_words().get(f"refused_{code}", {}).get(language)
    }
    assert unsaid == set()
