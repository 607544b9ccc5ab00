"""One producer in a process of its own, for ``table.py``.

::

    python faults/run.py ROAD ENDPOINT FOLDER EVENTS [--protocol P]

ROAD is ``memory``, ``batched``, ``sync``, ``full`` (batched, a spool of 1 MiB that big
events overrun) or ``stock``; with no EVENTS it only sends what an earlier one left in
FOLDER. It writes a line for each event that was taken, with the time when `emit` had
returned, then ``closing``, closes, and writes its books as a line of JSON.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traitlets.config import Config

SCHEMA_ID = "urn:faults:event"
CANARY = "canary-in-an-event"
TOKEN = "canary-in-a-header"  # noqa: S105 - looked for in logs, and good for nothing
OVERLAY = """
schemas:
  "urn:faults:event":
    level: operational
    group: operations
    properties: {n: operational, text: operational}
"""
SCHEMA = {
    "$id": SCHEMA_ID,
    "version": "1",
    "type": "object",
    "properties": {"n": {"type": "integer"}, "text": {"type": "string"}},
}
LASTS_S = 1.0
PIECES = 10
PAUSE_S = LASTS_S / PIECES
BIG_CHARACTERS = 8192


def event(number: int, *, big: bool) -> dict[str, Any]:
    """Return the event of that number."""
    text = CANARY + "x" * BIG_CHARACTERS if big else CANARY
    return {"n": number, "text": text}


def configured(folder: Path, endpoint: str) -> "Config":
    """Return the configuration of ours: as it comes, but for places and a header."""
    from traitlets.config import Config  # noqa: PLC0415 - a road loads only its own

    overlay = folder / "overlay.yaml"
    overlay.write_text(OVERLAY)
    config = Config()
    config.OtelPolicy.level = "operational"
    config.OtelPolicy.files = [str(overlay)]
    # Only what is emitted here is to be counted.
    config.OtelPolicy.exclude = ["*/pipeline_report/*"]
    config.OtelRedaction.hash_key_file = str(folder / "hash_key")
    config.OtelExport.endpoint = endpoint
    config.OtelExport.headers = {"authorization": TOKEN}
    config.OtelSpool.directory = str(folder / "spool")
    return config


def ours(options: argparse.Namespace) -> dict[str, Any]:
    """Emit through `Telemetry`; return its books."""
    from jupyter_otel.telemetry import Telemetry  # noqa: PLC0415 - ours only

    config = configured(options.folder, options.endpoint)
    config.OtelExport.protocol = options.protocol
    config.OtelExport.timeout_s = 3.0
    if options.certificate_file:
        config.OtelExport.certificate_file = options.certificate_file
    is_full = options.road == "full"
    config.OtelSpool.durability = "batched" if is_full else options.road
    if is_full:
        config.OtelSpool.max_mib = 1
    telemetry = Telemetry(config)
    telemetry.register_schema(SCHEMA)

    def emit(number: int) -> bool:
        data = event(number, big=is_full)
        return telemetry.emit(schema_id=SCHEMA_ID, data=data)

    if options.events:
        _emit_all(emit, options.events)
    else:
        telemetry.flush(10.0)
    print("closing", flush=True)
    telemetry.close()
    return telemetry.tally().logs.to_json()


def stock(options: argparse.Namespace) -> None:
    """Log through the SDK's batching processor and exporter; it keeps no books."""
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415

    provider = LoggerProvider(shutdown_on_exit=False)
    processor = BatchLogRecordProcessor(_stock_exporter(options))
    provider.add_log_record_processor(processor)
    logger = provider.get_logger("faults")

    def emit(number: int) -> bool:
        attributes = {f"jupyter.event.{k}": v for k, v in event(number, big=0).items()}
        logger.emit(body=SCHEMA_ID, attributes=attributes)
        return True

    _emit_all(emit, options.events)
    print("closing", flush=True)
    provider.shutdown()


def _stock_exporter(options: argparse.Namespace) -> Any:
    """Return the SDK's exporter for a protocol, as it comes."""
    if options.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import (  # noqa: PLC0415
            OTLPLogExporter as GrpcExporter,
        )

        return GrpcExporter(endpoint=options.endpoint)
    from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # noqa: PLC0415
        OTLPLogExporter as HttpExporter,
    )

    return HttpExporter(
        endpoint=f"{options.endpoint}/v1/logs",
        certificate_file=options.certificate_file or None,
    )


def _emit_all(emit: Callable[[int], bool], events: int) -> None:
    """Emit in pieces over `LASTS_S`, and say of each event that it was taken."""
    for piece in range(PIECES):
        for number in range(piece * events // PIECES, (piece + 1) * events // PIECES):
            if emit(number):
                print(number, time.monotonic_ns(), flush=True)
        time.sleep(PAUSE_S)


def main() -> None:
    """Run one producer."""
    logging.basicConfig(level=logging.INFO)
    parser = argparse.ArgumentParser()
    parser.add_argument("road")
    parser.add_argument("endpoint")
    parser.add_argument("folder", type=Path)
    parser.add_argument("events", type=int)
    parser.add_argument("--protocol", default="http/protobuf")
    parser.add_argument("--certificate-file", default="")
    options = parser.parse_args()
    books = stock(options) if options.road == "stock" else ours(options)
    print("books", json.dumps(books), flush=True)


if __name__ == "__main__":
    main()
