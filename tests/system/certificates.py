# SPDX-License-Identifier: Apache-2.0
"""A certification authority of the tests' own, and what it signs."""
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_key(path, key):
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()))
    path.chmod(0o600)


class Pair:
    """A certificate and its key, in files and in memory."""

    def __init__(self, folder, name, certificate, key):
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self.x509, self.private = certificate, key
        self.certificate.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(self.key, key)


def _sign(subject, public, issuer, issuer_key, extensions, end):
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(_name(subject))
               .issuer_name(_name(issuer)).public_key(public)
               .serial_number(x509.random_serial_number())
               .not_valid_before(now - 2 * DAY).not_valid_after(now + end))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def authority(folder, name="ca"):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(name, key.public_key(), name, key,
                        [x509.BasicConstraints(ca=True, path_length=None)],
                        30 * DAY)
    return Pair(folder, name, certificate, key)


def server(folder, ca, name="server", host="127.0.0.1", end=30 * DAY):
    """For 127.0.0.1, or for another name, or one that has ended."""
    try:
        san = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        san = x509.DNSName(host)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = ca.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    certificate = _sign(name, key.public_key(), issuer[0].value, ca.private,
                        [x509.SubjectAlternativeName([san])], end)
    return Pair(folder, name, certificate, key)


def signer(folder, name="token"):
    """Self-signed, with an RSA key: what a token server signs with."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = _sign(name, key.public_key(), name, key, [], 30 * DAY)
    return Pair(folder, name, certificate, key)
