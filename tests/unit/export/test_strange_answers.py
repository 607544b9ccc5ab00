import threading

from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Retry, Sent
from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver

LOGS = Signal.LOGS


def open_http(receiver, **settings):
    return open_destination(
        LOGS, ExportSettings("otlp", endpoint=receiver.endpoint(LOGS), **settings)
    )


def test_a_web_page_is_a_success_with_a_warning(logs_request):
    page = Answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"\n<html>")
    with HttpReceiver([page]) as receiver:
        destination = open_http(receiver)
        verdict = destination.send(logs_request(), 1)
        destination.close()

    assert verdict == Sent(
        warning=f"a web page came from {destination.name}: the records count as sent, "
        "but no OTLP receiver answers so; is there a login page or a proxy in between?"
    )


def test_an_answer_that_drips_ends_with_the_timeout(logs_request):
    # No single wait is too long; all of them would be twenty seconds.
    drip = Answer(200, {"Content-Type": "text/plain"}, b"a" * 1000, drip_s=0.02)
    with HttpReceiver([drip]) as receiver:
        destination = open_http(receiver, timeout_s=0.2)
        verdict = destination.send(logs_request(), 1)
        is_dripping = any("process_request" in t.name for t in threading.enumerate())
        destination.close()

    assert (verdict, is_dripping) == (Sent(), True)


def test_a_head_that_drips_ends_with_the_timeout_and_is_retried(logs_request):
    with HttpReceiver([Answer(drip_head_s=0.02)]) as receiver:
        destination = open_http(receiver, timeout_s=0.2)
        verdict = destination.send(logs_request(), 1)
        is_dripping = any("process_request" in t.name for t in threading.enumerate())
        destination.close()

    why = (
        f"no answer from {receiver.endpoint(LOGS)} (TimeoutError): look at the "
        "receiver's load, or raise OtelExport.timeout_s"
    )
    assert (verdict, is_dripping) == (Retry(None, why), True)


def test_a_name_that_nobody_knows_is_retried(logs_request):
    # RFC 6761: this domain never resolves.
    url = "http://collector.invalid:4318/v1/logs"
    destination = open_destination(LOGS, ExportSettings("otlp", endpoint=url))
    verdict = destination.send(logs_request(), 1)
    destination.close()

    assert isinstance(verdict, Retry)
    assert verdict.why.startswith(f"no answer from {url} (")
    assert verdict.why.endswith("): check the host's name in OtelExport.endpoint")
