"""What only the local signer does: keystores, the process of its own, and that nobody else ever sees a key."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from structlog.testing import capture_logs

from tests.signers.benches import Bench, local_bench, local_settings, private, write_keystore
from tests.signers.builders import ADDRESSES, KEYS, PASSPHRASE, a_job, a_transaction, typed_data
from tests.signers.secrecy import forms_of, memory_of
from tests.support.seed_signer import SeedSigner
from tokenx_chain.signers.curve import require_native_curve
from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.errors import SignerConfigError, SignerRefused, SignerUnavailable, UnknownKey
from tokenx_chain.signers.factory import open_desk
from tokenx_chain.signers.jobs import SignRequest, SignState
from tokenx_chain.signers.local import known_keys
from tokenx_chain.signers.local.__main__ import main
from tokenx_chain.signers.local.client import LocalSigner
from tokenx_chain.signers.local.daemon import Daemon
from tokenx_chain.signers.local.process import opening_of, running
from tokenx_chain.signers.local.vault import Vault, open_vault
from tokenx_chain.signers.local.wire import MAX_CONNECTIONS, MAX_LINE_BYTES
from tokenx_chain.signers.seed import derive_key
from tokenx_chain.signers.settings import MAIN_NETWORKS, SignerSettings

ROOT = Path(__file__).resolve().parents[2]
ANVIL_0 = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
SMALL = (7).to_bytes(32, "big")


@pytest.fixture(scope="module")
async def bench() -> AsyncGenerator[Bench]:
    async with local_bench() as bench:
        yield bench


def vault(*, chain_ids: tuple[int, ...] = (31337,), root: bytes | None = None, **named: bytes) -> Vault:
    return Vault(named=named, root=root, chain_ids=chain_ids)


def opened(folder: Path, **changes: Any) -> Vault:
    return open_vault(opening_of(local_settings(folder, **changes), folder / "s"))


async def ask(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Raw lines over the socket; answers until it closes or each line has one."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=MAX_LINE_BYTES)
    answers: list[dict[str, Any]] = []
    try:
        for line in lines:
            writer.write(line)
            await writer.drain()
            raw = await asyncio.wait_for(reader.readline(), 10)
            if not raw:
                break
            answers.append(json.loads(raw))
    except ConnectionError:
        pass
    finally:
        writer.close()
    return answers


# --- keystores ------------------------------------------------------------------------------------------------------


def test_keystore_opens_with_its_passphrase(tmp_path: Path) -> None:
    found = opened(tmp_path, keys={**KEYS, "investor:inv_1": b"\x21" * 32})
    assert {name: found.address(name) for name in KEYS} == ADDRESSES
    assert found.address("investor:inv_1") == str(Account.from_key(b"\x21" * 32).address).lower()
    with pytest.raises(UnknownKey, match="no root"):
        found.address("investor:inv_2")


def test_root_gives_the_keys_the_seed_gave(tmp_path: Path) -> None:
    """A stack that moves from a seed file to a keystore with the same root keeps its addresses."""
    found = opened(tmp_path, keys={"root": b"\x5e" * 32})
    for key_ref in ("platform", "investor:inv_9", "platform@2"):
        wanted = Account.from_key(derive_key(b"\x5e" * 32, key_ref)).address
        assert found.address(key_ref) == str(wanted).lower()


Breaking = Callable[[Path], object]
BREAKINGS: list[tuple[str, Breaking, str]] = [
    ("wrong passphrase", lambda f: (f / "passphrase").write_bytes(b"another passphrase"), "platform.json does not open with the passphrase"),
    ("short passphrase", lambda f: (f / "passphrase").write_bytes(b"short"), "SIGNER_PASSPHRASE_FILE holds fewer than 12 bytes"),
    ("binary passphrase", lambda f: (f / "passphrase").write_bytes(b"\xff" * 20), "SIGNER_PASSPHRASE_FILE is not UTF-8"),
    ("open passphrase", lambda f: (f / "passphrase").chmod(0o640), "SIGNER_PASSPHRASE_FILE: .* chmod 600"),
    ("no passphrase", lambda f: (f / "passphrase").unlink(), "SIGNER_PASSPHRASE_FILE: No such file"),
    ("open key file", lambda f: (f / "keys" / "platform.json").chmod(0o644), "SIGNER_KEYSTORE: .* chmod 600"),
    ("empty object", lambda f: (f / "keys" / "platform.json").write_text("{}"), "not a version 3 keystore with scrypt"),
    ("no json", lambda f: (f / "keys" / "platform.json").write_text("[" * 9), "not a version 3 keystore with scrypt"),
    ("stray file", lambda f: (f / "keys" / "Odd Name.json").write_text("{}"), "Odd Name.json is not named after a key"),
    ("no files", lambda f: [path.unlink() for path in (f / "keys").iterdir()], "holds no"),
]  # fmt: skip


@pytest.mark.parametrize(("break_it", "wanted"), [pytest.param(*rest, id=name) for name, *rest in BREAKINGS])
def test_unusable_keystore_names_its_variable(tmp_path: Path, break_it: Breaking, wanted: str) -> None:
    settings = local_settings(tmp_path)
    break_it(tmp_path)
    with pytest.raises(SignerConfigError, match=wanted) as caught:
        open_vault(opening_of(settings, tmp_path / "s"))
    assert PASSPHRASE.decode() not in str(caught.value)


def test_weak_key_derivation_is_refused(tmp_path: Path) -> None:
    store = write_keystore(tmp_path / "keys", {})
    private(
        store / "platform.json",
        json.dumps(Account.encrypt(KEYS["platform"], PASSPHRASE.decode(), kdf="pbkdf2", iterations=10)).encode(),
    )
    with pytest.raises(SignerConfigError, match="not a version 3 keystore with scrypt"):
        opened(tmp_path, keys={}, signer_keystore=store)


@pytest.mark.parametrize(
    "changes", [{"signer_private_key": "0x" + "11" * 32}, {"signer_seed_file": Path("x")}], ids=str
)
def test_plain_keys_are_refused_outside_dev(tmp_path: Path, changes: dict[str, Any]) -> None:
    for store in ({}, {"signer_keystore": None, "signer_passphrase_file": None}):
        with pytest.raises(
            SignerConfigError, match=r"SIGNER_(PRIVATE_KEY|SEED_FILE) is refused outside TOKENX_ENV=dev"
        ):
            opened(tmp_path, **(changes | store))


def test_nothing_configured_is_refused(tmp_path: Path) -> None:
    for env in ("prod", "dev"):
        with pytest.raises(SignerConfigError, match="SIGNER_KEYSTORE is missing"):
            opened(tmp_path, tokenx_env=env, signer_keystore=None, signer_passphrase_file=None)


def test_two_sources_of_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SignerConfigError, match="SIGNER_KEYSTORE excludes"):
        opened(tmp_path, tokenx_env="dev", signer_private_key="11" * 32)


def test_private_key_in_dev_is_the_platforms(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "tokenx_env": "dev",
        "signer_keystore": None,
        "signer_passphrase_file": None,
        "chain_ids": "31337",
    }
    found = opened(tmp_path, signer_private_key=KEYS["platform"].hex(), **changes)
    assert found.address("platform") == ADDRESSES["platform"]
    assert found.address("treasury") != found.address("platform")
    for wrong in ("xyz", "11" * 31, "00" * 32, ""):
        with pytest.raises(SignerConfigError, match="SIGNER_PRIVATE_KEY") as caught:
            opened(tmp_path, signer_private_key=wrong, **changes)
        assert caught.value.__cause__ is None


async def test_seed_file_in_dev_keeps_todays_addresses(tmp_path: Path) -> None:
    seed = private(tmp_path / "seed", b"5eed" * 16)
    settings = SignerSettings(signer_seed_file=seed)
    before = SeedSigner(b"5eed" * 16)
    async with open_desk(settings) as desk:
        for key_ref in ("platform", "treasury", "investor:inv_1"):
            assert await desk.address(key_ref) == await before.address(key_ref)
        assert await desk.sign_transaction("platform", a_transaction()) == await before.sign_transaction(
            "platform", a_transaction()
        )
        assert await desk.sign_message("claim-issuer", b"claim") == await before.sign_message("claim-issuer", b"claim")


def test_commands_for_operators(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    passphrase = private(tmp_path / "passphrase", PASSPHRASE)
    store = ["--keystore", str(tmp_path / "keys")]
    monkeypatch.setattr("tokenx_chain.signers.local.__main__.harden", lambda: None)
    main(["create", *store, "--passphrase-file", str(passphrase), "platform"])
    created = capsys.readouterr().out
    assert stat.S_IMODE((tmp_path / "keys" / "platform.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert json.loads((tmp_path / "keys" / "platform.json").read_text())["crypto"]["kdfparams"]["n"] == 262144
    main(["list", *store])
    assert capsys.readouterr().out == created
    with pytest.raises(SystemExit) as caught:
        main(["create", *store, "--passphrase-file", str(passphrase), "platform"])
    assert (caught.value.code, "exists already" in capsys.readouterr().err) == (78, True)
    assert opened(tmp_path, keys={}).address("platform") == created.split()[1]


# --- well-known keys ------------------------------------------------------------------------------------------------


def test_list_of_known_keys_is_that_of_the_mnemonics() -> None:
    Account.enable_unaudited_hdwallet_features()
    derived = {
        str(Account.from_mnemonic(words, account_path=f"m/44'/60'/0'/0/{n}").address).lower()
        for words in known_keys.MNEMONICS.values()
        for n in range(20)
    }
    assert derived == known_keys.ADDRESSES


@pytest.mark.parametrize("chain_id", sorted(MAIN_NETWORKS))
@pytest.mark.parametrize("key", [ANVIL_0, SMALL], ids=["anvil's first", "seven"])
@pytest.mark.parametrize("name", ["platform", "root"])
def test_known_key_stops_the_start_on_a_main_network(name: str, key: bytes, chain_id: int) -> None:
    named = {} if name == "root" else {name: key}
    with pytest.raises(SignerConfigError, match=f"{name}: a well-known development key, and CHAIN_IDS has .{chain_id}"):
        Vault(named=named, root=key if name == "root" else None, chain_ids=(31337, chain_id))


def test_known_key_works_where_nothing_is_at_stake() -> None:
    assert vault(platform=ANVIL_0).sign("platform", b"\x01" * 32, chain_id=31337).r > 0


def test_chain_that_is_not_configured_is_refused() -> None:
    found = vault(platform=KEYS["platform"])
    for chain_id in (1, 137, 31338):
        with pytest.raises(SignerRefused, match=f"chain {chain_id} is not in CHAIN_IDS"):
            found.sign("platform", b"\x01" * 32, chain_id=chain_id)


async def test_known_key_does_not_bring_the_service_up_on_a_main_network(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = local_settings(tmp_path, keys={"platform": ANVIL_0}, chain_ids="1")
    with pytest.raises(SignerConfigError, match="signerd refuses its configuration"):
        async with running(settings):
            pass
    assert "SIGNER_KEYSTORE: platform: a well-known development key" in capfd.readouterr().err


async def test_pure_python_curve_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    require_native_curve()
    monkeypatch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.NativeECCBackend")
    with pytest.raises(SignerConfigError, match="ECC_BACKEND_CLASS: NativeECCBackend"):
        require_native_curve()
    with pytest.raises(SignerConfigError, match="signerd refuses"):
        async with running(local_settings(tmp_path)):
            pass
    assert "ECC_BACKEND_CLASS" in capfd.readouterr().err


# --- the socket -----------------------------------------------------------------------------------------------------


def test_socket_and_its_folder_are_the_owners_alone(bench: Bench) -> None:
    assert bench.process is not None
    path = bench.process.socket
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_other_process_of_the_same_user_is_not_served(bench: Bench) -> None:
    """The kernel tells signerd who calls; only its parent may."""
    assert bench.process is not None
    script = (
        "import socket,sys\n"
        "s=socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1])\n"
        'try:\n s.sendall(b\'{"op":"health","id":1}\\n\'); print(s.recv(4096))\n'
        "except OSError: print(b'')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(bench.process.socket)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() == "b''"


async def test_other_user_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the file's mode ever fail to keep them out, the kernel's word on who they are does."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    daemon = Daemon(vault(platform=KEYS["platform"]), parent_pid=os.getpid())
    serving = asyncio.create_task(daemon.serve(tmp_path / "s", done))
    async with asyncio.timeout(10):
        while not (tmp_path / "s").exists():
            await asyncio.sleep(0.01)
    assert (await ask(tmp_path / "s", b'{"op":"health","id":1}\n'))[0]["id"] == 1
    monkeypatch.setattr("tokenx_chain.signers.local.daemon.os.getuid", lambda: os.geteuid() + 1)
    assert await ask(tmp_path / "s", b'{"op":"health","id":1}\n') == []
    done.set_result(None)
    await serving


@pytest.mark.parametrize(
    "line",
    [b"\n", b"{}\n", b"[]\n", b"null\n", b'{"op":"dump_keys","id":1}\n', b'{"op":"address","id":1}\n', b'{"op":"address","id":-1,"key_ref":"platform"}\n',
     b'{"op":"address","id":1,"key_ref":"platform","extra":1}\n', b"\xff\xfe\n", b"[" * 5000 + b"\n", b'{"op":"sign_message","id":1,"key_ref":"platform","message":"0x00"}\n'],
    ids=lambda line: repr(line[:40]),
)  # fmt: skip
async def test_malformed_call_is_answered_and_does_no_harm(bench: Bench, line: bytes) -> None:
    assert bench.process is not None
    answers = await ask(bench.process.socket, line, b'{"op":"address","id":7,"key_ref":"platform"}\n')
    assert answers[0]["error"] == "bad_request"
    assert answers[1] == {"id": 7, "address": ADDRESSES["platform"]}


async def test_oversized_call_ends_the_connection_only(bench: Bench) -> None:
    assert bench.process is not None
    assert (
        await ask(bench.process.socket, b'{"op":"sign_message","message":"' + b"a" * (2 * MAX_LINE_BYTES) + b'"}\n')
        == []
    )
    assert (await bench.signer.health()).ok


async def test_request_too_large_is_refused_before_it_is_sent(bench: Bench) -> None:
    with pytest.raises(SignerRefused, match="at most"):
        await bench.signer.submit(
            SignRequest(
                job_id=a_job(), key_ref="platform", transaction=a_transaction(data=b"\1" * (MAX_LINE_BYTES // 2))
            )
        )


async def test_more_connections_than_allowed_are_turned_away(bench: Bench) -> None:
    assert bench.process is not None
    path = str(bench.process.socket)
    await bench.signer.health()
    held = [await asyncio.open_unix_connection(path) for _ in range(MAX_CONNECTIONS + 2)]
    try:
        closed = 0
        for reader, writer in held:
            writer.write(b'{"op":"health","id":1}\n')
            try:
                closed += not await asyncio.wait_for(reader.readline(), 10)
            except ConnectionError:
                closed += 1
        assert closed == 3  # The signer's own connection counts as well.
    finally:
        for _, writer in held:
            writer.close()


def test_answer_never_repeats_what_was_asked() -> None:
    """A caller that sends something secret by mistake does not find it in an error or a log."""
    daemon = Daemon(vault(platform=KEYS["platform"]), parent_pid=1)
    with capture_logs() as logs:
        answer = daemon.answer(
            b'{"op":"address","id":1,"key_ref":"Bad","oops":"' + KEYS["platform"].hex().encode() + b'"}'
        )
    assert KEYS["platform"].hex() not in answer.model_dump_json() + str(logs)


# --- the process ----------------------------------------------------------------------------------------------------


async def test_killed_signerd_is_started_again(tmp_path: Path) -> None:
    async with running(local_settings(tmp_path)) as process:
        signer = LocalSigner(process.socket, timeout_s=5.0)
        before = await signer.submit(SignRequest(job_id="a", key_ref="platform", transaction=a_transaction()))
        first = process.pid
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            while process.pid == first or not (await signer.health()).ok:
                await asyncio.sleep(0.02)
        after = await signer.submit(SignRequest(job_id="b", key_ref="platform", transaction=a_transaction()))
        assert (process.starts, after.signature) == (2, before.signature)
        await signer.close()


async def test_kill_under_load_loses_no_job(tmp_path: Path) -> None:
    async with running(local_settings(tmp_path)) as process:
        signer = LocalSigner(process.socket, timeout_s=5.0)

        async def until_signed(n: int) -> None:
            request = SignRequest(job_id=f"job-{n}", key_ref="platform", transaction=a_transaction(nonce=n))
            async with asyncio.timeout(60):
                while True:
                    try:
                        job = await signer.submit(request)
                    except SignerUnavailable:
                        await asyncio.sleep(0.05)
                        continue
                    assert job.state is SignState.SIGNED
                    return

        work = [asyncio.create_task(until_signed(n)) for n in range(400)]
        for _ in range(2):
            await asyncio.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
            await asyncio.sleep(1.0)
        await asyncio.gather(*work)
        assert process.starts >= 2
        await signer.close()


async def test_signerd_ends_with_its_parent(tmp_path: Path) -> None:
    """Also when the parent is killed: nobody is left holding keys, and nothing is left of the socket."""
    parent, info = await _service(tmp_path)
    assert len(list((tmp_path / "run").iterdir())) == 1
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    async with asyncio.timeout(20):
        while _is_alive(info["signerd"]):
            await asyncio.sleep(0.05)
    assert list((tmp_path / "run").iterdir()) == []


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


SERVICE = """
import asyncio, json, os, sys
from prometheus_client import generate_latest
from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.local.client import LocalSigner
from tokenx_chain.signers.local.process import running
from tokenx_chain.signers.settings import SignerSettings
from tokenx_common.log import configure_logging

