"""The keys themselves. Only signerd makes one of these."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final, cast

from coincurve import PrivateKey
from eth_account import Account

from tokenx_chain.signers.curve import address_of
from tokenx_chain.signers.errors import SignerConfigError, SignerRefused, UnknownKey
from tokenx_chain.signers.jobs import KEY_REF, Signature, check_key_ref
from tokenx_chain.signers.local.known_keys import is_known
from tokenx_chain.signers.local.wire import Opening
from tokenx_chain.signers.seed import derive_key, read_seed
from tokenx_chain.signers.settings import MAIN_NETWORKS, private_file

ROOT_NAME: Final = "root"
PLATFORM: Final = "platform"
_CACHE: Final = 10_000


class Vault:
    """Named keys, and a root secret from which every other key_ref's key is derived. Prints as ***; cannot be copied or pickled."""

    def __init__(self, *, named: dict[str, bytes], root: bytes | None, chain_ids: tuple[int, ...]) -> None:
        self._named = named
        self._root = root
        self._chains = frozenset(chain_ids)
        self._keys: dict[str, tuple[PrivateKey, str]] = {}
        self._known: set[str] = set()
        self._root_is_known = root is not None and len(root) == 32 and _is_known(root)
        if not MAIN_NETWORKS.isdisjoint(self._chains):
            self._refuse_known_keys()

    def _refuse_known_keys(self) -> None:
        names = [name for name, key in self._named.items() if _is_known(key)]
        names += [ROOT_NAME] if self._root_is_known else []
        if names:
            chains = sorted(MAIN_NETWORKS & self._chains)
            raise SignerConfigError(f"SIGNER_KEYSTORE: {', '.join(sorted(names))}: a well-known development key, and CHAIN_IDS has {chains}")  # fmt: skip

    def __repr__(self) -> str:
        return f"Vault({len(self._named)} named keys, ***)"

    def __reduce__(self) -> Any:
        raise TypeError("keys are not copied")

    def address(self, key_ref: str) -> str:
        """Raises UnknownKey, SignerRefused."""
        return self._key(key_ref)[1]

    def sign(self, key_ref: str, digest: bytes, *, chain_id: int | None) -> Signature:
        """RFC 6979: the same digest gives the same signature. chain_id None: what is signed is bound to no chain."""
        key, address = self._key(key_ref)
        self._check(address, chain_id)
        # Any: its nonce parameter has no type.
        packed: bytes = cast(Any, key).sign_recoverable(digest, hasher=None)
        return Signature(int.from_bytes(packed[:32], "big"), int.from_bytes(packed[32:64], "big"), packed[64])

    def _check(self, address: str, chain_id: int | None) -> None:
        """Deny by default: chains that are not ours, and guessable keys wherever the signature could be worth something."""
        if chain_id is not None and chain_id not in self._chains:
            raise SignerRefused(f"chain {chain_id} is not in CHAIN_IDS")
        reaches = {chain_id} if chain_id is not None else self._chains
        if (address in self._known or self._root_is_known) and not MAIN_NETWORKS.isdisjoint(reaches):
            raise SignerRefused(f"{address} is a well-known development key, refused on main networks")

    def _key(self, key_ref: str) -> tuple[PrivateKey, str]:
        held = self._keys.get(key_ref)
        if held is not None:
            return held
        check_key_ref(key_ref)
        secret = self._named.get(key_ref)
        if secret is None and self._root is not None:
            secret = derive_key(self._root, key_ref)
        if secret is None:
            raise UnknownKey(f"no key named {key_ref}, and no root to derive it from")
        key = PrivateKey(secret)
        address = address_of(key.public_key.format())
        if is_known(secret, address):
            self._known.add(address)
        if len(self._keys) >= _CACHE:
            self._keys.pop(next(iter(self._keys)))
        self._keys[key_ref] = key, address
        return self._keys[key_ref]


def open_vault(opening: Opening) -> Vault:
    """Read the keys from where the settings say. Raises SignerConfigError with the variable's name."""
    if opening.keystore is not None:
        if opening.private_key is not None or opening.seed_file is not None:
            raise SignerConfigError("SIGNER_KEYSTORE excludes SIGNER_PRIVATE_KEY and SIGNER_SEED_FILE: unset them")
        named = _read_keystore(Path(opening.keystore), opening.passphrase_file)
        return Vault(root=named.pop(ROOT_NAME, None), named=named, chain_ids=opening.chain_ids)
    if not opening.is_dev:
        raise SignerConfigError(
            "SIGNER_KEYSTORE is missing: outside TOKENX_ENV=dev keys come from an encrypted keystore only"
        )
    return _dev_vault(opening)


