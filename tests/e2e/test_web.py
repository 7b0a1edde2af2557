"""The web app in a real browser, on the real stack: what each person came to do, and what nobody may do."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import PHONE, axe, chromium, nav_pages, overflow, seat
from tests.support.stack import Stack
from tokenx_cli.journey.cast import DEMO_INVESTOR, MAIN, TRADERS, UNVERIFIED, Passwords, email_of
from tokenx_cli.journey.journey import Journey

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(600)]

AREAS: Final = {
    "investor": "investor", "issuer": "issuer", "compliance": "compliance", "transfer-agent": "transfer-agent",
    "tokenization-agent": "tokenization-agent", "ats": "ats-operator", "admin": "admin",
}  # fmt: skip
"""Demo login by the first segment of the area's address."""


@dataclass(frozen=True)
class Scene:
    """An open market with somebody to trade with."""

    url: str
    journey: Journey
    offering_id: str

    @property
    def market(self) -> str:
        return f"/investor/trade/{self.offering_id}"

    def password(self, email: str) -> str:
        return self.journey.passwords.of(email)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(web_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Scene]:
    passwords = Passwords(tmp_path_factory.mktemp("web") / "investors.json", web_stack.logins)
    journey = Journey(web_stack.urls["api"], web_stack.urls["rpc"], passwords)
    await journey.tokenize()
    await journey.onboard()
    await journey.primary()
    await journey.open_market()
    yield Scene(web_stack.urls["web"], journey, journey.offerings[MAIN]["offering_id"])
    await journey.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


async def _sell(scene: Scene, *, price: str, quantity: str) -> None:
    seller = await scene.journey.trader(TRADERS[0])
    await seller.post("/v1/orders", scene.journey.order(MAIN, "sell", quantity, price))


def _row(page: Page, table: str, text: str):
    return page.get_by_role("table", name=table, exact=True).get_by_role("row").filter(has_text=text)


# --- signing in ---


async def test_a_visitor_reads_what_it_is_and_signs_in_without_scripts(browser: Browser, scene: Scene) -> None:
    async with seat(browser, scene.url, scripts=False) as taken:
        await taken.page.goto("/")
        await expect(taken.page.get_by_role("heading", level=1)).to_contain_text("tokenized securities")
        await taken.page.get_by_role("link", name="Sign in").first.click()
        email = email_of(DEMO_INVESTOR)
        await taken.page.get_by_label("E-mail").fill(email)
        await taken.page.get_by_label("Password").fill(scene.password(email))
        await taken.page.get_by_role("button", name="Sign in").click()
        await expect(taken.page).to_have_url(f"{scene.url}/investor")
        await expect(_row(taken.page, "Holdings", MAIN)).to_contain_text("500")  # rendered on the server


async def test_a_wrong_password_is_said_and_leads_nowhere(browser: Browser, scene: Scene) -> None:
    async with seat(browser, scene.url) as taken:
        await taken.open("/login?next=/investor/orders")
        await taken.page.get_by_label("E-mail").fill(email_of(DEMO_INVESTOR))
        await taken.page.get_by_label("Password").fill("not the password")
        await taken.page.get_by_role("button", name="Sign in").click()
        await expect(taken.page.get_by_role("alert").first).to_contain_text("E-mail or password is wrong")
        assert await taken.context.cookies() == []


async def test_nobody_enters_another_persons_area(browser: Browser, scene: Scene) -> None:
    """49 pairs of login and area, and no login at all; the last header was a way around such checks in older versions."""
    async with seat(browser, scene.url) as stranger:
        for area in AREAS:
            for headers in ({}, {"x-middleware-subrequest": "src/proxy:src/proxy:src/proxy"}):
                answer = await stranger.context.request.get(f"/{area}", max_redirects=0, headers=headers)
                sent_to = (answer.status, answer.headers.get("location"))
                assert sent_to == (307, f"/login?next=%2F{area}"), (area, headers)
            for headers in ({"rsc": "1"}, {"rsc": "1", "next-router-prefetch": "1"}):
                payload = await stranger.context.request.get(f"/{area}", headers=headers)
                assert "csrfToken" not in await payload.text(), area  # the mark of a rendered area
    for own, login in AREAS.items():
        email = f"{login}@demo.tokenx.local"
        async with seat(browser, scene.url) as taken:
            await taken.sign_in(email, scene.password(email))
            for area in AREAS:
                answer = await taken.context.request.get(f"/{area}", max_redirects=0)
                expected = (200, None) if area == own else (307, f"/{own}")
                assert (answer.status, answer.headers.get("location")) == expected, (own, area)


async def test_the_proxy_to_the_api_needs_the_token_and_shows_only_the_public_part(
    browser: Browser, scene: Scene
) -> None:
    async with seat(browser, scene.url) as taken:
        email = email_of(DEMO_INVESTOR)
        await taken.sign_in(email, scene.password(email))
        request = taken.context.request
        forged = await request.post("/api/v1/orders:preview", data={}, headers={"content-type": "application/json"})
        assert (forged.status, (await forged.json())["code"]) == (403, "auth.csrf")
        for path in (
            "/api/internal/cursors?consumer=kyt",
            "/api/health/ready",
            "/api/v1/..%2finternal/cursors",
            "/api/metrics",
        ):
            assert (await request.get(path)).status == 404, path


