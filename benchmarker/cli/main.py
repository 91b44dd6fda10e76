"""The command ``benchmarker``: finds the verbs, parses, turns errors into text and codes."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from benchmarker.core.errors import (
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    BenchmarkerError,
    BenchmarkerWarning,
    suggest,
)

VERB = "verb_"
UNKNOWN = "unrecognized arguments: "


class Parser(argparse.ArgumentParser):
    """Argument parser with our exit code and near names for a mistyped option."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Print the fault and where help is, leave with code 1."""
        options = [text for action in self._actions for text in action.option_strings]
        if message.startswith(UNKNOWN):
            for word in message.removeprefix(UNKNOWN).split():
                if word.startswith("-"):
                    message += suggest(word.split("=")[0], options)
        print(f"{self.prog}: error: {message}", file=sys.stderr)
        print(f"try '{self.prog} --help'", file=sys.stderr)
        raise SystemExit(EXIT_INPUT)


def modules(prefix: str) -> list[ModuleType]:
    """The modules of this folder whose names begin with `prefix`, by name."""
    import benchmarker.cli as package

    names = sorted(
        m.name for m in pkgutil.iter_modules(package.__path__) if m.name.startswith(prefix)
    )
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def add_verbs(parser: argparse.ArgumentParser, prefix: str, title: str) -> None:
    """Give `parser` one sub-command for each module of the prefix."""
    verbs = parser.add_subparsers(title=title, metavar="VERB", parser_class=Parser)
    for module in modules(prefix):
        verb = verbs.add_parser(
            module.NAME, help=module.HELP, description=module.HELP, allow_abbrev=False
        )
        _fill(verb, module)


def _fill(verb: argparse.ArgumentParser, module: ModuleType) -> None:
    module.add_arguments(verb)
    verb.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    verb.set_defaults(run=module.run, parser=verb)


def parser() -> Parser:
    """The parser of the whole command."""
    from benchmarker import __version__

    top = Parser(
        prog="benchmarker",
        description="Train, compare and apply neural networks of radio and transient astronomy.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"benchmarker {__version__}")
    add_verbs(top, VERB, "verbs")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code (0, 1 input, 2 run failed, 3 check, 130 stopped)."""
    try:
        top = parser()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return _run(top, arguments)


def run_verb(module: ModuleType, arguments: list[str], *, prog: str) -> int:
    """Run one verb as a command of its own, called `prog`."""
    verb = Parser(prog=prog, description=module.HELP, allow_abbrev=False)
    _fill(verb, module)
    return _run(verb, arguments)


def _run(top: Parser, arguments: list[str] | None) -> int:
    chosen, unknown = top.parse_known_args(arguments)
    if unknown:
        # told by the verb's own parser, which knows the near names
        getattr(chosen, "parser", top).error(f"unrecognized arguments: {' '.join(unknown)}")
    if not hasattr(chosen, "run"):
        top.print_help()
        return EXIT_INPUT
    return run_guarded(chosen)


def run_guarded(chosen: argparse.Namespace) -> int:
    """Call the chosen verb; errors that a user can mend are printed without a traceback."""
    try:
        with _warnings_as_notes():
            return chosen.run(chosen)
    except BenchmarkerError as error:
        if getattr(chosen, "debug", False):
            raise
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:
        if getattr(chosen, "debug", False):
            raise
        print(f"error: {error} (--debug shows where)", file=sys.stderr)
        return EXIT_INPUT


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Print our warnings as one line each; those of libraries stay as they are."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **options: Any) -> None:
        if issubclass(category, BenchmarkerWarning):
            print(f"note: {message}", file=sys.stderr)
        else:
            usual(message, category, *rest, **options)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


def entry() -> None:
    """The console script."""
    raise SystemExit(main())
