"""`tokenx demo`: starts the stack when it is not running, walks the journey with visible progress, and says where to look."""

import asyncio
import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.table import Table

from tokenx_cli.commands.console import DEFAULT_DATA, DataOption, complaints, console, fail, state_folder
from tokenx_cli.journey.cast import MAIN, OFFERINGS, Passwords
from tokenx_cli.journey.journey import Journey
from tokenx_cli.people import ApiProblem, TimedOut
from tokenx_cli.replay.commands import progress_bar, read_messages
from tokenx_cli.replay.messages import BadFile, OrderMessage
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.runtime.secrets import PERSONA_LOGINS, load_secrets
from tokenx_cli.stack.control import NotRunning, StartRefused, require_running, start_in_background
from tokenx_cli.stack.folder import StackState, StateFolder
from tokenx_cli.verify.commands import verify_folder
from tokenx_common.clock import monotonic_s

FLOW: Final = Path(__file__).parent.parent / "replay" / "demo_flow.csv"
FIRST_RUN_ORDERS: Final = 600
LATER_RUN_ORDERS: Final = 60

Result = TypeVar("Result")


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    data: DataOption = DEFAULT_DATA,
    flow: Annotated[Path | None, typer.Option(help="Recorded order flow to trade.", envvar="TOKENX_DEMO_FLOW")] = None,
    orders: Annotated[int | None, typer.Option(min=1, help="How many order messages to send.")] = None,
) -> None:
    """Do the main job once on the local stack: tokenize, onboard, issue, trade, settle, screen, redeem. The stack keeps running."""
    folder = state_folder(data)
    try:
        state = _running_stack(folder)
        asyncio.run(_walk(folder, state, flow or _sample() or FLOW, orders))
    except (StartRefused, ApiProblem, TimedOut, BadFile, AssertionError) as error:
        fail(f"demo: {error}")


def _running_stack(folder: StateFolder) -> StackState:
    try:
        return require_running(folder)
    except NotRunning:
        started = monotonic_s()
        console.print("starting the stack …")
        state = start_in_background(folder, [])
        console.print(f"stack ready after {monotonic_s() - started:.1f} s")
        return state


def _sample() -> Path | None:
    """A real market-data sample beside the checkout, where the project keeps one; it is not part of the product."""
    samples = sorted((project_root().parent / "shared" / "data").glob("*.mbo.dbn.zst"))
    return samples[0] if samples else None


async def _walk(folder: StateFolder, state: StackState, flow: Path, orders: int | None) -> None:
    staff = {
        email: password for email, password in load_secrets(folder.secrets).logins.items() if email in PERSONA_LOGINS
    }
    journey = Journey(
        state.urls["api"],
        _rpc_url(state),
        Passwords(folder.root / "investors.json", staff),
        note=lambda line: console.print(f"   {line}"),
    )
    try:
        summary = await _steps(folder, journey, flow, orders)
    finally:
        await journey.close()
    _report(summary, state, staff)


def _rpc_url(state: StackState) -> str:
    return os.environ.get("CHAIN_31337_RPC_URLS", "").split(",")[0] or state.urls["rpc"]