async def main():
    settings = SignerSettings()
    configure_logging("chain", settings)
    async with running(settings) as process:
        desk = SigningDesk(LocalSigner(process.socket))
        for nonce in range(50):
            await desk.sign_transaction("platform", UnsignedTransaction(31337, nonce, None, 0, b"code", 60_000, 2, 1))
        await desk.sign_message("treasury", b"hello")
        print(json.dumps({"signerd": process.pid, "address": await desk.address("platform"), "metrics": generate_latest().decode()}), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


async def _service(folder: Path) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    """A process that signs through signerd as the chain service does, configured by its environment, logging everything."""
    store = write_keystore(folder / "keys", KEYS)
    (folder / "run").mkdir()
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TOKENX_ENV": "prod", "SIGNER_BACKEND": "local", "SIGNER_KEYSTORE": str(store),
        "SIGNER_PASSPHRASE_FILE": str(private(folder / "passphrase", PASSPHRASE)), "CHAIN_IDS": "31337", "LOG_LEVEL": "debug",
        "SIGNER_SOCKET_DIR": str(folder / "run"),
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            SERVICE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            limit=2**20,
        )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line, (folder / "log").read_text()
    return process, json.loads(line)


async def test_no_other_process_ever_has_a_key(tmp_path: Path) -> None:
    """Environment, command line, names of memory maps of every process on the machine; logs, metrics, files; the memory of the service."""
    service, info = await _service(tmp_path)
    try:
        assert info["address"] == ADDRESSES["platform"]
        secrets = [KEYS["platform"], KEYS["treasury"], PASSPHRASE]
        forms = set[bytes]().union(*map(forms_of, secrets))
        seen = 0
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal() or int(folder.name) == os.getpid():
                continue  # This test wrote the keys and knows them.
            for name in ("environ", "cmdline", "maps", "comm"):
                try:
                    content = (folder / name).read_bytes()
                except OSError:
                    continue
                seen += 1
                assert not [form for form in forms if form in content], f"{folder}/{name}"
        assert seen >= 8
        assert info["signerd"] != service.pid
        assert (Path(f"/proc/{info['signerd']}/cmdline").read_bytes().split(b"\0")[1:-1]) == [
            b"-m",
            b"tokenx_chain.signers.local",
            b"serve",
        ]
        assert b"SIGNER" not in Path(f"/proc/{info['signerd']}/environ").read_bytes()
        told = (tmp_path / "log").read_bytes() + info["metrics"].encode()
        assert b"signerd.signed" in told
        assert b"tokenx_signer_seconds" in told
        assert not [form for form in forms if form in told]
        memory = memory_of(service.pid)
        assert len(memory) > 10_000_000
        assert bytes.fromhex(ADDRESSES["platform"][2:]).hex().encode() in memory, "the search finds what is there"
        assert not [form for form in forms if form in memory]
    finally:
        service.terminate()
        await service.wait()


