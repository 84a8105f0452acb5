"""Programs of the hosts from Debian's packages, unpacked and mounted over /usr instead of being installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

PACKAGES = (
    "openssh-server", "libwrap0",
    "rsync", "libpopt0",
    "tmux", "libevent-core-2.1-7", "libutempter0",
    "libfaketime",
)  # fmt: skip
"""Programs, each with the libraries that a minimal Debian lacks."""
SANDBOX = ("-o", "APT::Sandbox::User=root")
"""Otherwise apt-get warns that its own user may not write into the folder."""
LIBRARIES = "lib/x86_64-linux-gnu"


def unpacked_packages(folder: Path, packages: tuple[str, ...] = PACKAGES) -> Path:
    """Download and unpack packages that `folder` lacks; the root of their files.

    Requires Debian 12 or a system whose packages have the same names. CalledProcessError: apt-get failed,
    with its message on standard error.
    """
    archives, root = folder / "archives", folder / "root"
    for package in packages:
        done = folder / f"{package}.unpacked"
        if done.exists():
            continue
        archives.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", *SANDBOX, package], cwd=archives, check=True)
        (archive,) = archives.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
        done.touch()
    return root


def mount_packages(root: Path, changes: Path) -> None:
    """Add the packages' files to this mount namespace's /usr, which becomes writable there.

    changes: folder for what is written to /usr.
    """
    for folder in ("usr", LIBRARIES):
        if (root / folder).is_dir():
            place = Path("/", folder).resolve()  # /lib leads to /usr/lib
            overlay((root / folder, place), changes / folder.replace("/", "-"), place)


def overlay(lower: tuple[Path, ...], changes: Path, place: Path) -> None:
    """Mount folders over each other at `place`, the first on top; what is written goes to `changes`."""
    for name in ("upper", "work"):
        (changes / name).mkdir(parents=True, exist_ok=True)
    folders = ":".join(str(path) for path in lower)
    options = f"lowerdir={folders},upperdir={changes}/upper,workdir={changes}/work"
    subprocess.run(["mount", "-t", "overlay", "none", "-o", options, place], check=True)
