"""python -m tokenx_chain.signers.local: `serve` is what the chain service starts; the rest is for operators.

create  --keystore DIR --passphrase-file FILE KEY_REF   a new random key ('root' for the one others are derived from)
import  --keystore DIR --passphrase-file FILE KEY_REF   a key from standard input, 64 hexadecimal digits
list    --keystore DIR                                  names and addresses, without opening anything"""

import argparse
import json
import secrets
import sys
from pathlib import Path

from coincurve import PrivateKey

from tokenx_chain.signers.errors import SignerConfigError, SignerRefused
from tokenx_chain.signers.local.daemon import EXIT_CONFIG, harden, run
from tokenx_chain.signers.local.vault import key_ref_of, read_passphrase, write_key


def main(arguments: list[str] | None = None) -> None:
    """Exit status 78 with one line when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tokenx_chain.signers.local")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="started by the chain service")
    commands.add_parser("check", help="the same, but only to see whether the keys open")
    for name in ("create", "import", "list"):
        command = commands.add_parser(name)
        command.add_argument("--keystore", type=Path, required=True)
        if name != "list":
            command.add_argument("--passphrase-file", required=True)
            command.add_argument("key_ref")
    given = parser.parse_args(arguments)
    try:
        _do(given)
    except (SignerConfigError, SignerRefused) as error:
        sys.stderr.write(f"configuration: {error}\n")
        raise SystemExit(EXIT_CONFIG) from None


def _do(given: argparse.Namespace) -> None:
    if given.command in ("serve", "check"):
        return run(only_check=given.command == "check")
    if given.command == "list":
        return _list(given.keystore)
    harden()
    key = _from_input() if given.command == "import" else _fresh()
    address = write_key(given.keystore, given.key_ref, key, read_passphrase(given.passphrase_file))
    sys.stdout.write(f"{given.key_ref} {address}\n")
    return None


def _list(keystore: Path) -> None:
    for path in sorted(keystore.glob("*.json")):
        sys.stdout.write(f"{key_ref_of(path)} 0x{json.loads(path.read_text())['address'].removeprefix('0x').lower()}\n")


def _fresh() -> bytes:
    """A key of the operating system's random numbers; nearly every draw is valid."""
    while True:
        key = secrets.token_bytes(32)
        if _is_valid(key):
            return key


def _from_input() -> bytes:
    try:
        key = bytes.fromhex(sys.stdin.readline(200).strip().removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) != 32 or not _is_valid(key):
        raise SignerConfigError("standard input is not a private key of 64 hexadecimal digits")
    return key


def _is_valid(key: bytes) -> bool:
    try:
        PrivateKey(key)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