# --- trading ---


async def test_an_investor_buys_from_the_book_and_sees_it_filled_and_settled(browser: Browser, scene: Scene) -> None:
    await _sell(scene, price="101.25", quantity="40")
    async with seat(browser, scene.url) as taken:
        page = taken.page
        await taken.sign_in(email_of(DEMO_INVESTOR), scene.password(email_of(DEMO_INVESTOR)))
        await page.get_by_role("link", name="Trade", exact=True).first.click()
        await page.get_by_role("link", name=f"Trade {MAIN}").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(MAIN)
        await expect(page.get_by_test_id("live-status")).to_have_text("Live")

        await page.get_by_role("button", name="Ask 101.25").click()
        await expect(page.get_by_label("Price in USD")).to_have_value("101.25")
        await page.get_by_label("Quantity in units").fill("10")
        await expect(page.get_by_text("1,012.50 USD")).to_be_visible()
        await expect(page.get_by_text("Trades at once against the best ask")).to_be_visible()
        await expect(page.get_by_text("Compliance allows this order.")).to_be_visible()
        await page.get_by_role("button", name=f"Buy {MAIN}").click()

        await expect(_row(page, "My fills", "101.25")).to_contain_text("1,012.50")
        await expect(page.get_by_role("button", name="Ask 101.25, 30 units")).to_be_visible()
        await expect(page.get_by_role("region", name="Trades").get_by_text("101.25")).to_be_visible()

        await page.get_by_role("link", name="Portfolio").click()
        await expect(_row(page, "Settlements", "1,012.50")).to_contain_text("settled", timeout=60_000)


async def test_a_resting_order_reaches_a_second_browser_and_can_be_cancelled(browser: Browser, scene: Scene) -> None:
    other = email_of(TRADERS[1])
    async with seat(browser, scene.url) as maker, seat(browser, scene.url, theme="light") as watcher:
        await maker.sign_in(email_of(DEMO_INVESTOR), scene.password(email_of(DEMO_INVESTOR)))
        await watcher.sign_in(other, scene.password(other))
        await maker.open(scene.market)
        await watcher.open(scene.market)
        await expect(watcher.page.get_by_test_id("live-status")).to_have_text("Live")

        await maker.page.keyboard.press("p")  # focus, by key
        await maker.page.keyboard.type("97.77")
        await maker.page.get_by_label("Quantity in units").fill("7")
        await maker.page.keyboard.press("Enter")
        await expect(_row(maker.page, "My open orders", "97.77")).to_be_visible()
        await expect(maker.page.get_by_role("button", name="Bid 97.77, 7 units, yours among them")).to_be_visible()
        level = watcher.page.get_by_role("button", name="Bid 97.77")
        await expect(level).to_be_visible(timeout=5_000)

        await maker.page.get_by_role("button", name=f"Cancel buy 7 {MAIN}").click()
        await expect(_row(maker.page, "My open orders", "97.77")).to_have_count(0)
        await expect(level).to_have_count(0)


async def test_the_ticket_says_what_is_wrong_and_sends_nothing(browser: Browser, scene: Scene) -> None:
    async with seat(browser, scene.url) as taken:
        page = taken.page
        await taken.sign_in(email_of(DEMO_INVESTOR), scene.password(email_of(DEMO_INVESTOR)))
        await taken.open(scene.market)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        await page.get_by_label("Price in USD").fill("100.005")
        await page.get_by_label("Quantity in units").fill("1.5")
        await page.get_by_role("button", name=f"Buy {MAIN}").click()
        await expect(page.get_by_text("Price must be a multiple of the tick, 0.01.")).to_be_visible()
        await expect(page.get_by_text("Quantity must be a multiple of the lot, 1.")).to_be_visible()
        assert sent == []


async def test_a_refusal_names_the_rule_and_stays_until_dismissed(browser: Browser, scene: Scene) -> None:
    email = email_of(UNVERIFIED)
    async with seat(browser, scene.url, forgiven="status of 403") as taken:
        page = taken.page
        await taken.sign_in(email, scene.password(email))
        await taken.open(scene.market)
        await page.get_by_label("Price in USD").fill("100.00")
        await page.get_by_label("Quantity in units").fill("1")
        await expect(page.get_by_text("Compliance would refuse this order.")).to_be_visible()
        await page.get_by_role("button", name=f"Buy {MAIN}").click()
        refusal = page.get_by_role("list", name="Orders being sent")
        await expect(refusal).to_contain_text("compliance.denied")
        await refusal.get_by_role("button", name="Dismiss").click()
        await expect(page.get_by_text("compliance.denied")).to_have_count(0)


