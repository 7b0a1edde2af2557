"""ERC-3643 (T-REX 4.1.6 with ONCHAINID 2.2.1): the contracts by role, what would stand against a movement, and every act as a function."""

from tokenx_chain.standards.erc3643.adapter import Erc3643Adapter
from tokenx_chain.standards.erc3643.contracts import Erc3643, kyc_claim_data

__all__ = ["Erc3643", "Erc3643Adapter", "kyc_claim_data"]
