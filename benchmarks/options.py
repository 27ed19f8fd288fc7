"""What the scripts share on the command line: help, data sets to choose from, how they were run."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Collection, Sequence


def parser(about: str | None, sets: Collection[str] = ()) -> argparse.ArgumentParser:
    """A parser whose help is the script's own page.

    Parameters
    ----------
    about : str or None
        Printed as it is.
    sets : collection of str, optional
        Data sets among which ``--only`` chooses, as ``--only cdnow,telco``; all when not given.

    Returns
    -------
    argparse.ArgumentParser
    """
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if sets:
        names = ", ".join(sets)

        def chosen(text: str) -> list[str]:
            if unknown := set(text.split(",")) - {*sets}:
                raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {names}")
            return text.split(",")

        made.add_argument("--only", type=chosen, default=list(sets), help=f"of {names}")
    return made


def command(script: str, arguments: Sequence[str] | None) -> str:
    """What prints a page again.

    Parameters
    ----------
    script : str
        Name of the module.
    arguments : sequence of str or None
        Those of the script; None takes the process's own.

    Returns
    -------
    str
    """
    given = sys.argv[1:] if arguments is None else arguments
    return " ".join([f"python benchmarks/{script}.py", *given])


def quiet() -> None:
    """Pass over what libraries say about each other's next versions."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", message="The 'future.infer_string' option")
