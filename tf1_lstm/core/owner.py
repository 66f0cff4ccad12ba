"""Goes on as the owner of a folder: ``python -m tf1_lstm.core.owner PROGRAM ARGUMENTS`` in the container.

``docker compose`` cannot ask for the caller's user id. So the container starts as root, with no right but
that to become somebody else, looks whose ``runs/`` is, and becomes that user before the program starts;
as anybody else it changes nothing. Where root owns the folder (rootless Docker, where root stands for the
caller) it stays root.
"""

import os
import sys
from typing import List


def become_owner_of(folder: str) -> None:
    """Give up root for the owner of ``folder``, groups included; for nobody else's process."""
    if os.getuid() != 0:
        return
    status = os.stat(folder)
    if status.st_uid == 0:
        return
    os.setgroups([])
    os.setgid(status.st_gid)
    os.setuid(status.st_uid)


def main(words: List[str]) -> None:
    """Become the owner of ``runs`` in the current folder, and run a program in place of this process."""
    try:
        become_owner_of("runs")
        os.execvp(words[0], words)
    except (OSError, IndexError) as error:
        sys.exit(f"tf1-lstm: {words[:1]} cannot be started as the owner of runs/: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
