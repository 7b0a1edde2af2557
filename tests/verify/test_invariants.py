"""The verifier finds what is broken: a small consistent world passes, and each kind of damage is named by the invariant it breaks.

The world is written as the superuser, so that damage the api role could never do can be done."""

from typing import Any

import asyncpg
import pytest

from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_cli.verify.commands import verify_target
from tokenx_common.canonical import ZERO_HASH, canonical_json, rolling_hash
from tokenx_common.merkle import merkle_root, seal_hash
from tokenx_matcher.engine import replay

OFFERING = "off_1"
TOKEN = "0x" + "aa" * 20

Connection = asyncpg.Connection


async def build(connection: Connection) -> None:
    """One offering of 100 units; Ann sold Bob 10 of hers at 100.00 and the trade is settled; Bob has an open order for 5 at 99.00."""
    await people(connection)
    await book(connection)
    await ledger(connection)
    await chain(connection)
    await audit(connection)


async def people(connection: Connection) -> None:
    await connection.execute("""
        INSERT INTO api.users (user_id, email, display_name, password_hash, personas) VALUES
            ('usr_i', 'i@x', 'I', '', '{issuer}'), ('usr_a', 'a@x', 'Ann', '', '{investor}'), ('usr_b', 'b@x', 'Bob', '', '{investor}');
        INSERT INTO api.issuers (issuer_id, user_id, legal_name, country) VALUES ('iss_1', 'usr_i', 'Acme', 'US');
        INSERT INTO api.investors (investor_id, user_id, legal_name, country) VALUES ('inv_a', 'usr_a', 'Ann', 'US'), ('inv_b', 'usr_b', 'Bob', 'US');""")
    await connection.execute(
        """INSERT INTO api.offerings (offering_id, issuer_id, symbol, name, exemption, unit_price_minor, max_units, tick_size_minor, lot_size_units,
               status, market_state, chain_id, token_address)
           VALUES ($1, 'iss_1', 'ACME', 'Acme', 'reg_d_506c', 10000, 1000, 1, 1, 'open', 'continuous', 31337, $2)""",
        OFFERING, TOKEN,
    )  # fmt: skip
    await connection.execute(
        """INSERT INTO api.wallets (wallet_id, chain_id, address, key_ref, investor_id, status) VALUES
               ('wal_a', 31337, $1, 'investor:inv_a', 'inv_a', 'registered'), ('wal_b', 31337, $2, 'investor:inv_b', 'inv_b', 'registered')""",
        "0x" + "0a" * 20, "0x" + "0b" * 20,
    )  # fmt: skip


def order(seq: int, side: str, price: int, lots: int) -> dict[str, Any]:
    return {"type": "order.new", "order_id": f"ord_{seq}", "book_order_id": seq, "owner": seq, "side": side, "order_type": "limit", "tif": "gtc",
            "price_ticks": price, "quantity_lots": lots, "post_only": False, "stp": "cancel_newest"}  # fmt: skip


