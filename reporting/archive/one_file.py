"""The program in archives and packs: modules of this package, put together as one file that needs nothing of ours."""

import ast
from functools import cache
from importlib import resources

_PARTS = (
    "verify_claims.py",
    "verify_keys.py",
    "verify_entries.py",
    "verify_beforehand.py",
    "verify_votes.py",
    "verify_archive.py",
)
"""Each uses those before it. The last is the program, and says what it is for."""

_OURS = "reporting.archive."


@cache
def script() -> str:
    """The program: the last part's own beginning, what all of them import, then the parts, one behind the other."""
    parts = [resources.files("reporting.archive").joinpath(name).read_text(encoding="utf-8") for name in _PARTS]
    head = ast.get_docstring(ast.parse(parts[-1]), clean=False)
    return "\n".join([f'"""{head}"""', "", *_imports(parts), "", "", "\n\n\n".join(map(_body, parts)), ""])


def _imports(parts: list[str]) -> list[str]:
    """What the parts import of the standard library, each name once; what is to come of Python first."""
    modules, names = set[str](), dict[str, set[str]]()
    for node in (node for part in parts for node in ast.parse(part).body):
        if isinstance(node, ast.Import):
            modules |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(_OURS):
            names.setdefault(node.module or "", set()).update(one.name for one in node.names)
    chosen = [f"from {module} import {', '.join(sorted(some))}" for module, some in sorted(names.items())]
    return [chosen[0], "", *(f"import {one}" for one in sorted(modules)), *chosen[1:]]


def _body(source: str) -> str:
    """A part without its docstring and its imports."""
    tree, lines = ast.parse(source), source.splitlines()
    for node in reversed(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom) or node is tree.body[0]:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip("\n")
