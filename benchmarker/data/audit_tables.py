"""A labelled list as an audit reads it: what is the class, the part, the group, the metadata.

Columns are found by the words that tables of the field use. What file names of MWA snapshots
say (observation, band, polarisation, version) becomes columns where a list has none, and what
is left of a name after all that its row says becomes the column ``ending``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import InputFileError, SettingsError, suggest
from benchmarker.data.images import ImageSet
from benchmarker.data.sky import SAME_SOURCE_ARCSEC, sky_groups

if TYPE_CHECKING:
    import pandas as pd

CLASS_WORDS = ("class", "classification", "kind", "label", "target")
PART_WORDS = ("split", "part", "set", "subset")
FILE_WORDS = ("file", "filename", "file_name", "path", "image", "name", "source")
GROUP_WORDS = (
    "obsid", "observation", "night", "object", "object_id", "objectid", "oid", "source_id",
    "field", "tile", "exposure", "position",
)  # fmt: skip
BAND_WORDS = ("band", "filter", "fid", "f_low_mhz", "frequency", "freq")
POSITION_WORDS = (("ra_deg", "dec_deg"), ("ra", "dec"))
MOST_VALUES = 64  # of a column that is metadata; numbers with more are binned, words left out
BINS = 10
# 1078336032_223-231MHz_YY_r-1.0_v2.1.fits: GPS second, sub-band, polarisation, robust, version
_SNAPSHOT = re.compile(
    r"(?P<obsid>\d{9,10})_(?P<f_low_mhz>\d{3})-(?P<f_high_mhz>\d{3})MHz_(?P<pol>[A-Z]{2})"
    r"_r(?P<robust>-?[\d.]+)_v(?P<version>\d+\.\d+)"
)
_GPS_SECOND = re.compile(r"\d{9,10}")
# nights change at local noon: MWA, 116.7 degrees east
_NIGHT_SHIFT_HOURS = 116.67 / 15 - 12


@dataclass(frozen=True)
class LabelledTable:
    """Rows of an audit.

    Arguments
    ---------
    name : of the list or set
    frame : pandas table of words, one row per image
    label : column of the class
    part : column of the split; None without one
    file : column of the names; None without one
    groups : columns that together name what must not be torn apart, one tuple per way
    facts : columns of metadata, of which a class should be independent
    """

    name: str
    frame: pd.DataFrame
    label: str
    part: str | None
    file: str | None
    groups: tuple[tuple[str, ...], ...]
    facts: tuple[str, ...]


def read_table(path: str | Path, *, label: str | None = None) -> pd.DataFrame:
    """A CSV list as words; without a header it is a list of paths and, if there, labels.

    Empty columns at the end (trailing commas) go. Raises `InputFileError` naming the file.
    """
    import pandas as pd

    path = Path(path)
    try:
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, index_col=False, header=None, encoding="utf-8"
        )
    except (OSError, ValueError) as error:  # the parser's and the decoder's errors are ValueErrors
        message = f"{path}: not a readable CSV table: {str(error).splitlines()[0]}"
        raise InputFileError(message) from None
    frame = frame.map(str.strip)
    frame = frame.loc[:, (frame != "").any()]
    header = [word.lower() for word in frame.iloc[0]]
    known = {*CLASS_WORDS, *FILE_WORDS, *PART_WORDS, *([label.lower()] if label else [])}
    if known & set(header):
        named = frame.iloc[1:].reset_index(drop=True)
        named.columns = [word or f"column{n}" for n, word in enumerate(header, start=1)]
    elif frame.shape[1] <= 2:
        named = frame.set_axis(["file", "label"][: frame.shape[1]], axis=1)
    else:
        message = (
            f"{path}: no header with a column of classes, expected one of {', '.join(CLASS_WORDS)} "
            f"(or a list of paths and labels), got {', '.join(frame.iloc[0])}"
        )
        raise InputFileError(message)
    if len(set(named.columns)) < named.shape[1] or named.empty:
        message = f"{path}: expected rows below a header of distinct names, got {', '.join(header)}"
        raise InputFileError(message)
    return named


def table_of_images(images: ImageSet) -> pd.DataFrame:
    """What is known of the images of a data set, as such a table."""
    import pandas as pd

    columns: dict[str, Any] = {
        "file": list(images.sources),
        "class": [images.classes[label] for label in images.labels],
    }
    if images.published_split is not None:
        columns["split"] = list(images.published_split)
    if images.ra_deg is not None and images.dec_deg is not None:
        columns |= {"ra_deg": map(str, images.ra_deg), "dec_deg": map(str, images.dec_deg)}
    return pd.DataFrame({key: list(values) for key, values in columns.items()}, dtype=str)


def labelled(
    frame: pd.DataFrame,
    name: str,
    *,
    label: str | None = None,
    groups: Sequence[str] = (),
) -> LabelledTable:
    """Say what each column is; `label` and `groups` (``obsid`` or ``obsid,pol``) overrule.

    Raises `SettingsError` for a column that is not there or a table without classes.
    """
    frame = _with_names_read(frame)
    label = _asked(frame, label) if label else _first(frame, CLASS_WORDS)
    if label is None:
        message = (
            f"{name}: no column of classes among {', '.join(frame.columns)}; name it with --class"
        )
        raise SettingsError(message)
    part, file = _first(frame, PART_WORDS), _first(frame, FILE_WORDS)
    frame = _with_nights(_with_positions(frame))
    asked = tuple(tuple(_asked(frame, word) for word in text.split(",")) for text in groups)
    found = asked or _found_groups(frame)
    others = {label, part, file, *CLASS_WORDS, *(pair for two in POSITION_WORDS for pair in two)}
    single = {columns[0] for columns in found if len(columns) == 1}
    frame = _with_endings(frame, file)
    facts = tuple(c for c in frame.columns if c not in others | single and c not in GROUP_WORDS)
    frame = frame.assign(**{column: _binned(frame[column]) for column in facts})
    return LabelledTable(name, frame, label, part, file, found, _telling(frame, facts))


def _first(frame: pd.DataFrame, known: Sequence[str]) -> str | None:
    return next((word for word in known if word in frame.columns), None)


def _asked(frame: pd.DataFrame, word: str) -> str:
    word = word.strip().lower()
    if word not in frame.columns:
        near = suggest(word, list(frame.columns))
        message = f"no column {word!r}{near}; columns: {', '.join(frame.columns)}"
        raise SettingsError(message)
    return word


def _with_names_read(frame: pd.DataFrame) -> pd.DataFrame:
    file = _first(frame, FILE_WORDS)
    if file is None or any(word in frame.columns for word in GROUP_WORDS):
        return frame
    told = frame[file].str.extract(_SNAPSHOT)
    return frame.join(told) if told["obsid"].notna().all() else frame


def _with_nights(frame: pd.DataFrame) -> pd.DataFrame:
    """The night of an observation that is named by its GPS second."""
    if "obsid" not in frame or "night" in frame:
        return frame
    if not frame["obsid"].str.fullmatch(_GPS_SECOND).all():
        return frame
    from astropy.time import Time, TimeDelta

    begun = Time(frame["obsid"].astype(float).to_numpy(), format="gps", scale="utc")
    days = (begun + TimeDelta(_NIGHT_SHIFT_HOURS * 3600, format="sec")).utc.strftime("%Y-%m-%d")
    return frame.assign(night=days)


def _with_positions(frame: pd.DataFrame) -> pd.DataFrame:
    """Images of one place on the sky as the group ``position``."""
    for ra, dec in POSITION_WORDS:
        if ra in frame and dec in frame:
            import pandas as pd

            places = [pd.to_numeric(frame[word], errors="coerce") for word in (ra, dec)]
            if not any(place.isna().any() for place in places):
                near = sky_groups(*(place.to_numpy() for place in places), SAME_SOURCE_ARCSEC)
                return frame.assign(position=[str(group) for group in near])
    return frame


def _found_groups(frame: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Every column that names a group; observations also by band."""
    single = [word for word in GROUP_WORDS if word in frame]
    repeated = [word for word in single if frame[word].duplicated().any()]
    band = _first(frame, BAND_WORDS)
    first = repeated[:1] if band else []
    return (*((word,) for word in repeated), *((word, band) for word in first if band))


