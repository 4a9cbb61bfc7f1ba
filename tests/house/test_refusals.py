"""Every reason for which the records refuse an act of the desk has words at the desk."""

import ast
import inspect

from admin.pages.words import LANGUAGES, all_words
from sync import callbacks, desk, joining

REFUSALS = {"DeskError", "NotThere", "ChangedMeanwhile"}


def refused_codes() -> set[str]:
    trees = [ast.parse(inspect.getsource(module)) for module in (callbacks, desk, joining)]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in REFUSALS]
    return {str(ast.literal_eval(call.args[1])) for call in named}


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
