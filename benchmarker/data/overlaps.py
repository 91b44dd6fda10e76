"""What two data sets share, by pixels and by place on the sky."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarker.data.findings import ERROR, WARNING, Finding, Report, make_report, names_of
from benchmarker.data.images import ImageSet
from benchmarker.data.sharing import pixel_pairs, position_pairs
from benchmarker.data.sky import SAME_SOURCE_ARCSEC


def check_between(
    first: ImageSet,
    second: ImageSet,
    *,
    same_source_arcsec: float = SAME_SOURCE_ARCSEC,
) -> Report:
    """Images and sources that two sets share, by identical pixels and by position.

    What one set tests and the other does not is an error: a model trained on the one must
    not be scored on the other before these are taken out. Everything else is a warning. The
    counts are numbers of images of `first`; ``..._by_part`` has keys like ``train/test``
    (part in `first` / part in `second`), where both have a published split.
    """
    rows = pixel_pairs(first, second)
    findings, counts = _shared(first, second, rows, ("identical", "identical pixels"))
    if first.ra_deg is not None and second.ra_deg is not None:
        near = position_pairs(first, second, same_source_arcsec)
        what = ("same_position", f"positions within {same_source_arcsec:g} arcsec")
        more, sky_counts = _shared(first, second, near, what)
        findings += more
        counts |= sky_counts
    return make_report(first, findings, counts, name=f"{first.name} against {second.name}")


def _shared(
    first: ImageSet,
    second: ImageSet,
    rows: Sequence[tuple[int, int]],
    what: tuple[str, str],
) -> tuple[list[Finding], dict[str, Any]]:
    """Findings and counts of rows that two sets share; `what` is (word, explanation)."""
    key, explanation = what
    parts = [images.published_split for images in (first, second)]
    by_part: dict[str, set[int]] = defaultdict(set)
    for a, b in rows if parts[0] and parts[1] else ():
        by_part[f"{parts[0][a]}/{parts[1][b]}"].add(a)
    shared = sorted({a for a, _ in rows})
    counts = {
        f"{key}_images": len(shared),
        f"{key}_images_of_other": len({b for _, b in rows}),
        f"{key}_by_part": {word: len(by_part[word]) for word in sorted(by_part)},
    }
    kind = f"shared-{key.replace('_', '-')}"
    findings = []
    if shared:
        text = f"{len(shared)} images of {first.name} are also in {second.name} ({explanation})"
        findings.append(Finding(kind, WARNING, text, names_of(first, shared), tuple(shared)))
    for word in sorted(by_part):
        if word.split("/").count("test") == 1:
            here, there = word.split("/")
            leaked = sorted(by_part[word])
            text = (
                f"{len(leaked)} images of {first.name} {here} are in {second.name} {there} "
                f"({explanation})"
            )
            findings.append(Finding("leak", ERROR, text, names_of(first, leaked), tuple(leaked)))
    return findings, counts
