"""Puts the text folders into the wheel; everything else stands in pyproject.toml.

A checkout has architectures/, augment/, data/ and results/ beside the package. A wheel
carries them inside, as benchmarker/text/, where `benchmarker.core.folders` finds them.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
TEXTS = {
    "architectures": "**/*.txt",
    "augment": "*.yaml",
    "data": "*.toml",
    "results": "published.csv",
}


def texts() -> list[Path]:
    """The text files that ship, relative to the checkout."""
    found = [path for folder, names in TEXTS.items() for path in (ROOT / folder).glob(names)]
    return sorted(path.relative_to(ROOT) for path in found)


class BuildWithTexts(build_py):
    """Copies the text folders into what is built; an editable install reads them in place."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if not self.editable_mode:
            for source, target in self._copies():
                target.parent.mkdir(parents=True, exist_ok=True)
                self.copy_file(str(ROOT / source), str(target))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:  # noqa: FBT001, FBT002
        """All files that `run` writes."""
        return [*super().get_outputs(include_bytecode), *(str(to) for _, to in self._copies())]

    def get_source_files(self) -> list[str]:
        """All files that a source archive needs."""
        return [*super().get_source_files(), *(str(path) for path in texts())]

    def _copies(self) -> list[tuple[Path, Path]]:
        inside = Path(self.build_lib) / "benchmarker" / "text"
        return [(path, inside / path) for path in texts()]


setup(cmdclass={"build_py": BuildWithTexts})