def _dev_vault(opening: Opening) -> Vault:
    named: dict[str, bytes] = {}
    if opening.private_key is not None:
        named[PLATFORM] = _hex_key(opening.private_key)
    if opening.seed_file is not None:
        root = read_seed(Path(opening.seed_file))
    elif named:
        root = hashlib.sha256(b"tokenx-dev-root:" + named[PLATFORM]).digest()
    else:
        raise SignerConfigError("SIGNER_KEYSTORE is missing (in dev, SIGNER_SEED_FILE or SIGNER_PRIVATE_KEY will do)")
    return Vault(root=root, named=named, chain_ids=opening.chain_ids)


def _hex_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
        PrivateKey(key)
    except ValueError:
        # From None: the original message repeats the text.
        raise SignerConfigError("SIGNER_PRIVATE_KEY is not a private key of 64 hexadecimal digits") from None
    if len(key) != 32:
        raise SignerConfigError("SIGNER_PRIVATE_KEY is not a private key of 64 hexadecimal digits")
    return key


def _read_keystore(folder: Path, passphrase_file: str | None) -> dict[str, bytes]:
    passphrase = read_passphrase(passphrase_file)
    if not folder.is_dir():
        raise SignerConfigError(f"SIGNER_KEYSTORE: {folder} is not a folder")
    keys = {key_ref_of(path): _decrypt(path, passphrase) for path in sorted(folder.glob("*.json"))}
    if not keys:
        raise SignerConfigError(f"SIGNER_KEYSTORE: {folder} holds no *.json")
    return keys


def read_passphrase(path: str | None) -> bytes:
    """Without its last line end. Raises SignerConfigError."""
    passphrase = private_file("SIGNER_PASSPHRASE_FILE", Path(path) if path else None).rstrip(b"\r\n")
    if len(passphrase) < 12:
        raise SignerConfigError("SIGNER_PASSPHRASE_FILE holds fewer than 12 bytes")
    try:
        passphrase.decode()
    except UnicodeDecodeError:
        raise SignerConfigError("SIGNER_PASSPHRASE_FILE is not UTF-8 text") from None
    return passphrase


def key_file(folder: Path, key_ref: str) -> Path:
    """Where a key is kept."""
    check_key_ref(key_ref)
    return folder / f"{key_ref.replace(':', '.')}.json"


def key_ref_of(path: Path) -> str:
    """The other way round. Raises SignerConfigError for a stray file."""
    key_ref = path.name.removesuffix(".json").replace(".", ":")
    if not KEY_REF.fullmatch(key_ref):
        raise SignerConfigError(f"SIGNER_KEYSTORE: {path.name} is not named after a key")
    return key_ref


def _decrypt(path: Path, passphrase: bytes) -> bytes:
    content = private_file("SIGNER_KEYSTORE", path)
    try:
        parsed: Any = json.loads(content)
        kind = parsed["crypto"]["kdf"] if parsed["version"] == 3 else "?"
    except (ValueError, KeyError, TypeError):
        kind = "?"
        parsed = None
    if kind != "scrypt":
        raise SignerConfigError(f"SIGNER_KEYSTORE: {path.name} is not a version 3 keystore with scrypt")
    try:
        return bytes(Account.decrypt(parsed, passphrase.decode()))
    except (ValueError, KeyError, TypeError):
        raise SignerConfigError(f"SIGNER_KEYSTORE: {path.name} does not open with the passphrase in SIGNER_PASSPHRASE_FILE") from None  # fmt: skip


def write_key(folder: Path, key_ref: str, key: bytes, passphrase: bytes) -> str:
    """Encrypt a key into a new file; returns its address. Raises SignerConfigError rather than overwrite one."""
    path = key_file(folder, key_ref)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    encrypted = json.dumps(Account.encrypt(key, passphrase.decode(), kdf="scrypt")).encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SignerConfigError(f"SIGNER_KEYSTORE: {path.name} exists already") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(encrypted)
        file.flush()
        os.fsync(file.fileno())
    return address_of(PrivateKey(key).public_key.format())


def _is_known(key: bytes) -> bool:
    return is_known(key, address_of(PrivateKey(key).public_key.format()))
