"""What the relay holds of requests that have not wholly come yet."""

import contextlib
import socket
from urllib.parse import urlsplit

from jupyter_otel.sources.otlp_bodies import MAX_BYTES
from tests.integration.test_relay import (  # noqa: F401 - both are fixtures
    one_span,
    post,
    receiver,
    relaying,
    token_in,
)


def begin_upload(server, token, ends, size=MAX_BYTES):
    """Send a request but for the last byte of its body; return its connection."""
    url = urlsplit(server.url)
    connection = socket.create_connection((url.hostname, url.port), timeout=30)
    ends.enter_context(contextlib.closing(connection))
    head = (
        f"POST {url.path}otel/v1/traces HTTP/1.1",
        f"Host: {url.netloc}",
        f"X-Jupyter-Otel-Kernel: {token}",
        "Content-Type: application/x-protobuf",
        f"Content-Length: {size}",
    )
    connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
    return connection, size


def status_of(connection, size):
    """Send the body, and return the status of the answer."""
    connection.sendall(b"\xff" * size)
    return int(connection.recv(4096).split()[1])


def test_what_a_kernel_announces_is_charged_before_it_comes(
    relaying,  # noqa: F811 - the imported fixture
    connect,
):
    token = token_in(connect, relaying, relaying.start_kernel())
    with contextlib.ExitStack() as ends:
        uploads = [begin_upload(relaying, token, ends) for _ in range(10)]

        statuses = [status_of(*upload) for upload in uploads]

    assert set(statuses) == {400, 429}  # 400: it was read, and is no OTLP
    assert statuses.count(400) in (4, 5)  # in whatever order the server saw them


def test_what_has_half_come_takes_its_part_of_what_all_may_hold_until_it_ends(
    relaying,  # noqa: F811 - the imported fixture
    connect,
    wait_until,
):
    quick = token_in(connect, relaying, relaying.start_kernel())

    def status():
        return post(relaying, one_span(), X_Jupyter_Otel_Kernel=quick)[0]

    def status_beside_uploads():
        slow = token_in(connect, relaying, relaying.start_kernel())
        with contextlib.ExitStack() as ends:
            for _ in range(4):
                connection, size = begin_upload(relaying, slow, ends)
                connection.sendall(bytes(size - 1))
            relaying.request("GET", "api/status")
            return status()

    # More than once: what is sent need not have been read when the next one comes.
    wait_until(status_beside_uploads, lambda it: it == 503)
    wait_until(status, lambda it: it == 200)
