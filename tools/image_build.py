"""Images as files: building them with buildah, and running them without Docker.

Docker does not run everywhere, and ``buildah run`` knows no read-only root. So an image is run in
name spaces made with ``unshare``: no network, root file system read-only, an own ``/proc``, ``/dev``
and ``/tmp``, the volumes bound, no way to gain privileges. That is what
``docker run --network none --read-only --tmpfs /tmp --user ID`` gives.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

VOLUMES = ("data", "checkpoints", "runs")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Arguments: the image's root, the folder of its volumes, user:group, working directory, command.
SANDBOX = """
set -e
root=$1 volumes=$2 user=$3 where=$4
shift 4
ip link set lo up
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
mkdir -m 1777 "$root/dev/shm"
for folder in "$volumes"/*; do
    mount --bind "$folder" "$root/work/${folder##*/}"
done
exec setpriv --no-new-privs chroot --groups= --userspec="$user" "$root" \
    /bin/sh -c 'cd "$0" && exec "$@"' "$where" "$@"
"""


class CheckError(Exception):
    """Something about an image is not as it should be; the message says what was found."""


class Image:
    """A mounted image, with its configuration.

    Attributes:
      root: its root file system.
      config: ``Env``, ``Entrypoint``, ``Cmd``, ``User``, ``WorkingDir``, ``Volumes``, ``Labels``.
    """

    def __init__(self, root: Path, config: Dict[str, Any]) -> None:
        self.root = root
        self.config = config

    def run(
        self, volumes: Path, arguments: Sequence[str] = (), user: Optional[int] = None, limit: int = 60
    ) -> str:
        """Run the entry point in the sandbox and return what it printed.

        Args:
          volumes: a folder made by :meth:`make_volumes`.
          arguments: in place of the image's ``Cmd``.
          user: a user and group id in place of the image's ``User``.
          limit: seconds.

        Raises:
          CheckError: an exit code that is not 0, or no end within the limit.
        """
        command = [*self.config["Entrypoint"], *(arguments or self.config.get("Cmd") or [])]
        who = self.config["User"] if user is None else f"{user}:{user}"
        spaces = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        inside = [str(self.root), str(volumes), who, self.config["WorkingDir"], *command]
        try:
            done = subprocess.run(
                ["unshare", *spaces, "/bin/sh", "-c", SANDBOX, "sandbox", *inside],
                env=dict(pair.split("=", 1) for pair in self.config["Env"]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CheckError(f"{' '.join(command)}: not at its end after {limit} s") from error
        output = done.stdout.decode("utf-8", "replace")
        if done.returncode:
            raise CheckError(f"{' '.join(command)}: exit code {done.returncode}\n{output[-6000:]}")
        return output

    def make_volumes(self, folder: Path) -> Path:
        """Make empty volumes below ``folder``, with the owners and modes of the image's own folders."""
        for name in VOLUMES:
            status = (self.root / "work" / name).stat()
            (folder / name).mkdir(parents=True)
            os.chown(str(folder / name), status.st_uid, status.st_gid)
            (folder / name).chmod(status.st_mode & 0o7777)
        return folder


class Buildah:
    """buildah, with a storage of its own below one folder."""

    def __init__(self, folder: Path, driver: str) -> None:
        self.options = ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        self.options += ["--storage-driver", driver]

    def __call__(self, *arguments: str, before: Sequence[str] = ()) -> str:
        """Run a buildah command and return its output.

        Args:
          arguments: buildah's.
          before: a program, with its arguments, to run buildah by.

        Raises:
          CheckError: it fails; the end of its output is the message.
        """
        done = subprocess.run(
            [*before, "buildah", *self.options, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            told = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise CheckError(f"buildah {arguments[0]}: exit code {done.returncode}\n{told[-6000:]}")
        return done.stdout.decode("utf-8", "replace").strip()

    def import_base(self, root: Path, name: str) -> None:
        """Make an image of a root file system, which is removed."""
        container = self("from", "scratch")
        subprocess.run(["cp", "-a", f"{root}/.", self("mount", container)], check=True)
        shutil.rmtree(str(root))
        self("config", "--env", f"PATH={SYSTEM_PATH}", container)
        self("commit", "--quiet", "--rm", container, name)

    def build(self, target: str, context: Path, archive: Path, bases: Dict[str, str]) -> Image:
        """Build one target of the Dockerfile, without a network.

        Args:
          target: a stage.
          context: the folder with the Dockerfile.
          archive: the folder whose ``wheels`` the packages are installed from.
          bases: build arguments.
        """
        build = ["bud", "--quiet", "--layers", "--isolation", "chroot", "--target", target, "--tag", target]
        for name, value in bases.items():
            build += ["--build-arg", f"{name}={value}"]
        # Its own --network does nothing under chroot isolation.
        self(*build, "--build-context", f"archive={archive}", str(context), before=["unshare", "--net"])
        config = json.loads(self("inspect", "--type", "image", target))["OCIv1"]["config"]
        return Image(Path(self("mount", self("from", target))), config)
