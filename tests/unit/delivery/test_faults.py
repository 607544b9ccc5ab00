import signal as signals
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)

from jupyter_otel.delivery import Delivery, DeliverySettings
from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry, Sent
from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Signal, SignalTally
from jupyter_otel.testing.grpc_receiver import GrpcAnswer, GrpcReceiver
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from jupyter_otel.testing.recording import RecordingDestination

LOGS = Signal.LOGS
_NO_WAIT = DeliverySettings(first_backoff_s=0.001, max_backoff_s=0.002, pause_s=0.0)


def logs_request(text):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = text
    return request.SerializeToString()


def texts(receiver):
    return [record.body.string_value for record in receiver.inbox.records(LOGS)]


def test_over_http_every_record_is_sent_or_counted_under_faults(desk):
    faults = [
        Answer(503),
        Answer(429, {"Retry-After": "0"}),
        Answer(hang_up=True),
        Answer(500),
        Answer(400),
    ]
    with HttpReceiver(faults) as receiver:
        destination = open_destination(
            LOGS, ExportSettings("otlp", endpoint=receiver.endpoint(LOGS))
        )
        settings = _NO_WAIT._replace(merge_rows=4)
        desk.add(*[logs_request(str(number)) for number in range(20)])
        desk.start(destination, settings)
        tally = desk.settled()
        arrived = texts(receiver)

    # The first four met the 500; the next four were split after the 400.
    assert tally == SignalTally(
        accepted=20, sent=16, dropped={DropReason.REJECTED.value: 4}
    )
    assert arrived == [str(number) for number in range(4, 20)]


def test_over_grpc_every_record_is_sent_or_counted_under_faults(desk):
    faults = [
        GrpcAnswer("UNAVAILABLE"),
        GrpcAnswer("RESOURCE_EXHAUSTED", retry_s=0),
        GrpcAnswer("INTERNAL"),
        GrpcAnswer(rejected=1),
    ]
    with GrpcReceiver(faults) as receiver:
        destination = open_destination(
            LOGS, ExportSettings("otlp", endpoint=receiver.url, protocol="grpc")
        )
        desk.add(*[logs_request(str(number)) for number in range(20)])
        desk.start(destination, _NO_WAIT._replace(merge_rows=4))
        tally = desk.settled()
        desk.deliveries.pop().stop(10)
        arrived = texts(receiver)

    assert tally == SignalTally(
        accepted=20, sent=15, dropped={DropReason.REJECTED.value: 5}
    )
    assert arrived == [str(number) for number in range(4, 20)]


def test_a_receiver_that_comes_back_gets_everything(desk, wait_until):
    with HttpReceiver() as receiver:
        endpoint, port = receiver.endpoint(LOGS), receiver.port
        delivery = desk.start(
            open_destination(LOGS, ExportSettings("otlp", endpoint=endpoint))
        )
        desk.add(logs_request("one"))
        delivery.wake()
        desk.settled()
    desk.add(logs_request("two"))
    delivery.wake()
    wait_until(lambda: delivery.last_error is not None)
    with HttpReceiver(port=port) as receiver:
        tally = desk.settled()
        arrived = texts(receiver)

    assert tally == SignalTally(accepted=2, sent=2)
    assert arrived == ["two"]


def test_what_a_killed_process_had_not_sent_is_sent_by_the_next(desk, tmp_path):
    script = f"""
import os, pathlib, signal
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
spool = Spool(pathlib.Path({str(tmp_path)!r}), max_bytes=2**20, max_age_s=3600,
              when_full="drop", synchronous=False)
spool.append([NewRow(Signal.LOGS, "", "data", 1, 1, "r", {logs_request("kept")!r})])
spool.lease(Signal.LOGS, max_rows=9, max_bytes=999)
spool.settle()
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    adopt_orphans(desk.spool, tmp_path, desk.books.accept)
    # Rows keep their time: by the fake clock these are made in the future.
    with HttpReceiver() as receiver:
        settings = ExportSettings("otlp", endpoint=receiver.endpoint(LOGS))
        desk.start(open_destination(LOGS, settings))
        tally = desk.settled()
        arrived = texts(receiver)

    assert killed.returncode == -signals.SIGKILL
    assert tally == SignalTally(accepted=1, sent=1)
    assert arrived == ["kept"]
    assert list(tmp_path.iterdir()) == []


_VERDICTS = st.one_of(
    st.builds(Sent, st.integers(0, 5)),
    st.just(Retry(0.0, "busy")),
    st.builds(Rejected, st.just("HTTP 400"), st.booleans()),
)


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 3), st.integers(1, 4)), max_size=12
    ),
    st.lists(_VERDICTS, max_size=12),
    st.integers(1, 30),
    st.sampled_from(["drop", "refuse"]),
)
def test_the_books_balance_whatever_is_appended_and_answered(
    rows, verdicts, merge_bytes, when_full
):
    spool = Spool(
        None, max_bytes=100, max_age_s=9, when_full=when_full, synchronous=False
    )
    books = Books()
    destination = RecordingDestination(verdicts, max_request_bytes=50)
    settings = DeliverySettings(merge_bytes=merge_bytes, pause_s=0.0)
    delivery = Delivery(LOGS, spool, destination, books, settings=settings)
    for size, priority, records in rows:
        books.accept(LOGS, records)
        new = NewRow(LOGS, "", "data", priority, records, "r", b"x" * size)
        for loss in spool.append([new]):
            books.drop(*loss)
        delivery._step()
        assert books.tally().logs.pending == spool.pending()[LOGS]
    for _ in range(len(rows) + len(verdicts)):
        delivery._step()

    tally = books.tally().logs
    assert (tally.pending, spool.size_bytes()) == (0, 0)
    assert tally.accepted == tally.sent + sum(tally.dropped.values())
    spool.close()