async def test_without_the_stream_the_page_polls_and_says_so(browser: Browser, scene: Scene) -> None:
    async with seat(browser, scene.url, forgiven="Failed to load resource|/api/v1/stream") as taken:
        await taken.context.route("**/api/v1/stream*", lambda route: route.abort())
        await taken.sign_in(email_of(DEMO_INVESTOR), scene.password(email_of(DEMO_INVESTOR)))
        await taken.open(scene.market)
        await expect(taken.page.get_by_test_id("live-status")).to_have_text("Polling")
        await _sell(scene, price="109.09", quantity="3")
        await expect(taken.page.get_by_role("button", name="Ask 109.09, 3 units")).to_be_visible(timeout=10_000)


# --- the other desks ---


async def test_compliance_approves_kyc_with_a_reason(browser: Browser, scene: Scene) -> None:
    email = "compliance@demo.tokenx.local"
    async with seat(browser, scene.url) as taken:
        page = taken.page
        await taken.sign_in(email, scene.password(email))
        await _row(page, "Investors", UNVERIFIED.name).get_by_role("button", name="Approve").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("On chain")
        await dialog.get_by_label("Reason").fill("Passport and address checked.")
        await dialog.get_by_role("button", name="Approve").click()
        await expect(dialog).to_have_count(0)
        await expect(_row(page, "Investors", UNVERIFIED.name)).to_have_count(0)
        await page.get_by_label("KYC state").select_option("approved")
        await expect(_row(page, "Investors", UNVERIFIED.name)).to_contain_text("registered", timeout=60_000)


async def test_a_halt_is_seen_at_once_by_who_trades(browser: Browser, scene: Scene) -> None:
    operator = "ats-operator@demo.tokenx.local"
    async with seat(browser, scene.url) as desk, seat(browser, scene.url) as trader:
        await trader.sign_in(email_of(DEMO_INVESTOR), scene.password(email_of(DEMO_INVESTOR)))
        await trader.open(scene.market)
        await expect(trader.page.get_by_test_id("live-status")).to_have_text("Live")
        await desk.sign_in(operator, scene.password(operator))
        await _row(desk.page, "Markets", MAIN).get_by_role("button", name="Halt").click()
        await desk.page.get_by_role("dialog").get_by_label("Reason").fill("News pending.")
        await desk.page.get_by_role("dialog").get_by_role("button", name="Halt").click()
        await expect(_row(desk.page, "Markets", MAIN)).to_contain_text("halted")
        await expect(trader.page.get_by_text("Trading is halted.")).to_be_visible(timeout=10_000)
        await _row(desk.page, "Markets", MAIN).get_by_role("button", name="Resume").click()
        await desk.page.get_by_role("dialog").get_by_role("button", name="Resume").click()
        await expect(_row(desk.page, "Markets", MAIN)).to_contain_text("continuous")


async def test_the_register_agrees_with_the_chain_on_screen(browser: Browser, scene: Scene) -> None:
    email = "transfer-agent@demo.tokenx.local"
    async with seat(browser, scene.url) as taken:
        await taken.sign_in(email, scene.password(email))
        await taken.page.get_by_label("Offering").select_option(scene.offering_id)
        await expect(_row(taken.page, "Holders", TRADERS[2].name)).to_contain_text("none")
        await expect(taken.page.get_by_text("register and chain agree")).to_be_visible(timeout=60_000)


async def test_any_page_can_be_reached_from_the_palette(browser: Browser, scene: Scene) -> None:
    async with seat(browser, scene.url) as taken:
        await taken.sign_in(email_of(DEMO_INVESTOR), scene.password(email_of(DEMO_INVESTOR)))
        await taken.page.keyboard.press("Control+k")
        await taken.page.get_by_placeholder("Page or symbol").fill(MAIN)
        await expect(taken.page.get_by_role("option", name=f"Trade {MAIN}")).to_have_attribute("aria-selected", "true")
        await taken.page.keyboard.press("Enter")
        await expect(taken.page).to_have_url(f"{scene.url}{scene.market}")


# --- every page ---


@pytest.mark.parametrize("area", AREAS)
async def test_every_page_fits_a_phone_and_passes_axe(area: str, browser: Browser, scene: Scene) -> None:
    email = f"{AREAS[area]}@demo.tokenx.local"
    pages = [
        *nav_pages()[area],
        *{"investor": [scene.market], "ats": [f"/ats/markets/{scene.offering_id}"]}.get(area, []),
    ]
    async with seat(browser, scene.url, size=PHONE, theme="light") as taken:
        await taken.sign_in(email, scene.password(email))
        for path in pages:
            await taken.open(path)
            await expect(taken.page.get_by_role("heading", level=1)).to_have_count(1)
            assert await overflow(taken.page) <= 0, path
            assert await axe(taken.page) == [], path
            await taken.page.evaluate(
                "document.documentElement.className = document.documentElement.className.replace('light', 'dark')"
            )
            assert await axe(taken.page) == [], f"{path}, dark"


@pytest.mark.parametrize("path", ["/", "/login", "/register"])
async def test_every_public_page_fits_a_phone_and_passes_axe(path: str, browser: Browser, scene: Scene) -> None:
    async with seat(browser, scene.url, size=PHONE, theme="light") as taken:
        await taken.open(path)
        assert await overflow(taken.page) <= 0
        assert await axe(taken.page) == []
