"""Where the text folders lie: the user's own first, then the ones that ship."""

from __future__ import annotations

from pathlib import Path

from benchmarker.core.errors import MissingDataError, suggest

PACKAGE = Path(__file__).resolve().parent.parent


def shipped(folder: str) -> Path:
    """The shipped text folder: ``architectures``, ``augment``, ``data`` or ``results``.

    A wheel carries the text folders inside the package, under ``text/``; a checkout has
    them beside it.
    """
    inside = PACKAGE / "text" / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


def search_path(folder: str) -> list[Path]:
    """Folders to look into, first match wins: ``./folder`` of the user, then the shipped one."""
    own = Path.cwd() / folder
    ships = shipped(folder)
    return [own, ships] if own.is_dir() and own.resolve() != ships.resolve() else [ships]


def find_text(folder: str, name: str, suffix: str) -> Path:
    """The file ``name`` or ``name + suffix``: as a path, else in the search path of `folder`.

    Raises `MissingDataError` naming near names and the folders looked into.
    """
    direct = Path(name)
    if direct.is_file():
        return direct
    for place in search_path(folder):
        for candidate in (place / name, place / f"{name}{suffix}"):
            if candidate.is_file():
                return candidate
    known = [path.name.removesuffix(suffix) for path in list_texts(folder, suffix)]
    message = (
        f"no {folder} file named {name!r}{suggest(name.removesuffix(suffix), known)}; looked in "
        f"{', '.join(str(place) for place in search_path(folder))}; known: {', '.join(known)}"
    )
    raise MissingDataError(message)


def list_texts(folder: str, suffix: str) -> list[Path]:
    """All files of `folder` that end in `suffix`, the user's own hiding shipped namesakes."""
    found: dict[str, Path] = {}
    for place in search_path(folder):
        for path in sorted(place.glob(f"*{suffix}")):
            found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]
