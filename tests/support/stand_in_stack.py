"""A supervisor over stand-ins, run as a program so that a test can kill it: python -m tests.support.stand_in_stack FOLDER."""

import asyncio
import sys
from pathlib import Path

from tests.support.stand_ins import stand_in
from tokenx_cli.runtime import ports
from tokenx_cli.runtime.postgres import Postgres
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_cli.runtime.valkey import Valkey
from tokenx_cli.stack.folder import StateFolder
from tokenx_cli.stack.supervisor import Plan, Supervisor


def units(folder: Path) -> list[ProcessSpec]:
    passwords: dict[str, str] = {"api": "secret", "cli": "secret", "admin": "secret"}
    postgres = Postgres(folder / "postgres", ports.free_port(), "secret", durable=False)
    valkey = Valkey(folder / "valkey", ports.free_port(), passwords)
    return [
        postgres.spec(),
        valkey.spec(),
        stand_in("api", needs=("postgres", "valkey")),
        stand_in("kyt", needs=("api",)),
    ]


async def main(folder: Path) -> int:
    state = StateFolder(folder).create()
    with state.lock():
        return await Supervisor(Plan(units(folder)), state).run(asyncio.Event(), lambda _: None)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
