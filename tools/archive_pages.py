"""The documentation as pages that any browser shows, without a network and without a style of somebody else's."""

import os
import re
from typing import Dict, List

import markdown  # type: ignore[import]
from archive_pack import Member

FOLDER = "archive/pages"
LINK = re.compile(r'(href|src)="([^":#]+)(#[^"]*)?"')
PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ max-width: 62rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif }}
pre {{ overflow-x: auto; padding: .7rem; background: #f4f4f4 }}
table {{ border-collapse: collapse }} td, th {{ border: 1px solid #ccc; padding: .2rem .5rem; text-align: left }}
img {{ max-width: 100% }}
</style>
<nav><a href="{index}">README</a> · <a href="{docs}">documentation</a></nav>
{body}
</html>
"""


def pages(files: List[Member]) -> List[Member]:
    """Render every Markdown file of the project, but for the tests' ones.

    A link to another page leads to that page, a link to any other file to the file in the project's folder.
    """
    texts: Dict[str, str] = {
        member.name: member.open().read().decode("utf-8")
        for member in files
        if member.name.endswith(".md") and not member.name.startswith("tests/")
    }
    return [
        Member(f"{FOLDER}/{_html(name)}", _page(name, text, texts)) for name, text in sorted(texts.items())
    ]


def _html(name: str) -> str:
    return f"{name[: -len('.md')]}.html"


def _page(name: str, text: str, known: Dict[str, str]) -> bytes:
    where = os.path.dirname(f"{FOLDER}/{name}")

    def lead(target: str) -> str:
        place = f"{FOLDER}/{_html(target)}" if target in known else target
        return os.path.relpath(place, where)

    def link(found: "re.Match[str]") -> str:
        target = os.path.normpath(os.path.join(os.path.dirname(name), found.group(2)))
        return f'{found.group(1)}="{lead(target)}{found.group(3) or ""}"'

    body = LINK.sub(link, markdown.markdown(text, extensions=["tables", "fenced_code", "toc", "md_in_html"]))
    heading = re.search(r"^# (.+)$", text, re.M)
    title = heading.group(1) if heading else name
    page = PAGE.format(title=title, body=body, index=lead("README.md"), docs=lead("docs/README.md"))
    return page.encode("utf-8")
