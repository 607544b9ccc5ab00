"""Documents that somebody opened through the contents service.

The server's bus says that a path was got, which front ends also do only to see whether
a file changed, and does not say of which type. The request in whose course it says so
does: only one for content is an opening, and only of the path that it names, not of
what a folder lists.
"""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from re import fullmatch
from typing import Any, NamedTuple

from jupyter_otel.event import Attribution, Intake, read_time
from jupyter_otel.schema import Schema
from jupyter_otel.sources.bus_handler import BusHandler

DOCUMENT_OPENED = "https://events.jupyter.org/jupyter_otel/document_opened/v1"
CONTENTS_SERVICE = "https://events.jupyter.org/jupyter_server/contents_service/v1"

_TYPES = frozenset({"notebook", "file", "directory"})
_EXTENSIONS = (
    "arrow|avro|avi|bam|bib|bmp|bz2|c|cc|cfg|conf|cpp|css|csv|cu|dat|db|docx?|dta|duckdb"
    "|eps|f90|fasta|fastq|feather|fits|gif|go|gpkg|gz|h|h5|hdf5?|hpp|htm|html|ini|ipynb"
    "|java|jl|jpe?g|js|json|jsonl|kml|kt|log|lua|m|mat|md|mov|mp3|mp4|nb|nc|ndjson|npy"
    "|npz|odp|ods|odt|onnx|orc|parquet|pdf|pickle|pkl|pl|png|pptx?|proto|ps1|pt|py|pyi"
    "|pyx|qmd|r|rb|rda|rdata|rds|rmd|root|rs|rst|rtf|sas|sav|scala|sh|shp|sql|sqlite3?"
    "|svg|swift|tar|tex|tgz|tiff?|toml|ts|tsv|tsx|txt|vcf|wav|webp|xls|xlsx|xml|xz|yaml"
    "|yml|zarr|zip|zst|geojson"
)
"""Those that are known to say what a file is; lower-case."""
_FORMATS = frozenset({"text", "base64"})


class Opening(NamedTuple):
    """What the request says that is being served, where it asks for content."""

    path: str
    type: str | None
    format: str | None


class DocumentsHandler(BusHandler):
    """Reports each document whose content was got, with its type.

    Args:
        intake: Where the events go in.
        schema: `DOCUMENT_OPENED`, as the catalog has it.
        opening: What the request being served says; None: it opens nothing.
        attribution: Whose the request is, and in which span.
    """

    def __init__(
        self,
        intake: Intake,
        schema: Schema,
        opening: Callable[[], Opening | None],
        attribution: Callable[[], Attribution],
    ) -> None:
        super().__init__("the watch over opened documents")
        self._intake, self._schema = intake, schema
        self._opening, self._attribution = opening, attribution

    def take(self, event: Mapping[str, Any]) -> None:
        """Look at one event of the bus."""
        if event.get("__schema__") != CONTENTS_SERVICE or event.get("action") != "get":
            return
        opening, path = self._opening(), event.get("path")
        if opening is None or not isinstance(path, str):
            return
        if path.strip("/") != opening.path.strip("/"):
            return
        time_ns = read_time(event.get("__timestamp__"))
        attribution = self._attribution()._replace(time_ns=time_ns)
        self._intake.emit(self._schema, describe(path, opening), attribution)


def describe(path: str, opening: Opening) -> dict[str, str]:
    """Return an opened document as properties of the event."""
    data = {"path": path}
    suffix = PurePosixPath(path).suffix[1:].lower()
    # Any other, and a folder's, is part of a name: `jane.doe`.
    if opening.type != "directory" and fullmatch(_EXTENSIONS, suffix):
        data["extension"] = suffix
    if opening.type in _TYPES:
        data["type"] = opening.type
    elif suffix == "ipynb":  # as the contents service itself decides
        data["type"] = "notebook"
    if opening.format in _FORMATS:
        data["format"] = opening.format
    return data
