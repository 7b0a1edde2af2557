"""AWS KMS on loopback: checks SigV4 from its description, signs with a random nonce, and gives every second signature with a high s."""

import base64
import hashlib
import hmac
import itertools
import json
import re
import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.signers.http_stub import HttpStub, Reply, Request
from tokenx_chain.signers.curve import ORDER
from tokenx_common.clock import unix_ms

ACCESS_KEY = "AKIAEXAMPLEEXAMPLE01"
SECRET_KEY = "stub-secret-access-key-of-forty-letters!"
REGION = "eu-central-1"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


class KmsStub(HttpStub):
    """aliases: alias to key. Each key's ARN follows from its position."""

    def __init__(self, aliases: dict[str, bytes]) -> None:
        super().__init__()
        self.keys = {
            arn(n): ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256K1())
            for n, key in enumerate(aliases.values())
        }
        self.aliases = {alias: arn(n) for n, alias in enumerate(aliases)}
        self.spec = "ECC_SECG_P256K1"
        self.error: str | None = None
        self.signs_with: dict[str, str] = {}
        self.high_s = 0
        self.signed = 0
        self._turn = itertools.count()
        self._lock = threading.Lock()

    def reset(self) -> None:
        self.spec, self.error, self.is_away = "ECC_SECG_P256K1", None, False
        self.signs_with.clear()
        for queue in self.faults.values():
            queue.clear()

    def answer(self, request: Request) -> Reply:
        problem = sigv4_problem(request)
        if problem is not None:
            return _error("InvalidSignatureException", problem)
        if self.error is not None:
            return _error(self.error, "as the test wishes")
        body: dict[str, Any] = json.loads(request.body)
        key_arn = self.aliases.get(body["KeyId"], body["KeyId"])
        if key_arn not in self.keys:
            return _error("NotFoundException", f"{body['KeyId']} is not found")
        match request.headers["x-amz-target"]:
            case "TrentService.GetPublicKey":
                return self._public_key(key_arn)
            case "TrentService.Sign":
                return self._sign(key_arn, body)
            case other:
                return _error("UnknownOperationException", other)

    def _public_key(self, key_arn: str) -> Reply:
        der = self.keys[key_arn].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return _ok({"KeyId": key_arn, "PublicKey": base64.b64encode(der).decode(), "KeySpec": self.spec, "CustomerMasterKeySpec": self.spec,
                    "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": ["ECDSA_SHA_256"]})  # fmt: skip

    def _sign(self, key_arn: str, body: dict[str, Any]) -> Reply:
        if (body["MessageType"], body["SigningAlgorithm"]) != ("DIGEST", "ECDSA_SHA_256"):
            return _error("ValidationException", "digests by ECDSA_SHA_256 only")
        digest = base64.b64decode(body["Message"])
        if len(digest) != 32:
            return _error("ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256.")
        key = self.keys[self.signs_with.get(key_arn, key_arn)]
        with self._lock:
            r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
            wants_high = next(self._turn) % 2 == 0
            s = max(s, ORDER - s) if wants_high else min(s, ORDER - s)
            self.high_s += wants_high
            self.signed += 1
        return _ok(
            {
                "KeyId": key_arn,
                "Signature": base64.b64encode(encode_dss_signature(r, s)).decode(),
                "SigningAlgorithm": "ECDSA_SHA_256",
            }
        )


def arn(n: int) -> str:
    return f"arn:aws:kms:{REGION}:111122223333:key/00000000-0000-4000-8000-{n:012d}"


def sigv4_problem(request: Request) -> str | None:
    """What is wrong with a request's signature, by the steps of AWS Signature Version 4; None when it is right."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        return "no SigV4 authorization"
    access, day, region, service, names, given = match.groups()
    if (access, region, service) != (ACCESS_KEY, REGION, "kms"):
        return f"credential scope {access}/{region}/{service}"
    at = request.headers["x-amz-date"]
    sent = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if not at.startswith(day) or abs(sent.timestamp() - unix_ms() / 1000) > 300:
        return f"date {at}"
    signed = names.split(";")
    if not {"host", "x-amz-date", "x-amz-target"} <= set(signed) or signed != sorted(signed):
        return f"signed headers {names}"
    url = urlsplit(request.path)
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed)
    canonical = "\n".join(
        [request.method, url.path or "/", url.query, headers, names, hashlib.sha256(request.body).hexdigest()]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + SECRET_KEY.encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return None if hmac.digest(key, to_sign.encode(), "sha256").hex() == given else "the signature does not fit"


def _ok(body: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(body).encode(), {"content-type": "application/x-amz-json-1.1"})


def _error(kind: str, message: str) -> Reply:
    status = 503 if kind == "ThrottlingException" else 400
    return Reply(
        status,
        json.dumps({"__type": kind, "message": message}).encode(),
        {"content-type": "application/x-amz-json-1.1"},
    )