async def book(connection: Connection) -> None:
    bodies = [
        {"type": "market.state", "state": "continuous"},
        order(2, "sell", 10000, 10),
        order(3, "buy", 10000, 10),
        order(4, "buy", 9900, 5),
    ]
    digest, commands = ZERO_HASH, []
    for seq, body in enumerate(bodies, 1):
        digest = rolling_hash(digest, canonical_json(body))
        commands.append({"seq": seq, "body": canonical_json(body), "hash": digest.hex()})
    executions = list(replay(commands))
    last = executions[-1]
    await connection.execute(
        "INSERT INTO matcher.sequencers (offering_id, cmd_seq, cmd_hash, exec_seq, exec_cmd_seq, exec_hash) VALUES ($1, 4, $2, $3, 4, $4)",
        OFFERING, digest, last["seq"], bytes.fromhex(last["hash"]),
    )  # fmt: skip
    await connection.executemany(
        "INSERT INTO matcher.commands (offering_id, cmd_seq, body, hash) VALUES ($1, $2, $3, $4)",
        [(OFFERING, item["seq"], item["body"], bytes.fromhex(item["hash"])) for item in commands],
    )
    await connection.executemany(
        "INSERT INTO matcher.executions (offering_id, exec_seq, cmd_seq, body, hash) VALUES ($1, $2, $3, $4, $5)",
        [(OFFERING, item["seq"], item["cmd_seq"], item["body"], bytes.fromhex(item["hash"])) for item in executions],
    )
    await connection.execute("""
        INSERT INTO compliance.decisions (decision_id, stage, subject_type, subject_id, outcome, results, facts, engine_version, correlation_id)
            VALUES ('dec_1', 'pre_trade', 'order', 'ord', 'allow', '[]', '{}', '1', 'cor')""")
    await connection.executemany(
        """INSERT INTO matcher.orders (order_id, offering_id, investor_id, client_order_id, body_sha256, book_order_id, side, type, time_in_force,
               quantity_lots, price_ticks, filled_lots, remaining_lots, status, decision_id, correlation_id, closed_at)
           VALUES ($1, 'off_1', $2, $1, '', $3, $4, 'limit', 'gtc', $5, $6, $7, $8, $9, 'dec_1', 'cor', CASE WHEN $9 = 'filled' THEN now() END)""",
        [("ord_2", "inv_a", 2, "sell", 10, 10000, 10, 0, "filled"), ("ord_3", "inv_b", 3, "buy", 10, 10000, 10, 0, "filled"),
         ("ord_4", "inv_b", 4, "buy", 5, 9900, 0, 5, "new")],
    )  # fmt: skip
    trade = next(item for item in executions if '"type":"trade"' in item["body"])
    await connection.execute(
        """INSERT INTO matcher.fills (fill_id, offering_id, exec_seq, cmd_seq, maker_order_id, taker_order_id, buy_order_id, sell_order_id,
               price_ticks, quantity_lots, notional_minor) VALUES ('fill', 'off_1', $1, 3, 'ord_2', 'ord_3', 'ord_3', 'ord_2', 10000, 10, 100000)""",
        trade["seq"],
    )
    await connection.execute("""
        INSERT INTO api.settlements (settlement_id, fill_id, offering_id, buyer_id, seller_id, units, amount_minor, status, tx_hash)
            VALUES ('set_1', 'fill', 'off_1', 'inv_b', 'inv_a', 10, 100000, 'settled', '0x1')""")


async def ledger(connection: Connection) -> None:
    await connection.execute("""
        INSERT INTO api.ledger_accounts (owner, asset, balance, reserved) VALUES ('issuance:off_1', 'off_1', -100, 0),
            ('investor:inv_a', 'off_1', 90, 0), ('investor:inv_b', 'off_1', 10, 0), ('bank:USD', 'USD', -200000, 0),
            ('investor:inv_a', 'USD', 100000, 0), ('investor:inv_b', 'USD', 100000, 49500);
        INSERT INTO api.ledger_entries (kind, ref) VALUES ('issue', 's'), ('deposit', 'd'), ('trade', 't');
        INSERT INTO api.ledger_postings (entry_id, account_id, amount) SELECT e.entry_id, a.account_id, p.amount FROM (VALUES
            ('s', 'issuance:off_1', 'off_1', -100), ('s', 'investor:inv_a', 'off_1', 100), ('d', 'bank:USD', 'USD', -200000),
            ('d', 'investor:inv_b', 'USD', 200000), ('t', 'investor:inv_a', 'off_1', -10), ('t', 'investor:inv_b', 'off_1', 10),
            ('t', 'investor:inv_b', 'USD', -100000), ('t', 'investor:inv_a', 'USD', 100000)) AS p (ref, owner, asset, amount)
            JOIN api.ledger_entries e USING (ref) JOIN api.ledger_accounts a USING (owner, asset);
        INSERT INTO api.reservations (ref, account_id, amount)
            SELECT 'ord_4', account_id, 49500 FROM api.ledger_accounts WHERE owner = 'investor:inv_b' AND asset = 'USD';""")


async def chain(connection: Connection) -> None:
    await connection.execute(f"""
        INSERT INTO api.token_balances (chain_id, token, address, amount, last_seq) VALUES (31337, '{TOKEN}', '0x{"0a" * 20}', 90, 1),
            (31337, '{TOKEN}', '0x{"0b" * 20}', 10, 1);
        INSERT INTO chain.streams (chain_id, seq) VALUES (31337, 1);
        INSERT INTO chain.events (chain_id, seq, event_id, type, body) VALUES
            (31337, 1, 'e', 'settlement.final', '{{"payload": {{"settlement_id": "set_1"}}}}');
        INSERT INTO api.stream_cursors (consumer, stream, seq) VALUES ('api.chain', 'chain:31337', 1);
        INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id) VALUES ('op_1', 31337, 'x', '{{}}', 'x:1', 'c');
        INSERT INTO chain.transactions (tx_id, operation_id, step, chain_id, from_address, nonce, tx_hash, raw, epoch)
            SELECT 'op_1:' || n, 'op_1', n::text, 31337, '0xf', n, '0x' || n, '', 1 FROM generate_series(3, 6) n;
        INSERT INTO chain.tx_attempts (tx_id, attempt, kind, chain_id, from_address, nonce, tx_hash, raw, epoch)
            SELECT tx_id, 1, 'initial', chain_id, from_address, nonce, tx_hash, raw, epoch FROM chain.transactions;""")  # constants


