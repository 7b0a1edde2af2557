"""Fireblocks on loopback: checks every token as they do, signs for real, moves a transaction one status further at each look.

Every request and every answer is held against the pydantic models of their own SDK."""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from typing import Any, cast

import jwt
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from eth_account.messages import encode_defunct, encode_typed_data
from eth_hash.auto import keccak
from fireblocks.models.create_transaction_response import CreateTransactionResponse
from fireblocks.models.public_key_information import PublicKeyInformation
from fireblocks.models.transaction_request import TransactionRequest
from fireblocks.models.transaction_response import TransactionResponse

from tests.signers.http_stub import HttpStub, Reply, Request
from tokenx_common.clock import Clock, SystemClock, unix_ms

API_KEY = "0190f0e2-api-user"
API_SECRET = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEBHOOK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEBHOOK_KEY_ID = "webhook-key-2026-01"
STEPS = ("SUBMITTED", "PENDING_AUTHORIZATION", "PENDING_SIGNATURE", "COMPLETED")
TX_HASH = "0x" + "ab" * 32


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Transaction:
    """One transaction object. outcome: the last status it will reach; hold: the status it stays at until told otherwise."""

    ref: str
    request: dict[str, Any]
    step: int = 0
    status: str = STEPS[0]
    sub_status: str = ""
    cancelled: bool = False
    log: list[str] = field(default_factory=list[str])


class FireblocksStub(HttpStub):
    """vaults: vault account id to its key."""

    def __init__(self, vaults: dict[str, bytes], clock: Clock | None = None) -> None:
        super().__init__()
        self.clock = clock or SystemClock()
        self.vaults = {vault: PrivateKey(key) for vault, key in vaults.items()}
        self.signs_with: dict[str, str] = {}
        self.transactions: dict[str, Transaction] = {}
        self.outcome = "COMPLETED"
        self.sub_status = ""
        self.hold: str | None = None
        self.outcomes: dict[str, str] = {}
        """By external id: what people decided about one, whatever holds the others."""
        self.refuses_cancel = False
        self.published = {WEBHOOK_KEY_ID: WEBHOOK_KEY}
        self._nonces: set[str] = set()
        self._lock = threading.Lock()

    def reset(self) -> None:
        self.outcome, self.sub_status, self.hold, self.refuses_cancel, self.is_away = (
            "COMPLETED",
            "",
            None,
            False,
            False,
        )
        self.signs_with.clear()
        for queue in self.faults.values():
            queue.clear()

    def answer(self, request: Request) -> Reply:
        with self._lock:
            if request.path == "/.well-known/jwks.json":
                return _reply(200, {"keys": [_jwk(key_id, key) for key_id, key in self.published.items()]})
            problem = self._token_problem(request)
            if problem is not None:
                return _reply(401, {"message": f"Unauthorized: {problem}", "code": -7})
            if request.method == "GET":
                return self._get(request.path)
            return self._post(request)

    def _token_problem(self, request: Request) -> str | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            # The times are checked below, by the stand-in's own clock.
            options: Any = {"require": ["exp", "iat", "sub"], "verify_exp": False, "verify_iat": False}
            claims = jwt.decode(token, API_SECRET.public_key(), algorithms=["RS256"], options=options)
        except jwt.PyJWTError as error:
            return type(error).__name__
        if claims["sub"] != request.headers.get("x-api-key") or claims["sub"] != API_KEY:
            return "sub"
        if claims["uri"] != request.path:
            return f"uri {claims['uri']} for {request.path}"
        if claims["bodyHash"] != hashlib.sha256(request.body).hexdigest():
            return "bodyHash"
        if not 0 < claims["exp"] - claims["iat"] <= 55 or abs(claims["iat"] - self.clock.now().timestamp()) > 30:
            return "times"
        if claims["nonce"] in self._nonces:
            return "nonce replayed"
        self._nonces.add(claims["nonce"])
        return None

    def _get(self, path: str) -> Reply:
        if path.startswith("/v1/transactions/external_tx_id/"):
            transaction = self.transactions.get(path.rpartition("/")[2])
            if transaction is None:
                return _reply(404, {"message": "The transaction was not found", "code": 1404})
            self._move(transaction)
            return _reply(200, self._describe(transaction))
        if path.startswith("/v1/vault/accounts/") and path.endswith("/ETH/0/0/public_key_info?compressed=true"):
            key = self.vaults.get(path.split("/")[4])
            if key is None:
                return _reply(404, {"message": "no such vault account", "code": 1004})
            body = {"algorithm": "MPC_ECDSA_SECP256K1", "derivationPath": [44, 60, int(path.split("/")[4]), 0, 0],
                    "publicKey": key.public_key.format().hex()}  # fmt: skip
            PublicKeyInformation.model_validate(body)
            return _reply(200, body)
        return _reply(404, {"message": f"no such path {path}", "code": 404})

    def _post(self, request: Request) -> Reply:
        if request.path.endswith("/cancel"):
            return self._cancel(request.path.split("/")[3])
        if request.path != "/v1/transactions":
            return _reply(404, {"message": "no such path", "code": 404})
        body: dict[str, Any] = json.loads(request.body)
        parsed = TransactionRequest.from_dict(body)
        assert parsed is not None
        assert _without_none(json.loads(parsed.to_json())) == body, "the SDK's model drops or changes a field"
        external = body["externalTxId"]
        if external in self.transactions:
            return _reply(
                400, {"message": "The external tx id that was provided in the request, already exists", "code": 1438}
            )
        if body["source"]["id"] not in self.vaults or body["note"] == "intent: malformed":
            return _reply(400, {"message": "Source is invalid", "code": 1427})
        self.transactions[external] = Transaction(f"fb-{len(self.transactions)}", body)
        answer = {"id": self.transactions[external].ref, "status": "SUBMITTED"}
        CreateTransactionResponse.model_validate(answer)
        return _reply(200, answer)

    def _cancel(self, ref: str) -> Reply:
        found = next((t for t in self.transactions.values() if t.ref == ref), None)
        if found is None or self.refuses_cancel or found.status in ("COMPLETED", "REJECTED", "BLOCKED", "FAILED"):
            return _reply(400, {"message": "cannot be cancelled", "code": 1500})
        found.cancelled, found.status = True, "CANCELLING"
        return _reply(200, {"success": True})

    def _move(self, transaction: Transaction) -> None:
        if transaction.cancelled:
            transaction.status = "CANCELLED"
        decided = self.outcomes.get(transaction.request["externalTxId"])
        outcome = decided or self.outcome
        if (
            not transaction.cancelled
            and transaction.status in STEPS[:-1]
            and (decided or transaction.status != self.hold)
        ):
            transaction.step += 1
            is_last = transaction.step == len(STEPS) - 1 or (
                outcome in ("REJECTED", "BLOCKED") and transaction.step == 2
            )
            transaction.status = outcome if is_last else STEPS[transaction.step]
            transaction.sub_status = self.sub_status if is_last else ""
        transaction.log.append(transaction.status)

    def _describe(self, transaction: Transaction) -> dict[str, Any]:
        request = transaction.request
        body: dict[str, Any] = {
            "id": transaction.ref, "externalTxId": request["externalTxId"], "status": transaction.status,
            "subStatus": transaction.sub_status, "operation": request["operation"], "assetId": request["assetId"],
            "note": request["note"], "extraParameters": request["extraParameters"], "createdAt": unix_ms(), "lastUpdated": unix_ms(),
        }  # fmt: skip
        if transaction.status == "COMPLETED" and request["operation"] == "CONTRACT_CALL":
            body["txHash"] = TX_HASH
        elif transaction.status == "COMPLETED":
            body["signedMessages"] = [self._sign(request)]
        assert TransactionResponse.from_dict(body) is not None
        return body

    def _sign(self, request: dict[str, Any]) -> dict[str, Any]:
        vault: str = request["source"]["id"]
        digest = _digest(request)
        # Any: its nonce parameter has no type.
        packed: bytes = cast(Any, self.vaults[self.signs_with.get(vault, vault)]).sign_recoverable(digest, hasher=None)
        return {
            "content": digest.hex(), "algorithm": "MPC_ECDSA_SECP256K1", "derivationPath": [44, 60, int(vault), 0, 0],
            "publicKey": self.vaults[vault].public_key.format().hex(),
            "signature": {"r": packed[:32].hex(), "s": packed[32:64].hex(), "v": packed[64], "fullSig": packed[:64].hex()},
        }  # fmt: skip


