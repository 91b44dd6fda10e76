"""What is wrong with a set of images: repeats, leaks, empty and broken ones, close neighbours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError
from benchmarker.data.findings import (
    ERROR,
    WARNING,
    Finding,
    Pair,
    Report,
    image_finding,
    listed,
    make_report,
    pair_text,
    pairs_finding,
)
from benchmarker.data.images import ImageSet
from benchmarker.data.overlaps import check_between
from benchmarker.data.pixel_facts import Facts, scan
from benchmarker.data.sky import SAME_SOURCE_ARCSEC, SkyPairs, pairs_within
from benchmarker.data.splits import Split

__all__ = ["Report", "check_between", "check_images", "refuse_leaks"]

MOST_LEAKS = 20


def check_images(
    images: ImageSet,
    *,
    split: Split | None = None,
    neighbour_arcsec: float | None = None,
    same_source_arcsec: float = SAME_SOURCE_ARCSEC,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Look at every image once and report what would harm training or a comparison.

    Arguments
    ---------
    images : the set; its pixels are read one at a time
    split : parts to look for leaks between; by default the published split, if any
    neighbour_arcsec : positions closer than this show in each other's image; by default half
        the image side, if the pixel scale is known
    same_source_arcsec : positions closer than this are one source
    progress : called with the number of images read so far

    Errors are leaks between parts (identical pixels, or one source on both sides), identical
    images with different labels, unreadable images, images without a finite pixel, and
    images of another size than most. Warnings are repeats inside a part, all-zero, constant
    and partly non-finite images, repeated positions, neighbours, and absent classes.
    """
    facts = scan(images, progress)
    parts = _parts_of_rows(images, split)
    if neighbour_arcsec is None:
        neighbour_arcsec = _half_side_arcsec(images, facts)
    findings = _pixel_findings(images, facts) + _repeats(images, facts, parts)
    findings += _absent_classes(images, parts) + _empty_folders(images)
    counts = _pixel_counts(facts)
    if images.ra_deg is not None and images.dec_deg is not None:
        limits = (same_source_arcsec, neighbour_arcsec)
        sky_findings, sky_counts = _sky_findings(images, facts, parts, limits)
        findings += sky_findings
        counts |= sky_counts
    return make_report(images, findings, counts)


def refuse_leaks(images: ImageSet, split: Split) -> None:
    """Raise `InputFileError` naming identical images that stand in two parts of `split`."""
    leaks = [
        finding.text
        for finding in _repeats(images, scan(images), _parts_of_rows(images, split))
        if finding.kind == "leak"
    ]
    if leaks:
        more = len(leaks) - MOST_LEAKS
        if more > 0:
            leaks[MOST_LEAKS:] = [f"and {more} more (`benchmarker data check` finds them all)"]
        message = f"{images.name}: the parts of the split share images:\n  " + "\n  ".join(leaks)
        raise InputFileError(message)


def _pixel_findings(images: ImageSet, facts: Facts) -> list[Finding]:
    findings = [
        image_finding(images, "unreadable", ERROR, [row], f"cannot be read: {text}")
        for row, text in facts.faults.items()
    ]
    findings += [
        image_finding(images, "all-zero", WARNING, [n], "is all zero") for n in facts.all_zero
    ]
    findings += [
        image_finding(images, "constant", WARNING, [n], "has one value in every pixel")
        for n in facts.constant
    ]
    for row, bad in facts.non_finite.items():
        shape = facts.shapes[row] or ()
        whole = bad == int(np.prod(shape))
        text = f"has {bad} pixels that are NaN or infinite, of {int(np.prod(shape))}"
        findings.append(
            image_finding(images, "non-finite", ERROR if whole else WARNING, [row], text)
        )
    return findings + _size_findings(images, facts)


def _size_findings(images: ImageSet, facts: Facts) -> list[Finding]:
    rows_of = defaultdict(list)
    for row, shape in enumerate(facts.shapes):
        if shape is not None:
            rows_of[shape].append(row)
    by_number = sorted(rows_of, key=lambda shape: -len(rows_of[shape]))
    return [
        image_finding(
            images,
            "size",
            ERROR,
            rows_of[shape],
            f"is {_shown(shape)}, most others are {_shown(by_number[0])}",
        )
        for shape in by_number[1:]
    ]


def _repeats(images: ImageSet, facts: Facts, parts: list[str] | None) -> list[Finding]:
    """Identical images: in one part, across parts, and under different labels."""
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, digest in enumerate(facts.digests):
        if digest is not None:
            rows_of[digest].append(row)
    findings = []
    for rows in (rows for rows in rows_of.values() if len(rows) > 1):
        words = sorted({parts[row] for row in rows}) if parts else []
        if len(set(words) - {""}) > 1:
            text = f"hold identical pixels and stand in {' and '.join(filter(None, words))}"
            findings.append(image_finding(images, "leak", ERROR, rows, text))
        else:
            findings.append(
                image_finding(images, "duplicate", WARNING, rows, "hold identical pixels")
            )
        labels = sorted({int(images.labels[row]) for row in rows})
        if len(labels) > 1:
            named = " and ".join(images.classes[label] for label in labels)
            text = f"hold identical pixels but are labelled {named}"
            findings.append(image_finding(images, "label-conflict", ERROR, rows, text))
    return findings