PEEK = """
import ctypes, os, sys
from tokenx_chain.signers.local.daemon import harden

def peek():
    child = os.fork()
    if child == 0:
        try:
            open(f"/proc/{os.getppid()}/mem", "rb").close()
            os._exit(0)
        except PermissionError:
            os._exit(13)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

if os.getuid() == 0:
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
print(peek())
harden()
print(peek())
"""


def test_memory_of_signerd_is_closed_to_its_own_user() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PEEK], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["0", "13"]


def test_signerd_leaves_no_core_and_cannot_be_dumped(bench: Bench) -> None:
    assert bench.process is not None
    limits = Path(f"/proc/{bench.process.pid}/limits").read_text()
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


def test_vault_tells_nothing(tmp_path: Path) -> None:
    found = vault(platform=KEYS["platform"], root=KEYS["treasury"])
    assert repr(found) == "Vault(1 named keys, ***)"
    settings = local_settings(tmp_path, tokenx_env="dev", signer_private_key="0x" + KEYS["platform"].hex())
    opening = opening_of(settings, tmp_path / "s")
    for text in (repr(settings), str(settings.model_dump()), repr(opening), str(opening), f"{opening}"):
        assert KEYS["platform"].hex() not in text
    with pytest.raises(TypeError, match="not copied"):
        __import__("pickle").dumps(found)


async def test_desk_signs_typed_data_only_for_configured_chains(bench: Bench) -> None:
    desk = SigningDesk(bench.signer)
    assert len(await desk.sign_typed_data("platform", typed_data(chain_id=1))) == 65
    with pytest.raises(SignerRefused, match="chain 5 is not in CHAIN_IDS"):
        await desk.sign_typed_data("platform", typed_data(chain_id=5))


def test_socket_path_too_long_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SignerConfigError, match="SIGNER_SOCKET_DIR"):
        opening_of(local_settings(tmp_path), Path("/" + "x" * 120))


def test_signerd_by_hand_says_who_starts_it() -> None:
    done = subprocess.run([sys.executable, "-m", "tokenx_chain.signers.local", "serve"], input="hello\n", capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)  # fmt: skip
    assert (done.returncode, "started by the chain service" in done.stderr) == (78, True)
