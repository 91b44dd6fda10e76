"""The header cards of a classified field: those of RADIAnCE, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarker.core.errors import InputFileError
from benchmarker.core.hashing import SHORT, digest_file
from benchmarker.hosts.radiance.header_cards import LONGEST_TEXT, Card
from benchmarker.hosts.radiance.results import Classified
from benchmarker.runs.trained import Trained

VERSION = 1.0  # CNNVER of the original, which readers may ask for
SIDECAR_SUFFIX = ".cards.txt"


@dataclass(frozen=True)
class Provenance:
    """What the cards say of the network: its name, the hash of its weights, the time (UTC)."""

    network: str
    weights: str
    date: str

    @classmethod
    def of(cls, trained: Trained) -> Provenance:
        """Of a network, now."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return cls(trained.network, digest_file(trained.where)[:SHORT], now)


def cards_of(result: Classified, provenance: Provenance) -> list[Card]:
    """The cards of an image that was classified: those of RADIAnCE first, then ours."""
    found = result.probabilities
    if found is None:
        message = f"{result.path} was not classified, so it has no cards"
        raise InputFileError(message)
    name = provenance.network.encode("ascii", "replace").decode()[: LONGEST_TEXT // 2]
    return [
        Card("CNNVER", VERSION, "version of the artefact keywords", decimals=1),
        Card("GOOD", found["good"], "probability: no artefact"),
        Card("RFI", found["rfi"], "probability: interference alone"),
        Card("SIS", found["sis"], "probability: sources in sidelobes alone"),
        Card("RFISIS", found["rfisis"], "probability: both"),
        Card("RFISUM", min(1.0, result.evidence("rfi") or 0.0), "RFI + RFISIS: any interference"),
        Card("CNNCLASS", str(result.predicted), "most probable class"),
        Card("CNNNAME", name, "network"),
        Card("CNNDATE", provenance.date, "UTC of the classification"),
        Card("CNNHASH", provenance.weights, "SHA-256 of its weights, first 8 digits"),
    ]


def sidecar_of(path: Path) -> Path:
    """``a.fits`` -> ``a.fits.cards.txt``."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def sidecar_text(cards: Sequence[Card]) -> str:
    """Cards as lines, as `astropy.io.fits.Header.fromtextfile` reads them."""
    lines = [card.encoded().decode("ascii").rstrip() for card in cards]
    return "\n".join([*lines, "END", ""])
