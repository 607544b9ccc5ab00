import ssl

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)

from jupyter_otel.testing.certificates import self_signed


@pytest.fixture
def logs_request():
    """Make a serialized logs request with one record for each body text."""

    def make(*bodies):
        request = ExportLogsServiceRequest()
        records = request.resource_logs.add().scope_logs.add().log_records
        for body in bodies or ("hello",):
            records.add(time_unix_nano=5).body.string_value = body
        return request.SerializeToString()

    return make


@pytest.fixture
def make_certificate(tmp_path):
    """Make files with a key and a certificate that signs itself.

    It is for 127.0.0.1 and for the name that the file has.
    """

    def make(stem):
        return self_signed(tmp_path / f"{stem}.pem", stem)

    return make


@pytest.fixture
def receiver_context():
    """Return what a receiver with such a certificate shows, and asks of its clients."""

    def make(certificate, client_ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    return make
