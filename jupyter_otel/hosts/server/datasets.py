"""The source ``datasets`` on a server: documents opened, and what kernels report."""

from collections.abc import Callable
from typing import Any

from jupyter_server import CallContext
from jupyter_server.services.contents.handlers import ContentsHandler

from jupyter_otel.hosts.collected_schema import collected_schema
from jupyter_otel.hosts.server.people import People
from jupyter_otel.sources.documents import (
    DOCUMENT_OPENED,
    DocumentsHandler,
    Opening,
)
from jupyter_otel.sources.kernel_events import (
    DATASET_ACCESS,
    AttributionOf,
    KernelEvents,
)
from jupyter_otel.telemetry import Telemetry


def reader_of_kernels(
    telemetry: Telemetry, attribution_of: AttributionOf
) -> Callable[[str, bytes], None] | None:
    """Return what takes the messages in which kernels report the data they open.

    None where that is not collected: then no kernel is asked for any.
    """
    is_on = telemetry.settings.sources.datasets
    if collected_schema(telemetry, DATASET_ACCESS, is_on=is_on) is None:
        return None
    return KernelEvents(telemetry.intake, attribution_of).take


def capture_documents(serverapp: Any, telemetry: Telemetry, people: People) -> None:
    """Report the documents that people open through the contents service."""
    is_on = telemetry.settings.sources.datasets
    schema = collected_schema(telemetry, DOCUMENT_OPENED, is_on=is_on)
    if schema is None:
        return
    serverapp.event_logger.register_handler(
        DocumentsHandler(telemetry.intake, schema, opening, people.attribution)
    )


def opening() -> Opening | None:
    """Return what is being opened in this context, by the request being served.

    Only a plain GET for content opens; a front end that looks whether a file changed
    asks without, and reading by the server itself is nobody's opening.
    """
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    if not isinstance(handler, ContentsHandler) or handler.request.method != "GET":
        return None
    # tornado has no public word for it. A task may outlive the request that began it.
    if handler._finished or handler.get_query_argument("content", "1") == "0":  # noqa: SLF001
        return None
    return Opening(
        str(handler.path_kwargs.get("path") or ""),
        handler.get_query_argument("type", None),
        handler.get_query_argument("format", None),
    )
