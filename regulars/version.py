"""Which code is running: the package's version and, in a work tree, the commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

from serving.release import release


def code_version() -> str:
    """Version of the code, for the records of a training.

    Returns
    -------
    str
        ``0.1.0`` when installed; ``0.1.0+g1a2b3c4`` from a work tree, with ``.changed`` where
        it differs from that commit.
    """
    described = _git("describe", "--always", "--dirty=.changed", "--exclude=*", "--abbrev=7")
    return release() + (f"+g{described}" if described else "")


def _git(*arguments: str) -> str:
    """What git says of the tree that holds this file; nothing when it is in none of ours."""
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
