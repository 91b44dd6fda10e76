"""Libraries that only some parts need: the rest works without them."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarker.core.errors import SettingsError

# module -> what pip calls it
PIP_NAMES = {
    "onnx": "onnx",
    "tf2onnx": "tf2onnx",
    "onnxruntime": "onnxruntime",
    "ai_edge_litert": "ai-edge-litert",
    "mlflow": "mlflow-skinny",
    "sqlalchemy": "SQLAlchemy",
    "pymysql": "PyMySQL",
}


def require(what: str, extra: str, *modules: str) -> None:
    """Raise `SettingsError` with the command that installs what is missing, if anything is.

    Arguments
    ---------
    what : that needs them, for the message
    extra : of this package, which names them all
    modules : as they are imported
    """
    missing = [PIP_NAMES.get(name, name) for name in modules if find_spec(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        message = (
            f"{what} needs {', '.join(missing)}, which {verb} not installed here: "
            f"pip install 'benchmarker[{extra}]', or pip install {' '.join(missing)}"
        )
        raise SettingsError(message)
