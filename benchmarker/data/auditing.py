"""The audit of a labelled list: what would let a network look good without seeing the sky.

Groups torn between training and test, classes that contradict each other inside a group,
classes that follow from metadata, and twins of one image. Everything is read from the list
alone; no image is opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarker.data.audit_tables import LabelledTable
from benchmarker.data.findings import ERROR, WARNING, Finding, Report, listed

if TYPE_CHECKING:
    import pandas as pd

TRAINING = ("train", "training")
LEVEL = 0.01  # of the corrected p, below which metadata and class are called dependent
FEWEST_EXPECTED = 5.0  # images of a class with a value, for its absence to be told
MOST_NAMED = 8


def audit(table: LabelledTable) -> Report:
    """Everything that the rules below find in a labelled list.

    Kinds of findings: ``group-leak`` (error), ``conflicting-labels``, ``confounded``,
    ``part-differs``, ``twins`` (warnings). The numbers are in ``counts``, ready for JSON.
    """
    frame, label = table.frame, table.label
    sizes = frame[label].value_counts()
    counts: dict[str, Any] = {
        "rows": len(frame),
        "parts": _parts(table),
        "groups": {"+".join(columns): _group_counts(table, columns) for columns in table.groups},
        "metadata": _dependence(table),
        "twins": _twins(table),
    }
    findings = [
        *_leaks(counts["groups"]),
        *_conflicts(counts["groups"]),
        *_confounded(counts["metadata"]),
        *_part_findings(table),
        *_twin_findings(counts["twins"]),
    ]
    ordered = sorted(findings, key=lambda finding: finding.severity != ERROR)
    errors = sum(finding.severity == ERROR for finding in ordered)
    counts |= {"errors": errors, "warnings": len(ordered) - errors}
    classes = {str(word): int(count) for word, count in sizes.items()}
    return Report(table.name, len(frame), classes, tuple(ordered), counts)


def _parts(table: LabelledTable) -> dict[str, dict[str, int]]:
    """Images by part and class."""
    if table.part is None:
        return {}
    found = table.frame.groupby([table.part, table.label]).size()
    parts: dict[str, dict[str, int]] = {}
    for (part, word), count in found.items():
        parts.setdefault(str(part), {})[str(word)] = int(count)
    return parts


def _group_counts(table: LabelledTable, columns: tuple[str, ...]) -> dict[str, Any]:
    """Groups, those of several images, what leaks, and which classes meet in one group."""
    frame = table.frame
    keys = frame[list(columns)].agg("|".join, axis=1)
    sizes = keys.value_counts()
    classes = frame.groupby(keys)[table.label].agg(lambda found: "/".join(sorted(set(found))))
    mixed = classes[classes.str.contains("/", regex=False)]
    found: dict[str, Any] = {
        "groups": len(sizes),
        "of_several_images": int((sizes > 1).sum()),
        "of_several_classes": len(mixed),
        "classes_that_meet": {word: int(n) for word, n in Counter(mixed).most_common()},
        "leaks": {},
    }
    if table.part is not None:
        training = frame[table.part].str.lower().isin(TRAINING)
        trained = set(keys[training])
        for part in sorted(set(frame[table.part][~training])) if trained else ():
            here = keys[frame[table.part] == part]
            found["leaks"][str(part)] = {"images": int(here.isin(trained).sum()), "of": len(here)}
    return found


def _leaks(groups: dict[str, Any]) -> Iterator[Finding]:
    for name, found in groups.items():
        told = [
            f"{leak['images']} of {leak['of']} {part} images"
            for part, leak in found["leaks"].items()
            if leak["images"]
        ]
        if told:
            text = f"{' and '.join(told)} share their {_words(name)} with a training image"
            yield Finding("group-leak", ERROR, text)


def _conflicts(groups: dict[str, Any]) -> Iterator[Finding]:
    for name, found in groups.items():
        if found["of_several_classes"]:
            meeting = ", ".join(f"{n} {word}" for word, n in found["classes_that_meet"].items())
            text = (
                f"{found['of_several_classes']} of {found['of_several_images']} groups of one "
                f"{_words(name)} with several images hold several classes: {meeting}"
            )
            yield Finding("conflicting-labels", WARNING, text)


def _words(name: str) -> str:
    return name.replace("+", " and ")


def _dependence(table: LabelledTable) -> dict[str, dict[str, Any]]:
    """For each column of metadata how far it gives the class away."""
    found = {
        column: association(table.frame[column], table.frame[table.label]) for column in table.facts
    }
    # Holm 1979: the smallest p stands against all columns, the next against one fewer
    ordered = sorted(found, key=lambda column: found[column]["p"])
    highest = 0.0
    for place, column in enumerate(ordered):
        highest = max(highest, min(1.0, found[column]["p"] * (len(ordered) - place)))
        found[column]["p_corrected"] = highest
    return found


def association(values: pd.Series, classes: pd.Series) -> dict[str, Any]:
    """How a column of metadata and the class hang together.

    ``cramers_v`` 0 to 1 (with the correction of Bergsma 2013), ``p`` of the chi-square test,
    ``guessed``: share of images whose class is the most frequent one of their value, beside
    ``majority``, that of the most frequent class of all; ``never``: values at which a class
    is absent though at least `FEWEST_EXPECTED` images were expected.
    """
    import pandas as pd
    from scipy.stats import chi2_contingency

    table = pd.crosstab(values, classes)
    counts = table.to_numpy()
    total = counts.sum()
    tested = chi2_contingency(counts, correction=False)
    rows, columns = counts.shape
    excess = max(0.0, tested.statistic / total - (rows - 1) * (columns - 1) / (total - 1))
    reach = min(side - (side - 1) ** 2 / (total - 1) for side in (rows, columns)) - 1
    absent = (counts == 0) & (tested.expected_freq >= FEWEST_EXPECTED)
    never = [
        {
            "value": str(table.index[row]),
            "class": str(table.columns[column]),
            "expected": round(float(tested.expected_freq[row, column]), 1),
        }
        for row, column in np.argwhere(absent)
    ]
    return {
        "cramers_v": round(float(np.sqrt(excess / reach)), 4) if reach > 0 else None,
        "p": float(tested.pvalue),
        "guessed": round(float(counts.max(axis=1).sum() / total), 4),
        "majority": round(float(counts.sum(axis=0).max() / total), 4),
        "never": sorted(never, key=lambda one: -one["expected"]),
    }


def _confounded(metadata: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    ordered = sorted(metadata.items(), key=lambda item: -(item[1]["cramers_v"] or 0.0))
    for column, found in ordered:
        if found["p_corrected"] >= LEVEL:
            continue
        never = [f"{one['value']} is never {one['class']}" for one in found["never"]]
        told = f"; {listed(never)}" if never else ""
        text = (
            f"{column} alone tells the class of {100 * found['guessed']:.0f} % of the images "
            f"(the most frequent class: {100 * found['majority']:.0f} %), Cramér's V "
            f"{found['cramers_v']:.2f}{told}"
        )
        yield Finding("confounded", WARNING, text)


def _part_findings(table: LabelledTable) -> Iterator[Finding]:
    """Metadata that differ between the parts of one class: what is tested was not trained."""
    import pandas as pd

    if table.part is None or table.frame[table.part].nunique() < 2:
        return
    cases = []
    for word, rows in table.frame.groupby(table.label):
        for column in table.facts:
            if rows[column].nunique() < 2 or rows[table.part].nunique() < 2:
                continue
            found = association(rows[column], rows[table.part])
            cases.append((found["p"], str(word), column, found["never"]))
    for p, word, column, never in sorted(cases):
        if p * len(cases) < LEVEL:
            missing = [f"no {one['value']} in {one['class']}" for one in never]
            shares = pd.crosstab(
                *(
                    table.frame.loc[table.frame[table.label] == word, name]
                    for name in (table.part, column)
                )
            )
            told = listed(missing) if missing else f"counts {_counts_text(shares)}"
            text = f"{column} of {word} images is not alike in all parts: {told}"
            yield Finding("part-differs", WARNING, text)


def _counts_text(shares: pd.DataFrame) -> str:
    rows = [
        f"{part} "
        + ", ".join(f"{value or 'none'} {n}" for value, n in list(row.items())[:MOST_NAMED])
        for part, row in shares.iterrows()
    ]
    return "; ".join(rows)


def _twins(table: LabelledTable) -> dict[str, Any]:
    """Images that agree in all their metadata and groups, and differ in their names alone."""
    same = [c for columns in table.groups for c in columns] + list(table.facts)
    same = [c for c in dict.fromkeys(same) if c != "ending"]
    if table.file is None or not table.groups:
        return {}
    keys = table.frame[same].agg("|".join, axis=1)
    several = keys[keys.duplicated(keep=False)]
    rows = table.frame.loc[several.index]
    classes = rows.groupby(several)[table.label].agg(lambda found: "/".join(sorted(found)))
    meeting = Counter(word for word in classes if len(set(word.split("/"))) > 1)
    return {
        "groups": len(classes),
        "images": len(rows),
        "of_several_classes": sum(meeting.values()),
        "classes_that_meet": dict(meeting.most_common()),
        "examples": [list(names)[:2] for _, names in rows.groupby(several)[table.file]][
            :MOST_NAMED
        ],
    }


def _twin_findings(twins: dict[str, Any]) -> Iterator[Finding]:
    if twins.get("groups"):
        meeting = ", ".join(f"{n} {word}" for word, n in twins["classes_that_meet"].items())
        told = f", {twins['of_several_classes']} of several classes: {meeting}" if meeting else ""
        example = f", for instance {' and '.join(twins['examples'][0])}"
        text = (
            f"{twins['images']} images in {twins['groups']} groups differ in their names "
            f"alone{told}{example}"
        )
        yield Finding("twins", WARNING, text)
