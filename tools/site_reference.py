"""The site's pages of reference, which mkdocs asks for: each module's docstrings, read without importing it."""

import re
from typing import Any, Dict, Tuple

ABOVE = re.compile(r"\[[^\]]*\]\(\.\./([^)#]+)[^)]*\)")

# Page -> (title, what it is for, modules).
PAGES: Dict[str, Tuple[str, str, Tuple[str, ...]]] = {
    "reference/python-api.md": (
        "Reference: import tf1_lstm as tf1",
        "Functions and objects of the Python API.",
        (
            "tf1_lstm.api.checkpoint",
            "tf1_lstm.api.training",
            "tf1_lstm.data.own.from_files",
            "tf1_lstm.errors",
        ),
    ),
    "reference/experiments.md": (
        "Reference: what an experiment is composed of",
        "The classes that an experiment's file imports from `tf1_lstm.recipes`.",
        ("tf1_lstm.recipes.experiment", "tf1_lstm.recipes.data_parts", "tf1_lstm.recipes.own_data"),
    ),
    "reference/cells.md": (
        "Reference: cells",
        "A cell is one class; your own has the same methods.",
        ("tf1_lstm.core.cells", "tf1_lstm.core.parts"),
    ),
}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages to those of docs/."""
    from mkdocs.structure.files import File

    for path, (title, purpose, modules) in PAGES.items():
        text = f"# {title}\n\n{purpose}\n\n" + "\n".join(f"::: {module}\n" for module in modules)
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **unused: Any) -> str:
    """Name the project's files that are no pages, in place of links to them."""
    return ABOVE.sub(r"`\1`", markdown)
