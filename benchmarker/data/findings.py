"""What a check hands back: findings, and the report that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarker.data.images import ImageSet

ERROR = "error"
WARNING = "warning"

Pair = tuple[int, int, float]
"""Two rows and their separation in arcsec."""

_MOST_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One thing found.

    `kind` is a fixed word, `severity` is ``error`` or ``warning``, `text` a sentence.
    `sources` and `rows` are the images concerned. `pairs` holds (source, source, arcsec)
    where neighbours on the sky are meant.
    """

    kind: str
    severity: str
    text: str
    sources: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    pairs: tuple[tuple[str, str, float], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; separations rounded to 0.01 arcsec."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "text": self.text,
            "sources": list(self.sources),
            "rows": list(self.rows),
            "pairs": [
                {"first": first, "second": second, "arcsec": round(arcsec, 2)}
                for first, second, arcsec in self.pairs
            ],
        }


@dataclass(frozen=True)
class Report:
    """All findings of a check, errors first, with numbers for tables."""

    name: str
    images: int
    classes: dict[str, int]
    findings: tuple[Finding, ...]
    counts: dict[str, Any] = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(finding.severity == ERROR for finding in self.findings)

    def of_kind(self, kind: str) -> list[Finding]:
        """The findings of one kind."""
        return [finding for finding in self.findings if finding.kind == kind]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "images": self.images,
            "classes": self.classes,
            "findings": [finding.as_dict() for finding in self.findings],
            "counts": self.counts,
        }


def make_report(
    images: ImageSet,
    findings: Sequence[Finding],
    counts: dict[str, Any],
    *,
    name: str | None = None,
) -> Report:
    """Report of `findings` on `images`, errors first, their numbers added to `counts`."""
    numbers = np.bincount(images.labels, minlength=len(images.classes))
    ordered = sorted(findings, key=lambda finding: finding.severity != ERROR)
    errors = sum(finding.severity == ERROR for finding in ordered)
    return Report(
        name=name or images.name,
        images=len(images),
        classes={word: int(n) for word, n in zip(images.classes, numbers, strict=True)},
        findings=tuple(ordered),
        counts=counts | {"errors": errors, "warnings": len(ordered) - errors},
    )


def image_finding(
    images: ImageSet, kind: str, severity: str, rows: Sequence[int], text: str
) -> Finding:
    """Finding on the images at `rows`; the text begins with their names."""
    shown = listed([f"{images.sources[row]} (row {row})" for row in rows])
    return Finding(kind, severity, f"{shown} {text}", names_of(images, rows), tuple(rows))


def pairs_finding(
    images: ImageSet,
    kind: str,
    severity: str,
    pairs: Sequence[Pair],
    text: str,
) -> Finding:
    """Finding on pairs of rows that lie close together on the sky."""
    rows = tuple(sorted({row for first, second, _ in pairs for row in (first, second)}))
    named = tuple(
        (images.sources[first], images.sources[second], float(arcsec))
        for first, second, arcsec in pairs
    )
    return Finding(kind, severity, text, names_of(images, rows), rows, named)


def pair_text(images: ImageSet, pair: Pair) -> str:
    """Names, rows and separation of a pair."""
    first, second, arcsec = pair
    return (
        f"{images.sources[first]} (row {first}) and {images.sources[second]} (row {second}), "
        f"{arcsec:.1f} arcsec apart"
    )


def names_of(images: ImageSet, rows: Sequence[int]) -> tuple[str, ...]:
    """Source names of `rows`."""
    return tuple(images.sources[row] for row in rows)


def listed(texts: Sequence[str]) -> str:
    """The first five texts, and how many more there are."""
    rest = len(texts) - _MOST_NAMED
    return "; ".join(texts[:_MOST_NAMED]) + (f"; and {rest} more" if rest > 0 else "")
