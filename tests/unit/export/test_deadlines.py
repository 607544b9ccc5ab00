"""One request's `timeout_s` is for all of its steps together."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Retry, Sent
from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver
from jupyter_otel.testing.proxy import Proxy

LOGS = Signal.LOGS
URL = "https://receiver.invalid/v1/logs"
BUSY = "look at the receiver's load, or raise OtelExport.timeout_s"
TIMEOUT_S = 1.5
"""Enough to get to the step in question, on a busy machine too."""
PROXY = "check the proxy in HTTP_PROXY, HTTPS_PROXY and NO_PROXY"


@contextmanager
def listening(talk):
    """Listen; talk to whoever comes, until the block is over. Yields the port."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while not is_over.is_set():
                with suppress(OSError), server.accept()[0] as connection:
                    talk(connection, is_over)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        is_over.set()
        server.shutdown(socket.SHUT_RDWR)


def drip(head):
    """Return how somebody talks that sends a byte every 20 ms, for ever."""

    def talk(connection, is_over):
        connection.sendall(head)
        while not is_over.wait(0.02):
            connection.sendall(b"a")

    return talk


def say_nothing(connection, is_over):
    is_over.wait(60)


def send(url, request, **settings):
    destination = open_destination(LOGS, ExportSettings("otlp", url, **settings))
    verdict = destination.send(request, 1)
    destination.close()
    return verdict


def no_answer(url, cure):
    return Retry(None, f"no answer from {url} (TimeoutError): {cure}")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Drip: "])
def test_a_proxy_whose_answer_to_connect_drips_is_retried(
    head, logs_request, monkeypatch
):
    with listening(drip(head)) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        verdict = send(URL, logs_request(), timeout_s=TIMEOUT_S)

    assert verdict == no_answer(URL, PROXY)


def test_a_handshake_that_hangs_ends_with_the_timeout(logs_request):
    with listening(say_nothing) as port:
        url = f"https://127.0.0.1:{port}/v1/logs"
        verdict = send(url, logs_request(), timeout_s=TIMEOUT_S)

    assert verdict == no_answer(url, BUSY)


def test_a_head_that_was_cut_off_is_no_answer_whatever_its_status(logs_request):
    with listening(drip(b"HTTP/1.1 200 OK\r\nX-Drip: ")) as port:
        url = f"http://127.0.0.1:{port}/v1/logs"
        verdict = send(url, logs_request(), timeout_s=TIMEOUT_S)

    assert verdict == no_answer(url, BUSY)


def test_steps_that_are_quick_enough_alone_are_too_slow_together(
    logs_request, monkeypatch, make_certificate, receiver_context
):
    certificate = make_certificate("receiver.invalid")

    def hesitate(connection, is_over):
        connection.recv(4096)
        is_over.wait(0.6)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        context = receiver_context(certificate)
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            is_over.wait(0.6)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with listening(hesitate) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        verdict = send(URL, logs_request(), timeout_s=1.0, certificate_file=certificate)

    # At which step the time is over is the machine's affair.
    assert verdict in (no_answer(URL, BUSY), no_answer(URL, PROXY))


def read_request(stream):
    length = 0
    while (line := stream.readline().lower()).strip():
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    stream.read(length)


def answer_once_then_drip(connection, is_over):
    with connection.makefile("rb") as stream:
        read_request(stream)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        read_request(stream)
        drip(b"HTTP/1.1 200 OK\r\nX-Drip: ")(connection, is_over)


def test_a_connection_that_was_kept_open_is_bounded_too(logs_request):
    with listening(answer_once_then_drip) as port:
        url = f"http://127.0.0.1:{port}/v1/logs"
        settings = ExportSettings("otlp", url, timeout_s=TIMEOUT_S)
        destination = open_destination(LOGS, settings)
        verdicts = [destination.send(logs_request(), 1) for _ in range(3)]
        destination.close()

    # The third one is on a new connection: nobody uses what was shut down.
    assert verdicts == [Sent(), no_answer(url, BUSY), Sent()]


def test_a_proxy_connects_to_a_receiver_with_tls_whose_name_only_it_knows(
    logs_request, monkeypatch, make_certificate, receiver_context
):
    certificate = make_certificate("receiver.invalid")
    with (
        HttpReceiver(tls=receiver_context(certificate)) as receiver,
        Proxy(receiver.port) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy.url)
        verdict = send(URL, logs_request(), certificate_file=certificate)

    assert (verdict, proxy.asked) == (Sent(), ["CONNECT receiver.invalid:443"])


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_refuses_is_named_and_the_records_are_kept(
    status, logs_request, monkeypatch
):
    with Proxy(1, refuse_with=status) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        verdict = send(URL, logs_request())

    assert isinstance(verdict, Retry)
    assert verdict.why.endswith(PROXY)
