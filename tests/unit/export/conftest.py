import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)


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
        key = ec.generate_private_key(ec.SECP256R1())
        path = tmp_path / f"{stem}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = _signed(key, stem).public_bytes(serialization.Encoding.PEM)
        path.write_bytes(private + public)
        return path

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


def _signed(key, common_name):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    names = [
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.DNSName(common_name),
    ]
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256())
