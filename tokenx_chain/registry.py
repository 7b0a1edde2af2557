"""The contracts of one chain by name, as the journal records them."""

from typing import Any

from tokenx_chain.journal import Journal
from tokenx_common.errors import Conflict

_COIN = "StableCoin"
_TOKEN_PREFIX = "token:"  # noqa: S105  # the name of a security token, not a secret


class PlatformNotDeployed(Conflict):
    """platform.deploy has not run on this chain."""

    code = "chain.platform_not_deployed"


class ContractRegistry:
    """Names, addresses (lower case) and details. Loaded at the start, added to by deployments."""

    def __init__(self) -> None:
        self._contracts: dict[str, tuple[str, dict[str, Any]]] = {}
        self._coins: dict[str, str] = {}
        self._names: dict[str, str] = {}

    async def load(self, journal: Journal) -> None:
        for name, (address, detail) in (await journal.contracts()).items():
            self.add(name, address, detail)

    def add(self, name: str, address: str, detail: dict[str, Any]) -> None:
        """Know a contract from now on; its transfers are followed if it is a coin or a token."""
        self._contracts[name] = (address.lower(), detail)
        self._names[address.lower()] = name
        if name == _COIN or name.startswith(_TOKEN_PREFIX):
            self._coins[address.lower()] = name

    def all(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Address and detail of every contract by name."""
        return dict(self._contracts)

    def find(self, name: str) -> tuple[str, dict[str, Any]] | None:
        return self._contracts.get(name)

    def address(self, name: str) -> str | None:
        found = self._contracts.get(name)
        return found[0] if found else None

    def require(self, name: str) -> str:
        """The address. Raises PlatformNotDeployed."""
        address = self.address(name)
        if address is None:
            raise PlatformNotDeployed(f"{name} is not deployed on this chain")
        return address

    def name_of(self, address: str) -> str | None:
        """The recorded name of an address, lower case."""
        return self._names.get(address)

    def coin_name(self, address: str) -> str | None:
        """'StableCoin' or 'token:<offering_id>' for a followed contract."""
        return self._coins.get(address)

    def tokens(self) -> list[str]:
        """Addresses of all security tokens."""
        return [address for address, name in self._coins.items() if name != _COIN]

    def watched(self) -> list[str]:
        """Contracts whose logs the listener asks for."""
        settlement = self.address("Settlement")
        return [*self._coins, *([settlement] if settlement else [])]
