"""Every reason for which the records refuse an act of the desk has words at the desk."""

import ast
import inspect
from pathlib import Path

from admin.pages.words import LANGUAGES, all_words
from ivr.broadcast import exporting
from sync import broadcasting, callbacks, desk, joining

REFUSALS = {"DeskError", "NotThere", "ChangedMeanwhile"}
PACKAGES = (broadcasting,)


def refused_codes() -> set[str]:
    trees = [ast.parse(inspect.getsource(module)) for module in (callbacks, desk, exporting, joining)]
    folders = [Path(path) for package in PACKAGES for path in package.__path__]
    trees += [ast.parse(path.read_text("utf-8")) for folder in folders for path in folder.glob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in REFUSALS]
    codes = [node for call in named for node in ast.walk(call.args[1]) if isinstance(node, ast.Constant)]
    return {str(node.value) for node in codes}


def test_every_refusal_is_said_in_every_language() -> None:
    codes = refused_codes()
    assert "taken_back" in codes
    unsaid = {
        code
        for code in codes
        for language in LANGUAGES
        if not all_words().get(f"refused_{code}", {}).get(language)
    }
    assert unsaid == set()
