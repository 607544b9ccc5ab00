"""Certificates for receivers that speak TLS on 127.0.0.1, valid for a day.

One that signs itself, or a company's own authority and what it signed. These alone of
the seams need the package ``cryptography``.
"""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def self_signed(path: Path, host: str) -> Path:
    """Write a key and a certificate that signs itself; return where.

    Args:
        path: Of the file.
        host: A name that it is for, beside 127.0.0.1.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(host)
    certificate = _as_authority(_for_host(_builder(name, name, key), host))
    _write(path, certificate.sign(key, hashes.SHA256()), key)
    return path


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
        authority = _as_authority(_builder(issuer, issuer, authority_key))
        _write(self.authority_file, authority.sign(authority_key, hashes.SHA256()))
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _for_host(_builder(_name(host), issuer, key), host)
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


def _for_host(builder: x509.CertificateBuilder, host: str) -> x509.CertificateBuilder:
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    names = x509.SubjectAlternativeName([here, x509.DNSName(host)])
    return builder.add_extension(names, critical=False)


def _as_authority(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    return builder.add_extension(constraints, critical=True)


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
