"""Text from outside, made fit for a terminal."""


def printable(text: object, most: int = 300) -> str:
    """One line of at most ``most`` characters, without control characters and escape sequences.

    What cannot be printed is replaced by ``?``, so that nothing from a file, a server or a port moves the
    cursor, colours the screen or forges a second line.
    """
    words = " ".join(str(text).split())
    line = "".join(character if character.isprintable() else "?" for character in words)
    return line if len(line) <= most else line[: most - 1] + "…"


def printable_lines(text: str) -> str:
    """The same for a text whose lines and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)
