"""Write the table of rooms in docs/architecture.md from the code: docstrings and real imports.

With ``--check`` nothing is written: exit code 1 says that the table is not that of the code.
"""

import argparse
import ast
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "tf1_lstm"
# From the ground up: each imports only those before it, and itself.
ROOMS = (
    "core",
    "recipes",
    "data",
    "graphs",
    "checkpoints",
    "original",
    "report",
    "parity",
    "runs",
    "api",
    "doctor",
    "commands",
)
# Modules beside the rooms that belong to the lowest one.
GROUND = ("errors", "files", "devices", "gpus")
# Where a program begins: these may import commands, and nothing imports them.
ENTRY_POINTS = (
    "tf1_lstm.__main__",
    "tf1_lstm.cli",
    "tf1_lstm.doctor.__main__",
    "tf1_lstm.parity.ports.train",
)
BEGIN, END = "<!-- begin: written by tools/architecture.py -->", "<!-- end -->"


class Import(NamedTuple):
    """One import statement: who imports what, in which line; and whether only a type checker sees it."""

    importer: str
    imported: str
    line: int
    for_types: bool


class Code(NamedTuple):
    """The package as it is.

    Attributes:
      docs: module -> first sentence of its docstring.
      imports: every import of a module of the package, wherever it stands.
      outside: module -> top-level packages that it imports from elsewhere.
    """

    docs: Dict[str, str]
    imports: List[Import]
    outside: Dict[str, Set[str]]


def read_code(root: Path = ROOT) -> Code:
    """Read every module of the package."""
    paths = {_module(path, root): path for path in sorted((root / PACKAGE).rglob("*.py"))}
    code = Code({}, [], {})
    for module, path in paths.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        code.docs[module] = _first_sentence(ast.get_docstring(tree) or "")
        code.outside[module] = set()
        for name, line, for_types in _imported(tree):
            if name.split(".")[0] != PACKAGE:
                code.outside[module].add(name.split(".")[0])
                continue
            # `from tf1_lstm.x import y` names a module or something in one.
            imported = name if name in paths else name.rpartition(".")[0]
            if imported in paths and imported != module:
                code.imports.append(Import(module, imported, line, for_types))
    return code


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _first_sentence(text: str) -> str:
    joined = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return joined.split(". ")[0].rstrip(".")


def _imported(tree: ast.AST) -> Iterator[Tuple[str, int, bool]]:
    """Full names of what is imported anywhere, with line, and whether under TYPE_CHECKING."""
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, id(node) in for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                (f"{node.module}.{alias.name}", node.lineno, id(node) in for_types) for alias in node.names
            )


def room_of(module: str) -> Optional[str]:
    """The room that a module belongs to; None for the package itself and where a program begins."""
    if module == PACKAGE or module in ENTRY_POINTS:
        return None
    name = module.split(".")[1]
    return "core" if name in GROUND else name


def upward(code: Code) -> List[str]:
    """Imports that go from a room to a later one, as readable lines."""
    found = []
    for each in code.imports:
        importer, imported = room_of(each.importer), room_of(each.imported)
        if importer is None or imported is None:
            continue
        if ROOMS.index(imported) > ROOMS.index(importer):
            found.append(f"{each.importer}:{each.line} imports {each.imported}")
    return found


def circles(code: Code) -> List[List[str]]:
    """Modules that import each other in a circle, wherever the imports stand; each circle once.

    A package's ``__init__`` is left out: it may gather what is in it.
    """
    after: Dict[str, List[str]] = {module: [] for module in code.docs}
    for each in code.imports:
        if not any(other.startswith(each.imported + ".") for other in code.docs):
            after[each.importer].append(each.imported)
    return [sorted(group) for group in _components(after) if len(group) > 1]


def _components(after: Dict[str, List[str]]) -> List[List[str]]:
    """Strongly connected components (Tarjan, 1972)."""
    number: Dict[str, int] = {}
    lowest: Dict[str, int] = {}
    stack: List[str] = []
    found: List[List[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        stack.append(node)
        for other in after[node]:
            if other not in number:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], number[other])
        if lowest[node] == number[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            found.append(group)

    for node in after:
        if node not in number:
            visit(node)
    return found


def table(code: Code) -> str:
    """The rooms as Markdown: what is in each by its own docstring, and which it imports."""
    rows = ["| room | what is in it | imports |", "| --- | --- | --- |"]
    for room in ROOMS:
        if f"{PACKAGE}.{room}" not in code.docs:
            continue
        imported = {room_of(each.imported) for each in code.imports if room_of(each.importer) == room}
        below = ", ".join(f"`{name}`" for name in ROOMS if name in imported and name != room)
        rows.append(f"| `{room}` | {code.docs[f'{PACKAGE}.{room}']} | {below or 'nothing'} |")
    return "\n".join(rows)


def written(page: str, generated: str) -> str:
    """The page with ``generated`` between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{generated}\n{END}{after}"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns its exit code: 0, or 1 (``--check``: not up to date)."""
    parser = argparse.ArgumentParser(description="Write the table of rooms in docs/architecture.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 unless up to date")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "architecture.md", metavar="FILE")
    options = parser.parse_args(arguments)
    page = options.page.read_text(encoding="utf-8")
    new = written(page, table(read_code()))
    if not options.check:
        options.page.write_text(new, encoding="utf-8")
    print(f"{options.page}: {'' if new == page else 'not '}up to date" if options.check else options.page)
    return 0 if new == page or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
