"""The ways in which a collector can misbehave over HTTP, each with a name.

``FAULTS["503"]`` is a script for `HttpReceiver`: what the first requests meet; after
them all is well. A collector that is not there at all is a port on which nobody
listens, and one that comes back is a new receiver on the same port.
"""

import threading
from collections.abc import Mapping, Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)

from jupyter_otel.testing.http_receiver import Answer

_PROTOBUF = {"Content-Type": "application/x-protobuf"}
_FAR_AWAY_S = "315360000"


def partial_success(rejected: int, message: str = "") -> Answer:
    """Return the answer of a receiver that took all but so many log records."""
    partial = ExportLogsPartialSuccess(
        rejected_log_records=rejected, error_message=message
    )
    response = ExportLogsServiceResponse(partial_success=partial)
    return Answer(200, _PROTOBUF, response.SerializeToString())


def black_hole() -> Answer:
    """Return the answer that never comes."""
    return Answer(wait_for=threading.Event())


FAULTS: Mapping[str, Sequence[Answer]] = {
    "reset mid-body": [Answer(reset=True)] * 2,
    "black hole": [black_hole()],
    "1 byte/s": [Answer(body=b"a" * 60, drip_s=1)],
    "1 byte/s, headers too": [Answer(drip_head_s=1)],
    "400": [Answer(400)] * 2,
    "401": [Answer(401)] * 2,
    "403": [Answer(403)] * 2,
    "404": [Answer(404)] * 2,
    "413": [Answer(413)] * 2,
    "429, Retry-After 1": [Answer(429, {"Retry-After": "1"})],
    "429, Retry-After a date gone by": [
        Answer(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    ],
    "500": [Answer(500)],
    "502": [Answer(502)],
    "503": [Answer(503)] * 2,
    "503, Retry-After ten years": [Answer(503, {"Retry-After": _FAR_AWAY_S})],
    "504": [Answer(504)],
    "307 to elsewhere": [Answer(307, {"Location": "http://127.0.0.1:9/v1/logs"})],
    "200 in HTML": [Answer(200, {"Content-Type": "text/html"}, b"<html>Hello</html>")],
    "200, garbage": [Answer(200, _PROTOBUF, b"\xff\xff\xff\xff")],
    "200, another type": [Answer(200, {"Content-Type": "text/plain"}, b"ok")],
    "partial_success, 3 rejected": [partial_success(3, "too old")],
    "partial_success, a warning": [partial_success(0, "slow down")],
    "takes it, then dies": [Answer(hang_up=True)] * 2,
}
"""What the first requests are answered, by the fault's name."""
