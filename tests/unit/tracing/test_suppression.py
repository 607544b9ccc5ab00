from opentelemetry import context

from jupyter_otel.delivery import Delivery
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, Signal
from jupyter_otel.testing.recording import RecordingDestination

KEYS = [
    "suppress_instrumentation",
    context._SUPPRESS_INSTRUMENTATION_KEY,
    context._SUPPRESS_HTTP_INSTRUMENTATION_KEY,
]


class Watching(RecordingDestination):
    """Remembers in which context it was asked to send."""

    seen: tuple = ()

    def send(self, request, records):  # noqa: D102
        self.seen = [context.get_value(key) for key in KEYS]
        return super().send(request, records)


def test_no_instrumentation_traces_what_a_sender_sends():
    spool = Spool(
        None, max_bytes=1000, max_age_s=60, when_full="drop", synchronous=False
    )
    destination = Watching()
    delivery = Delivery(Signal.LOGS, spool, destination, Books())
    spool.append([NewRow(Signal.LOGS, "", "", 0, 1, "", b"x")])

    delivery.start()
    destination.wait_for_requests(1)
    delivery.stop(10)
    spool.close()

    assert destination.seen == [True, True, True]
    assert [context.get_value(key) for key in KEYS] == [None, None, None]