def _absent_classes(images: ImageSet, parts: list[str] | None) -> list[Finding]:
    """Classes without an image, in the whole set or in a part that holds others."""
    places = {"the data set": np.ones(len(images), dtype=bool)}
    for part in sorted(set(parts or ()) - {""}):
        places[part] = np.array([word == part for word in parts or ()])
    return [
        Finding("absent-class", WARNING, f"class {name} has no image in {place}")
        for place, chosen in places.items()
        for label, name in enumerate(images.classes)
        if label not in images.labels[chosen]
    ]


def _empty_folders(images: ImageSet) -> list[Finding]:
    """Folders beside the class folders without an image: perhaps a class never filled."""
    folders = images.provenance.get("passed_over", {}).get("folders without images", [])
    return [
        Finding("empty-folder", WARNING, f"folder {name} holds no image: it is no class")
        for name in folders
    ]


def _sky_findings(
    images: ImageSet,
    facts: Facts,
    parts: list[str] | None,
    limits: tuple[float, float | None],
) -> tuple[list[Finding], dict[str, Any]]:
    """One finding per repeated position, one for neighbours, one for those across parts.

    `limits` are the distances in arcsec within which two positions are one source, and
    within which they show in each other's image (None: unknown). Nearest pairs come first.
    """
    same_source, reach = limits
    pairs = pairs_within(images.ra_deg, images.dec_deg, max(same_source, reach or 0.0))
    nearest = sorted(_as_tuples(pairs), key=lambda pair: pair[2])
    repeated = [pair for pair in nearest if pair[2] <= same_source]
    near = nearest[len(repeated) :]
    across = [pair for pair in near if _is_across(parts, *pair[:2])]
    inside = [pair for pair in near if not _is_across(parts, *pair[:2])]
    central = [pair for pair in across if pair[2] <= (reach or 0.0) / 2]
    findings = [
        _position_finding(images, parts, pair)
        for pair in repeated
        if not _is_identical(facts, *pair[:2])
    ]
    if inside:
        within = " of one part" if parts else ""
        text = f"{_pairs(len(inside))} of sources{within} show in each other's image"
        findings.append(_neighbours(images, "neighbours", inside, text))
    if across:
        text = (
            f"{_pairs(len(across))} of sources in different parts show in each other's image "
            f"(within {reach:g} arcsec), {len(central)} of them also in its central half"
        )
        findings.append(_neighbours(images, "neighbours-across-split", across, text))
    counts = {
        "repeated_positions": len(repeated),
        "neighbour_pairs": len(near),
        "neighbour_pairs_across_split": len(across),
        "neighbour_pairs_across_split_in_central_half": len(central),
        "neighbour_arcsec": reach,
    }
    return findings, counts


def _neighbours(images: ImageSet, kind: str, pairs: list[Pair], text: str) -> Finding:
    named = listed([pair_text(images, pair) for pair in pairs])
    return pairs_finding(images, kind, WARNING, pairs, f"{text}: {named}")


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count} pairs"


def _as_tuples(pairs: SkyPairs) -> list[Pair]:
    columns = (pairs.first.tolist(), pairs.second.tolist(), pairs.arcsec.tolist())
    return list(zip(*columns, strict=True))


def _is_identical(facts: Facts, first: int, second: int) -> bool:
    digest = facts.digests[first]
    return digest is not None and digest == facts.digests[second]


def _position_finding(images: ImageSet, parts: list[str] | None, pair: Pair) -> Finding:
    first, second, _ = pair
    text = f"one source twice: {pair_text(images, pair)}"
    if images.labels[first] != images.labels[second]:
        named = (images.classes[images.labels[row]] for row in (first, second))
        text += f", labelled {' and '.join(named)}"
    if parts and _is_across(parts, first, second):
        text += f", in {parts[first]} and in {parts[second]}"
        return pairs_finding(images, "leak", ERROR, [pair], text)
    return pairs_finding(images, "repeated-position", WARNING, [pair], text)


def _parts_of_rows(images: ImageSet, split: Split | None) -> list[str] | None:
    """Part of each row, an empty word where a source is in none; None without any split."""
    if split is None:
        return None if images.published_split is None else list(images.published_split)
    parts = [""] * len(images)
    for part, rows in split.rows(images.sources).items():
        for row in rows:
            parts[row] = part
    return parts


def _half_side_arcsec(images: ImageSet, facts: Facts) -> float | None:
    shapes = Counter(shape for shape in facts.shapes if shape is not None)
    if not images.pixel_scale_arcsec or not shapes:
        return None
    height, width = shapes.most_common(1)[0][0][:2]
    return max(height, width) / 2 * images.pixel_scale_arcsec


def _is_across(parts: list[str] | None, first: int, second: int) -> bool:
    return bool(parts and parts[first] and parts[second] and parts[first] != parts[second])


def _pixel_counts(facts: Facts) -> dict[str, Any]:
    repeated = Counter(digest for digest in facts.digests if digest is not None)
    return {
        "unreadable": len(facts.faults),
        "all_zero": len(facts.all_zero),
        "constant": len(facts.constant),
        "non_finite": len(facts.non_finite),
        "sizes": len(set(facts.shapes) - {None}),
        "identical": sum(number for number in repeated.values() if number > 1),
    }


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
