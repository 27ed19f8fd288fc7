"""The command line: `regulars VERB -c regulars.toml`.

Each verb is one call into a room below; what the rooms raise becomes a sentence and an exit
code here. Nothing heavy is imported before a verb runs.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from regulars import environment, exits, screen, stopping
from regulars.verbs import answers, data, groups, measures, models, plans
from training.errors import StatisticalWarning


class Verbs(TyperGroup):
    """The group of verbs, with one road from errors to exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; refuse with a sentence where a room refuses."""
        try:
            with stopping.orderly(), screen.doubts(StatisticalWarning):
                return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, BrokenPipeError) and screen.unread():
                raise typer.Exit(exits.REFUSED) from error  # whoever has gone is told nothing
            if isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "format_message"):
                raise  # typer words its own errors
            raise typer.Exit(_refuse(error, debug=_debug(ctx))) from error


def _debug(ctx: Any) -> bool:
    return bool(ctx.params.get("debug")) or bool(os.environ.get("REGULARS_DEBUG"))


def _refuse(error: Exception, *, debug: bool) -> int:
    if debug:
        screen.note("".join(traceback.format_exception(error)))
    else:
        screen.note(exits.sentence(error))
    known = exits.code(error)
    return exits.REFUSED if known is None else known


app = typer.Typer(
    cls=Verbs,
    name="regulars",
    help="Who is about to leave, what each customer is worth, and how far to trust it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from serving.release import release

        screen.say(f"regulars {release()}")
        raise typer.Exit


@app.callback()
def _front_door(
    debug: Annotated[  # noqa: ARG001 - read from the context where errors are worded
        bool, typer.Option("--debug", help="Show where an error came from.")
    ] = False,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    environment.prepare(os.environ)


app.command("demo")(answers.demo)
app.command("check")(data.check)
app.command("build")(data.build)
app.command("train")(models.train)
app.command("score")(answers.score)
app.command("segments")(groups.segments)
app.command("equity")(groups.equity)
app.command("cohorts")(groups.cohorts)
app.command("accounts")(groups.accounts)
app.command("satisfaction")(groups.satisfaction)
app.command("plan")(plans.plan)
app.command("measure")(measures.measure)
app.command("serve")(answers.serve)
app.command("key")(answers.key)
app.command("bento")(answers.bento)
app.add_typer(models.app, name="models")
app.command("sample")(data.sample)


def main() -> None:
    """Run the command line; the entry point of the command `regulars`."""
    if not sys.warnoptions:
        # Other packages' notices are not for users of the command; ours come as notes.
        warnings.simplefilter("ignore")
    app()
