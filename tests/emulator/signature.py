# SPDX-License-Identifier: Apache-2.0
"""Request signatures, version 1: is this request what its sender signed?

Strict where a lenient check would hide a mistake of the client: the signed
headers are exactly those that must be, each is there once, and the body is the
one that was hashed.
"""
import base64
import calendar
import hashlib
import re
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .errors import not_authenticated

SKEW = 300
TARGET = "(request-target)"
BODY_HEADERS = ("content-type", "content-length", "x-content-sha256")
DELEGATION = "opc-obo-token"

_FORM = re.compile(r'Signature ((?:[A-Za-z]+="[^"]*",)*[A-Za-z]+="[^"]*")')
_FIELD = re.compile(r'([A-Za-z]+)="([^"]*)"')
_NAMES = ("version", "keyId", "algorithm", "headers", "signature")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
           "Oct", "Nov", "Dec")
_DATE = re.compile(r"(\w{3}), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT")


def parse_date(text):
    """Seconds since 1970 of an RFC 1123 date; None when it is not one."""
    m = _DATE.fullmatch(text)
    if not m or m[1] not in _DAYS or m[3] not in _MONTHS:
        return None
    try:
        seconds = calendar.timegm((int(m[4]), _MONTHS.index(m[3]) + 1,
                                   int(m[2]), int(m[5]), int(m[6]), int(m[7])))
        right = format_date(seconds) == text
    except (ValueError, OverflowError):
        return None
    return seconds if right else None


def format_date(seconds):
    t = time.gmtime(seconds)
    return (f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} "
            f"{t.tm_year} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT")


def parse_authorization(value):
    """The fields of the header; NotAuthenticated when it is not as it must."""
    m = _FORM.fullmatch(value or "")
    if not m:
        raise not_authenticated("no Authorization of the form Signature …")
    pairs = _FIELD.findall(m[1])
    fields = dict(pairs)
    if sorted(n for n, _ in pairs) != sorted(_NAMES):
        raise not_authenticated("fields " + " ".join(n for n, _ in pairs))
    if fields["version"] != "1" or fields["algorithm"] != "rsa-sha256":
        raise not_authenticated("not version 1 with rsa-sha256")
    return fields


def signed_names(fields):
    # Oracle's SDK writes Content-Type with capitals.
    return fields["headers"].lower().split(" ")


def check_names(method, names, fields, dates):
    """Exactly the headers that must be signed, in any order."""
    wanted = {TARGET, "host"}
    if method in ("POST", "PUT", "PATCH"):
        wanted.update(BODY_HEADERS)
    if DELEGATION in fields:
        wanted.add(DELEGATION)
    if len(set(names)) != len(names):
        raise not_authenticated("a header is signed twice")
    found = [n for n in names if n in dates]
    if len(found) != 1:
        raise not_authenticated(f"signed dates: {found}, not one of {dates}")
    if set(names) - set(found) != wanted:
        raise not_authenticated(
            f"signed: {' '.join(names)}; needed: {' '.join(sorted(wanted))}")
    return found[0]


def check_date(fields, name, now):
    seconds = parse_date(fields.get(name, ""))
    if seconds is None:
        raise not_authenticated(f"{name} is no RFC 1123 date")
    if abs(seconds - now) > SKEW:
        raise not_authenticated(
            f"{name} is {seconds - now:+.0f} s from the cloud's clock")


def check_body(fields, body):
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if fields.get("x-content-sha256") != digest:
        raise not_authenticated("x-content-sha256 is not of this body")
    if fields.get("content-length") != str(len(body)):
        raise not_authenticated("content-length is not of this body")
    if fields.get("content-type", "").split(";")[0] != "application/json":
        raise not_authenticated("content-type is not application/json")


def signing_string(method, target, fields, names):
    lines = []
    for name in names:
        if name == TARGET:
            lines.append(f"{TARGET}: {method.lower()} {target}")
            continue
        values = fields.all(name)
        if len(values) != 1:
            raise not_authenticated(f"{name} is there {len(values)} times")
        lines.append(f"{name}: {values[0]}")
    return "\n".join(lines).encode("latin-1")


def check_signature(key, text, signature):
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        raise not_authenticated("the signature is wrong") from None


def verify(request, body, find_key, now, dates=("date", "x-date")):
    """The keyId of a rightly signed request.

    `find_key(key_id)` gives the public key; it refuses what it does not know.
    `request` has method, target (as sent) and fields (as wire.Fields).
    """
    given = request.fields.all("authorization")
    if len(given) != 1:
        raise not_authenticated(f"{len(given)} Authorization headers")
    fields = parse_authorization(given[0])
    names = signed_names(fields)
    date = check_names(request.method, names, request.fields, dates)
    check_date(request.fields, date, now)
    if request.method in ("POST", "PUT", "PATCH"):
        check_body(request.fields, body)
    text = signing_string(request.method, request.target, request.fields, names)
    check_signature(find_key(fields["keyId"]), text, fields["signature"])
    return fields["keyId"]