def _with_endings(frame: pd.DataFrame, file: str | None) -> pd.DataFrame:
    """What a name says beyond the metadata of its row, such as ``_rfi`` at its end."""
    if file is None or "ending" in frame:
        return frame
    others = [c for c in frame.columns if c not in (file, *CLASS_WORDS, *PART_WORDS)]
    rest = []
    for name, values in zip(frame[file], frame[others].itertuples(index=False), strict=True):
        text = Path(name).name.split(".fits")[0]
        for value in sorted({value for value in values if value}, key=len, reverse=True):
            text = re.sub(_bounded(value), "", text, count=1)
        rest.append(text.strip("_-. "))
    first, last = min(rest), max(rest)
    common = next(
        (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    endings = [text[common:].strip("_-. ") or "none" for text in rest]
    return frame.assign(ending=endings) if 1 < len(set(endings)) <= MOST_VALUES else frame


def _bounded(value: str) -> str:
    """A pattern of the value that is no part of a longer number or word; 72 may stand as 072."""
    ends = [
        r"\d" if e.isdigit() else r"[A-Za-z]" if e.isalpha() else None
        for e in (value[0], value[-1])
    ]
    before, after = (
        f"(?{mark}{kind})" if kind else "" for mark, kind in zip(("<!", "!"), ends, strict=True)
    )
    return f"{before}0*{re.escape(value)}{after}"


def _binned(values: pd.Series) -> pd.Series:
    """Numbers of many values as ten ranges with equally many images; others as they are."""
    if values.nunique() <= MOST_VALUES:
        return values
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.isna().any():
        return values
    ranges = pd.qcut(numbers, BINS, duplicates="drop")
    return ranges.map(lambda one: f"{one.left:g} to {one.right:g}").astype(str)


def _telling(frame: pd.DataFrame, facts: Sequence[str]) -> tuple[str, ...]:
    """Columns of at least two and not too many values, no two of which say the same."""
    kept: list[str] = []
    for column in facts:
        values = frame[column].nunique()
        twin = any(
            values == frame[other].nunique() == len(frame[[column, other]].drop_duplicates())
            for other in kept
        )
        if 1 < values <= MOST_VALUES and not twin:
            kept.append(column)
    return tuple(kept)
