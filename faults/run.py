"""One producer in a process of its own, for ``table.py``.

::

    python faults/run.py ROAD ENDPOINT FOLDER EVENTS

ROAD is ``memory``, ``batched``, ``sync``, ``full`` (batched, a spool of 1 MiB that big
events overrun) or ``stock``; with no EVENTS it only sends what an earlier one left in
FOLDER. It writes a line for each tenth of the events, then ``closing``, closes, and
writes its books as a line of JSON.
"""

import json
import logging
import sys
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


def ours(road: str, endpoint: str, folder: Path, events: int) -> dict[str, Any]:
    """Emit through `Telemetry`; return its books."""
    from jupyter_otel.telemetry import Telemetry  # noqa: PLC0415 - ours only

    config = configured(folder, endpoint)
    config.OtelExport.timeout_s = 3.0
    config.OtelSpool.durability = "batched" if road == "full" else road
    if road == "full":
        config.OtelSpool.max_mib = 1
    telemetry = Telemetry(config)
    telemetry.register_schema(SCHEMA)

    def emit(number: int) -> bool:
        data = event(number, big=road == "full")
        return telemetry.emit(schema_id=SCHEMA_ID, data=data)

    if events:
        accepted = _emit_all(emit, events)
    else:
        accepted = 0
        telemetry.flush(10.0)
    print("closing", flush=True)
    telemetry.close()
    return {"accepted": accepted, **telemetry.tally().logs.to_json()}


def stock(_road: str, endpoint: str, _folder: Path, events: int) -> dict[str, Any]:
    """Log through the SDK's batching processor and exporter; it keeps no books."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # noqa: PLC0415
        OTLPLogExporter,
    )
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415

    exporter = OTLPLogExporter(endpoint=f"{endpoint}/v1/logs")
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("faults")

    def emit(number: int) -> bool:
        attributes = {f"jupyter.event.{k}": v for k, v in event(number, big=0).items()}
        logger.emit(body=SCHEMA_ID, attributes=attributes)
        return True

    accepted = _emit_all(emit, events)
    print("closing", flush=True)
    provider.shutdown()
    return {"accepted": accepted}


def _emit_all(emit: Callable[[int], bool], events: int) -> int:
    """Emit in pieces over `LASTS_S`, telling how far it has come."""
    accepted = 0
    for piece in range(PIECES):
        for number in range(piece * events // PIECES, (piece + 1) * events // PIECES):
            accepted += emit(number)
        print(accepted, flush=True)
        time.sleep(LASTS_S / PIECES)
    return accepted


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    road, url, place, count = sys.argv[1:]
    run = stock if road == "stock" else ours
    print(json.dumps(run(road, url, Path(place), int(count))), flush=True)