async def audit(connection: Connection) -> None:
    for order_id in ("ord_2", "ord_3", "ord_4"):
        await connection.execute("SELECT audit.append('usr_a', 'order.accepted', 'order', $1, 'cor', '{}')", order_id)
    rows = await connection.fetch("SELECT event_id, leaf FROM audit.events ORDER BY event_id")
    root = merkle_root([row["leaf"] for row in rows])
    await connection.execute(
        "INSERT INTO audit.seals (event_ids, root, prev_hash, hash) VALUES ($1, $2, $3, $4)",
        [row["event_id"] for row in rows], root, ZERO_HASH, seal_hash(ZERO_HASH, root, len(rows)),
    )  # fmt: skip


async def broken(database: DatabaseUrls) -> dict[str, list[str]]:
    return {
        result["name"]: result["broken"] for result in await verify_target(database.ro_url, None) if result["broken"]
    }


UNGUARDED = "SET session_replication_role = replica; "
DAMAGE = {
    "order without its command": ("I1", "UPDATE matcher.orders SET book_order_id = 99 WHERE order_id = 'ord_4'"),
    "command number skipped": ("I2", "UPDATE matcher.sequencers SET cmd_seq = 5"),
    "execution lost": ("I2", UNGUARDED + "DELETE FROM matcher.executions WHERE exec_seq = (SELECT max(exec_seq) FROM matcher.executions)"),
    "execution altered": ("I3", UNGUARDED + """UPDATE matcher.executions SET body = replace(body, '"price_ticks":10000', '"price_ticks":10001')"""),
    "command altered": ("I3", UNGUARDED + """UPDATE matcher.commands SET body = replace(body, '"tif":"gtc"', '"tif":"ioc"') WHERE cmd_seq = 4"""),
    "fill altered": ("I3", "UPDATE matcher.fills SET quantity_lots = 9"),
    "order filled more than its fills": ("I5", "UPDATE matcher.orders SET filled_lots = 1, remaining_lots = 4 WHERE order_id = 'ord_4'"),
    "money appears": ("I6", "UPDATE api.ledger_accounts SET balance = balance + 1 WHERE owner = 'investor:inv_a' AND asset = 'USD'"),
    "reservation left behind": ("I6", "UPDATE matcher.orders SET status = 'canceled', remaining_lots = 0, closed_at = now() WHERE order_id = 'ord_4'"),
    "token out of nothing": ("I9", "UPDATE api.token_balances SET amount = amount + 1 WHERE amount = 90"),
    "audit row altered": ("I10", UNGUARDED + "ALTER TABLE audit.events DISABLE TRIGGER ALL; UPDATE audit.events SET actor = 'usr_x' WHERE subject_id = 'ord_3'"),
    "audit row deleted": ("I10", "ALTER TABLE audit.events DISABLE TRIGGER ALL; DELETE FROM audit.events WHERE subject_id = 'ord_3'"),
    "seal altered": ("I10", "ALTER TABLE audit.seals DISABLE TRIGGER ALL; UPDATE audit.seals SET root = prev_hash"),
    "nonce gap": ("I11", "DELETE FROM chain.tx_attempts WHERE nonce = 4"),
    "settled without a final event": ("I11", "UPDATE chain.events SET type = 'transfer.final'"),
    "fill without settlement": ("I12", "DELETE FROM api.settlements"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_named(database: DatabaseUrls, damage: str) -> None:
    invariant, statement = DAMAGE[damage]
    connection = await asyncpg.connect(database.superuser_url)
    try:
        await build(connection)
        assert await broken(database) == {}
        await connection.execute(statement)
        assert invariant in await broken(database)
    finally:
        await connection.close()


async def test_a_trade_during_a_halt_is_named(database: DatabaseUrls) -> None:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        await build(connection)
        await connection.execute(
            """UPDATE matcher.commands SET body = replace(body, '"continuous"', '"halted"') WHERE cmd_seq = 1"""
        )
        assert "I8" in await broken(database)
    finally:
        await connection.close()
