"""The compliance modules an offering asks for, with their settings, and what keeps the books of those that count holders right."""

from typing import Final

from tokenx_chain.contracts.calls import Read
from tokenx_chain.contracts.modules import UNLIMITED, CountryList, ExchangeLimit, HolderRules, VolumeWindow
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import BadParams
from tokenx_chain.operations.keys import PLATFORM
from tokenx_chain.operations.params import DeployOffering, ExchangeLimitRule, TransferRules
from tokenx_chain.standards.countries import NUMERIC
from tokenx_chain.standards.erc3643 import Erc3643

_DAY_S: Final = 86_400


def bindings(ctx: Context, params: DeployOffering) -> list[tuple[str, bytes]]:
    """(module, calldata of one setting), in the order they are bound: a module with several settings is there several times."""
    return [*_countries(ctx, params), *_holders(ctx, params.transfer_rules), *_volumes(ctx, params.transfer_rules)]


def country_number(code: str) -> int:
    """ISO 3166-1 numeric of a two-letter code. Raises BadParams."""
    number = NUMERIC.get(code)
    if number is None:
        raise BadParams(f"unknown country {code}")
    return number


async def is_counted(ctx: Context, token: str) -> bool:
    """Whether the rules of a token know all of its holders: they do when bound before the first mint. True where none counts."""
    rule, compliance = _book(ctx), await ctx.read(Erc3643(ctx.chain).token(token).compliance())
    if rule.address not in await ctx.read(Erc3643(ctx.chain).compliance(compliance).modules()):
        return True
    return await ctx.read(rule.is_complete(compliance))


async def sync(ctx: Context, wallet: str) -> None:
    """Has the rules look at a wallet again whose identity or country changed in the registry, on each token it holds.

    The registry does not tell them, and a holder whose identity is not the one that was booked could neither send nor receive."""
    standard, rule = Erc3643(ctx.chain), _book(ctx)
    tokens = ctx.chain.registry.tokens()
    held = await ctx.read_all([standard.token(token).balance(wallet) for token in tokens])
    steps: list[Step] = []
    for token, units in zip(tokens, held, strict=True):
        step = f"sync:{token}"
        if not units and not ctx.was_sent(step):
            continue
        compliance = await ctx.read(standard.token(token).compliance())
        modules: Read[tuple[str, ...]] = standard.compliance(compliance).modules()
        if rule.address in await ctx.read(modules):
            steps.append(Step(step, rule.sync(compliance, [wallet]), PLATFORM))
    await ctx.mined(await ctx.send_all(steps))


def _countries(ctx: Context, params: DeployOffering) -> list[tuple[str, bytes]]:
    block, allow = (CountryList(ctx.chain.artifacts.abi(name), ctx.chain.registry.require(name)) for name in ("CountryBlock", "CountryAllow"))  # fmt: skip
    bound = [(block.address, block.countries([country_number(code) for code in params.blocked_countries]))]
    allowed = params.transfer_rules.allowed_countries
    if allowed:
        bound.append((allow.address, allow.countries([country_number(code) for code in allowed])))
    return bound


def _holders(ctx: Context, rules: TransferRules) -> list[tuple[str, bytes]]:
    """One module for the four rules that count holders: its book is what costs gas, and it is kept once."""
    rule = _book(ctx)
    settings: list[bytes] = []
    if rules.max_holders is not None:
        settings.append(rule.cap(rules.max_holders))
    if rules.max_holders_by_country:
        settings.append(rule.caps({country_number(code): cap for code, cap in rules.max_holders_by_country.items()}))
    if rules.max_units_per_holder is not None:
        settings.append(rule.maximum(rules.max_units_per_holder))
    if rules.lock_up_days is not None:
        settings.append(rule.days(rules.lock_up_days))
    return [(rule.address, setting) for setting in settings]


def _volumes(ctx: Context, rules: TransferRules) -> list[tuple[str, bytes]]:
    at, abi = ctx.chain.registry.require, ctx.chain.artifacts.abi
    window = VolumeWindow(abi("VolumeWindow"), at("VolumeWindow"))
    exchange = ExchangeLimit(abi("ExchangeLimit"), at("ExchangeLimit"))
    bound = [(exchange.address, _exchange(exchange, limit)) for limit in rules.exchange_limits]
    if rules.volume_window is None:
        return bound
    limit = window.limit(window_s=rules.volume_window.days * _DAY_S, units=rules.volume_window.max_units)
    return [(window.address, limit), *bound]


def _exchange(rule: ExchangeLimit, limit: ExchangeLimitRule) -> bytes:
    def units(number: int | None) -> int:
        return UNLIMITED if number is None else number

    return rule.exchange(limit.exchange, day=units(limit.day_units), month=units(limit.month_units),
                         day_total=units(limit.day_total_units), month_total=units(limit.month_total_units))  # fmt: skip


def _book(ctx: Context) -> HolderRules:
    return HolderRules(ctx.chain.artifacts.abi("HolderRules"), ctx.chain.registry.require("HolderRules"))
