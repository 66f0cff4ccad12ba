"""The documentation: links lead somewhere, commands exist, and the README fits on a few screens."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, Tuple

import pytest

from tf1_lstm.cli import build_parser
from tf1_lstm.commands import COMMANDS

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")), PROJECT / "data" / "README.md"]
PAGES += [PROJECT / "CONTRIBUTING.md"]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"")
LISTING = re.compile(r"^```(?:sh)?\n(.*?)^```", re.M | re.S)


def commands(page: Path) -> Iterator[Tuple[int, str]]:
    """Every ``tf1-lstm`` command line of a page's listings, by its place."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for listing in LISTING.finditer(text):
        for line in listing.group(1).splitlines():
            found = re.match(r"^(?:\$ )?tf1-lstm (\S+)(.*)$", line)
            if found:
                yield listing.start(), found.group(1) + found.group(2)


def test_the_readme_fits_on_a_few_screens():
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 230


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name if page.parent == PROJECT else page.stem)
def test_every_link_leads_to_a_file(page: Path):
    found = [first or second for first, second in LINK.findall(page.read_text(encoding="utf-8"))]
    local = [link for link in found if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index():
    index = (PROJECT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in (PROJECT / "docs").glob("*.md") if f"]({page.name})" not in index][:1] in (
        [],
        ["README.md"],
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name if page.parent == PROJECT else page.stem)
def test_every_command_and_option_in_a_listing_exists(page: Path):
    subparsers: Any = build_parser(COMMANDS)._subparsers
    parsers = subparsers._group_actions[0].choices
    wrong = []
    for _, line in commands(page):
        words = line.split("#")[0].split()
        if words[0] in ("COMMAND", "study", "--version"):
            continue
        known = parsers.get(words[0])
        if known is None:
            wrong.append(line)
            continue
        options = {word.split("=")[0] for word in words[1:] if re.match(r"--[a-z]", word)}
        wrong += [
            f"{words[0]}: {name}" for name in sorted(options) if name not in known._option_string_actions
        ]
    assert wrong == []


def test_the_page_of_settings_is_that_of_the_code():
    """In a process of its own: a test may have defined kinds beside the package's."""
    check = [sys.executable, "tools/settings_page.py", "--check"]
    assert subprocess.run(check, cwd=str(PROJECT), check=False).returncode == 0, "run tools/settings_page.py"
