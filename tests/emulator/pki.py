# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates that live as long as one run of the emulator."""
import base64
import concurrent.futures
import datetime
import hashlib
import ipaddress
import itertools
import os
import pathlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

THROWAWAY = (pathlib.Path(__file__).resolve().parents[1]
             / "vectors/signing/throwaway-test-key.pem")
DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


class KeyStore:
    """RSA keys, no two the same in one emulator.  With a folder, the n-th is
    the n-th of the emulator before: making one takes a good part of a second,
    and a suite starts an emulator for many a test."""

    def __init__(self):
        self.folder = None
        self._numbers = itertools.count()

    def _make(self):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def new(self):
        if self.folder is None:
            return self._make()
        path = self.folder / f"{next(self._numbers)}.pem"
        if not path.exists():
            mine = path.with_suffix(f".{os.getpid()}")
            mine.write_text(pem_of_key(self._make()))
            mine.rename(path)
        return serialization.load_pem_private_key(path.read_bytes(), None)


key_store = KeyStore()


def new_rsa():
    return key_store.new()


def new_rsa_keys(n):
    """Several at once."""
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(lambda _: new_rsa(), range(n)))


def throwaway_rsa():
    """The published test key: for whoever needs no key of his own."""
    return serialization.load_pem_private_key(THROWAWAY.read_bytes(), None)


def new_ec():
    return ec.generate_private_key(ec.SECP256R1())


def pem_of_key(key, passphrase=None, pkcs1=False):
    return key.private_bytes(
        PEM, serialization.PrivateFormat.TraditionalOpenSSL if pkcs1
        else serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase else serialization.NoEncryption()).decode()


def pem_of_public(public):
    return public.public_bytes(PEM, SPKI).decode()


def pem_of(certificate):
    return certificate.public_bytes(PEM).decode()


def colons(digest):
    return ":".join(f"{byte:02x}" for byte in digest)


def fingerprint(public):
    """As an API key is named: MD5 of the DER of its public half."""
    return colons(hashlib.md5(public.public_bytes(DER, SPKI)).digest())


def certificate_fingerprint(certificate):
    return colons(certificate.fingerprint(hashes.SHA1()))


def load_public(text):
    """RSA, from base64 of the DER on one line; ValueError."""
    key = serialization.load_der_public_key(
        base64.b64decode(text, validate=True))
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise ValueError("not an RSA key of 2048 bits or more")
    return key


def load_certificate(text):
    return x509.load_der_x509_certificate(
        base64.b64decode(text, validate=True))


def name_of(common_name, units=()):
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] +
        [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, u)
         for u in units])


class Issued:
    """A certificate with its private key."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key


def _issue(name, key, issuer, extensions, days=30):
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(name)
               .issuer_name(issuer.certificate.subject if issuer else name)
               .public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(now - DAY)
               .not_valid_after(now + days * DAY))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()),
                  key)


def authority(common_name, key=None, issuer=None):
    return _issue(name_of(common_name), key or new_ec(), issuer,
                  [x509.BasicConstraints(ca=True, path_length=None)])


def server(ca, hosts):
    names = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return _issue(name_of(hosts[0]), new_ec(), ca,
                  [x509.SubjectAlternativeName(names)])


def instance_leaf(issuer, key, instance, compartment, tenancy):
    """What the metadata service hands to an instance."""
    return _issue(name_of(instance, [
        "opc-certtype:instance", f"opc-compartment:{compartment}",
        f"opc-instance:{instance}", f"opc-tenant:{tenancy}"]),
        key, issuer, [])


def units_of(certificate):
    """{"opc-tenant": "ocid1…", …} of the subject."""
    units = certificate.subject.get_attributes_for_oid(
        NameOID.ORGANIZATIONAL_UNIT_NAME)
    return dict(u.value.split(":", 1) for u in units if ":" in u.value)


def is_signed_by(certificate, issuer):
    key = issuer.public_key()
    data = certificate.tbs_certificate_bytes
    algorithm = certificate.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, data, padding.PKCS1v15(),
                       algorithm)
        else:
            key.verify(certificate.signature, data, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return certificate.issuer == issuer.subject


def is_valid_at(certificate, seconds):
    at = datetime.datetime.utcfromtimestamp(seconds)
    return certificate.not_valid_before <= at <= certificate.not_valid_after
