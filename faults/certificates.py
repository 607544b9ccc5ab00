"""A company's own authority, and a receiver's certificate that it signed."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Company:
    """Makes an authority and one certificate, below a folder.

    Args:
        folder: Where the files are to be.
        host: A name that the certificate is for, beside 127.0.0.1.
    """

    def __init__(self, folder: Path, host: str) -> None:
        self.authority_file = folder / "authority.pem"
        authority_key = ec.generate_private_key(ec.SECP256R1())
        issuer = _name("A company's authority")
        authority = _builder(issuer, issuer, authority_key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        _write(self.authority_file, authority.sign(authority_key, hashes.SHA256()))
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.DNSName(host),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        certificate = _builder(_name(host), issuer, key).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        self._receiver_file = folder / "receiver.pem"
        _write(
            self._receiver_file, certificate.sign(authority_key, hashes.SHA256()), key
        )

    def receiver_context(self) -> ssl.SSLContext:
        """Return what a receiver shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._receiver_file)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )


def _write(
    path: Path,
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> None:
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        pem += key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    path.write_bytes(pem)
