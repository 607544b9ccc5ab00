"""What ``doctor --send`` proves, and when it does not try."""

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver


def test_one_record_is_proved_end_to_end(doctor):
    with HttpReceiver() as receiver:
        status, found = doctor("--send", f"--OtelExport.endpoint={receiver.url}")
        [record] = receiver.inbox.records(Signal.LOGS)
    assert (status, found["send"][0][0]) == (0, "ok")
    assert record.event_name == "jupyter_otel.doctor"


def test_a_record_that_is_refused_is_a_failure(doctor):
    # The checks of both signals are answered well, the clock's question apart.
    with HttpReceiver([Answer()] * 2, then=Answer(status=403)) as receiver:
        status, found = doctor("--send", f"--OtelExport.endpoint={receiver.url}")
    assert status == 1
    assert found["send"] == [
        (
            "failed",
            (
                "the test record did not arrive: HTTP 403 from "
                f"{receiver.url}/v1/logs: the credentials do not allow this"
            ),
            "See what the receiver's own log says.",
        )
    ]


def test_nothing_is_sent_where_the_way_was_found_closed(doctor, closed_port):
    status, found = doctor(
        "--send", f"--OtelExport.endpoint=http://127.0.0.1:{closed_port}"
    )
    assert status == 1
    assert found["send"] == [("failed", "not tried: see logs above", "")]
