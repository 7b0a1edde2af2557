"""`tokenx replay FILE --offering SYMBOL`."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tokenx_cli.commands.console import DEFAULT_DATA, DataOption, console, fail, state_folder
from tokenx_cli.journey.cast import TRADERS, email_of
from tokenx_cli.people import ApiProblem, Person
from tokenx_cli.replay.loaders import load
from tokenx_cli.replay.messages import BadFile, OrderMessage, anchor_ticks, from_first_trade, only_known_orders
from tokenx_cli.replay.player import Player, Tally
from tokenx_cli.stack.control import NotRunning, require_running
from tokenx_cli.stack.folder import StateFolder
from tokenx_common.ids import new_id

DEFAULT_LIMIT: Final = 500


def register(app: typer.Typer) -> None:
    app.command()(replay)


def replay(
    file: Annotated[Path, typer.Argument(help="Recorded order flow: *.csv, *.dbn[.zst], *.flow, NASDAQ ITCH 5.0.")],
    offering: Annotated[str, typer.Option(help="Symbol of the offering to trade.")],
    limit: Annotated[int, typer.Option(min=1, help="How many messages to send at most.")] = DEFAULT_LIMIT,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin with the first message, not shortly before the first trade.")
    ] = False,
    logins: Annotated[
        Path | None,
        typer.Option(help='JSON file {"email": "password", …} of the traders; the demo traders without it.'),
    ] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Send recorded order flow through POST /v1/orders as a set of traders. Prices keep their distances in ticks, laid over the last price."""
    folder = state_folder(data)
    try:
        state = require_running(folder)
        messages = read_messages(file, limit=limit, from_start=from_start)
        tally = asyncio.run(_replay(state.urls["api"], offering, messages, _logins(folder, logins)))
    except NotRunning as error:
        fail(f"{error}: start it with `tokenx up -d`", 3)
    except (BadFile, ApiProblem) as error:
        fail(str(error))
    print_tally(tally)


def read_messages(file: Path, *, limit: int, from_start: bool = False) -> list[OrderMessage]:
    """The part of the file to play. Raises BadFile."""
    messages = list(load(file))
    chosen = messages if from_start else from_first_trade(messages)
    return list(only_known_orders(chosen))[:limit]


def _logins(folder: StateFolder, file: Path | None) -> dict[str, str]:
    source = file or folder.root / "investors.json"
    if not source.is_file():
        fail(f"{source}: no such file; run `tokenx demo` first or name the traders with --logins")
    known: dict[str, str] = json.loads(source.read_text())
    demo = [email_of(role) for role in TRADERS]
    return known if file else {email: known[email] for email in demo if email in known}


async def _replay(api_url: str, symbol: str, messages: list[OrderMessage], logins: dict[str, str]) -> Tally:
    async with AsyncExitStack() as exit_stack:
        traders: list[Person] = []
        for email, password in logins.items():
            person = Person(api_url)
            exit_stack.push_async_callback(person.close)
            traders.append(await person.sign_in(email, password))
        if not traders:
            raise BadFile("no traders to play the orders")
        offering = await _offering(traders[0], symbol)
        reference = offering["last_price_amount"] or offering["unit_price_amount"]
        player = Player(
            traders, offering, anchor=anchor_ticks(messages), reference_price=reference, run=new_id("cor")[-8:]
        )
        with progress_bar() as bar:
            task = bar.add_task("orders", total=len(messages))
            return await player.play(messages, progress=lambda: bar.advance(task))


async def _offering(person: Person, symbol: str) -> dict[str, Any]:
    for offering in await person.everything("/v1/offerings"):
        if offering["symbol"] == symbol:
            return offering
    raise BadFile(f"no offering with the symbol {symbol}")


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def print_tally(tally: Tally) -> None:
    """What became of the messages, in a few lines."""
    console.print(
        f"sent {tally.sent}, accepted {tally.accepted}, replaced {tally.replaced}, cancels taken {tally.canceled}, already closed {tally.already_closed}"
    )
    for title, counts in (("refused by compliance", tally.refused), ("other refusals", tally.problems)):
        if counts:
            console.print(
                f"{title}: " + ", ".join(f"{code} {count}" for code, count in counts.most_common()), markup=False
            )