async def _steps(folder: StateFolder, journey: Journey, flow: Path, orders: int | None) -> list[tuple[str, str]]:
    summary: list[tuple[str, str]] = []

    async def step(number: int, title: str, work: Awaitable[Result]) -> Result:
        console.print(f"[bold]{number}. {title}[/bold]")
        started = monotonic_s()
        result = await work
        summary.append((f"{number}. {title}", f"{monotonic_s() - started:.1f} s"))
        return result

    offering = await step(1, "Tokenize: contract suites for two offerings", journey.tokenize())
    await step(2, "Onboard: KYC, on-chain identities, registry", journey.onboard())
    await step(3, "Primary: deposits, subscriptions, minting", journey.primary())
    first_run = offering["last_price_amount"] is None
    messages = read_messages(flow, limit=orders or (FIRST_RUN_ORDERS if first_run else LATER_RUN_ORDERS))
    facts = await step(4, f"Trade: {len(messages)} order messages from {flow.name}", _trade(journey, messages))
    facts |= await step(5, "Settle: delivery versus payment on chain", _settle(journey))
    facts |= await step(6, "Screen: risk scores and surveillance", _screen(journey, plant=first_run))
    if await _has_workflows(journey):
        statement = await step(7, "Redeem: request, approval, burn, payout, statement", journey.redeem())
        facts["redemption"] = f"{statement['units']} units paid out at {statement['amount']} {statement['currency']}"
    else:
        facts["redemption"] = "no Temporal server here: requests wait in the outbox (see `tokenx doctor`)"
    await journey.settle()
    broken = [line for result in await verify_folder(folder) for line in result["broken"]]
    for line in broken:
        complaints.print(f"   broken invariant: {line}", markup=False)
    facts["invariants"] = f"{len(broken)} broken" if broken else "I1 to I12 hold"
    return summary + [(name, value) for name, value in facts.items()]


async def _has_workflows(journey: Journey) -> bool:
    health = await (await journey.staff("admin")).get("/v1/admin/health")
    api = next(service for service in health["services"] if service["service"] == "api")
    return api["dependencies"].get("temporal", {}).get("status") == "ok"


async def _trade(journey: Journey, messages: list[OrderMessage]) -> dict[str, str]:
    await journey.open_market()
    refusal = await journey.refuse_unverified()
    console.print(f"   unverified investor refused before the book: {', '.join(refusal.reason_codes())}")
    with progress_bar() as bar:
        task = bar.add_task("   orders", total=len(messages))
        tally = await journey.replay(messages, progress=lambda: bar.advance(task))
    trades = await journey.matched()
    refused = ", ".join(f"{code} {count}" for code, count in tally.refused.most_common()) or "none"
    return {
        "orders": f"{tally.accepted} accepted, {tally.replaced} replaced, {tally.canceled} cancels",
        "refused by compliance": refused,
        "trades": str(trades),
    }


async def _settle(journey: Journey) -> dict[str, str]:
    counts = await journey.settle()
    table = await journey.register_agrees(MAIN)
    reason = await journey.refused_on_chain()
    console.print(f"   direct transfer to a stranger refused by the contract: {reason}", markup=False)
    return {"settlements": ", ".join(f"{count} {status}" for status, count in sorted(counts.items())),
            "register": f"ledger, register and chain agree on {table['total_units']} units of {len(table['data'])} holders"}  # fmt: skip


async def _screen(journey: Journey, *, plant: bool) -> dict[str, str]:
    if plant:
        await journey.plant_listed_transfer()
        await journey.plant_wash_trades()
        await journey.settle()
    scored = await journey.every_transfer_scored()
    kyt, surveillance = await journey.alerts("kyt"), await journey.alerts("surveillance")
    return {"transfers scored": str(scored), "KYT alerts": f"{len(kyt)} (first: {kyt[0]['title']})",
            "surveillance alerts": f"{len(surveillance)} (first: {surveillance[0]['title']})"}  # fmt: skip


def _report(summary: list[tuple[str, str]], state: StackState, staff: dict[str, str]) -> None:
    table = Table("what", "result", title="The journey")
    for name, value in summary:
        table.add_row(name, value)
    console.print(table)
    addresses = Table("part", "address", title="Running")
    for name, url in state.urls.items():
        addresses.add_row(name, url)
    console.print(addresses)
    logins = Table("persona", "e-mail", "password", title="Demo logins")
    for email, password in staff.items():
        logins.add_row(PERSONA_LOGINS[email], email, password)
    console.print(logins)
    console.print(
        f"{len(OFFERINGS)} offerings are trading. Stop with `make down`; `tokenx status`, `tokenx logs` and `tokenx verify` show more."
    )