def _digest(request: dict[str, Any]) -> bytes:
    """What Fireblocks signs for each kind of message."""
    (message,) = request["extraParameters"]["rawMessageData"]["messages"]
    match message.get("type"):
        case None:
            assert request["operation"] == "RAW"
            assert request["extraParameters"]["rawMessageData"]["algorithm"] == "MPC_ECDSA_SECP256K1"
            digest = bytes.fromhex(message["content"])
        case "EIP191":
            signable = encode_defunct(hexstr=message["content"])
            digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
        case "EIP712":
            signable = encode_typed_data(full_message=message["content"])
            digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
        case other:
            raise AssertionError(f"Fireblocks knows no {other}")
    assert len(digest) == 32
    return digest


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast(dict[str, Any], value)
        return {name: _without_none(member) for name, member in members.items() if member is not None}
    return value


def _jwk(key_id: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": key_id, "use": "sig", "alg": "RS512", "n": _number(numbers.n), "e": _number(numbers.e)}


def _number(value: int) -> str:
    return _b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _reply(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})


def webhook(job_id: str | None, *, status: str = "COMPLETED", **data: Any) -> bytes:
    """An event of their second version. Its status is what a liar would put there."""
    body = {"id": "ev-1", "eventType": "transaction.status.updated", "eventVersion": 1.0, "resourceId": "fb-1", "createdAt": unix_ms(),
            "workspaceId": "ws-1", "data": {"id": "fb-1", "externalTxId": job_id, "status": status, **data}}  # fmt: skip
    return json.dumps(body).encode()


def signed_headers(raw: bytes, *, key: rsa.RSAPrivateKey = WEBHOOK_KEY, key_id: str = WEBHOOK_KEY_ID, alg: str = "RS512") -> dict[str, str]:  # fmt: skip
    """The detached JWS over a body."""
    token = jwt.PyJWS().encode(raw, key, algorithm=alg, headers={"kid": key_id, "typ": None})
    head, _, signature = token.split(".")
    return {"Fireblocks-Webhook-Signature": f"{head}..{signature}", "Content-Type": "application/json"}
