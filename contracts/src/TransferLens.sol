// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBoundCompliance, IReasonedModule} from "./modules/Interfaces.sol";

interface ILensToken {
    function paused() external view returns (bool);
    function isFrozen(address wallet) external view returns (bool);
    function balanceOf(address wallet) external view returns (uint256);
    function getFrozenTokens(address wallet) external view returns (uint256);
    function identityRegistry() external view returns (address);
    function compliance() external view returns (address);
}

interface ILensRegistry {
    function isVerified(address wallet) external view returns (bool);
}

/// @title Everything an ERC-3643 token, its registry and its rules would say against a movement, in one question.
/// @notice Holds nothing and changes nothing. A mint is asked for with the zero address as sender.
contract TransferLens {
    /// code: an ASCII code padded with zeros. rule: the contract that says so. enforced: false where the chain lets the
    /// movement pass all the same and only the platform's own gate refuses it.
    struct Finding {
        bytes32 code;
        address rule;
        bool enforced;
    }

    bytes32 public constant TOKEN_PAUSED = "TOKEN_PAUSED";
    bytes32 public constant SENDER_FROZEN = "SENDER_FROZEN";
    bytes32 public constant RECEIVER_FROZEN = "RECEIVER_FROZEN";
    bytes32 public constant BALANCE_INSUFFICIENT = "BALANCE_INSUFFICIENT";
    bytes32 public constant UNITS_FROZEN = "UNITS_FROZEN";
    bytes32 public constant SENDER_NOT_VERIFIED = "SENDER_NOT_VERIFIED";
    bytes32 public constant RECEIVER_NOT_VERIFIED = "RECEIVER_NOT_VERIFIED";
    bytes32 public constant SELF_TRANSFER = "SELF_TRANSFER";
    bytes32 public constant ZERO_AMOUNT = "ZERO_AMOUNT";
    /// A rule without `reason` refuses, or cannot be asked.
    bytes32 public constant RULE_REFUSED = "RULE_REFUSED";

    /// All findings, in the order in which the token would come across them; empty when the movement would pass.
    function findings(address token, address from, address to, uint256 amount)
        external
        view
        returns (Finding[] memory found)
    {
        address compliance = ILensToken(token).compliance();
        address[] memory modules = IBoundCompliance(compliance).getModules();
        found = new Finding[](10 + modules.length);
        uint256 count = from == address(0) ? 0 : _ofSender(found, ILensToken(token), from, to, amount);
        count = _ofReceiver(found, count, ILensToken(token), to, amount);
        for (uint256 i = 0; i < modules.length; ++i) {
            bytes32 code = _ofRule(modules[i], from, to, amount, compliance);
            if (code != bytes32(0)) found[count++] = Finding(code, modules[i], true);
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
    }

    function _ofSender(Finding[] memory found, ILensToken token, address from, address to, uint256 amount)
        private
        view
        returns (uint256 count)
    {
        address at = address(token);
        if (token.paused()) found[count++] = Finding(TOKEN_PAUSED, at, true);
        if (token.isFrozen(to)) found[count++] = Finding(RECEIVER_FROZEN, at, true);
        if (token.isFrozen(from)) found[count++] = Finding(SENDER_FROZEN, at, true);
        uint256 balance = token.balanceOf(from);
        if (balance < amount) found[count++] = Finding(BALANCE_INSUFFICIENT, at, true);
        else if (balance - token.getFrozenTokens(from) < amount) found[count++] = Finding(UNITS_FROZEN, at, true);
        if (from == to) found[count++] = Finding(SELF_TRANSFER, at, false);
        address registry = token.identityRegistry();
        if (!ILensRegistry(registry).isVerified(from)) {
            found[count++] = Finding(SENDER_NOT_VERIFIED, registry, false);
        }
    }

    function _ofReceiver(Finding[] memory found, uint256 count, ILensToken token, address to, uint256 amount)
        private
        view
        returns (uint256)
    {
        if (amount == 0) found[count++] = Finding(ZERO_AMOUNT, address(token), true);
        address registry = token.identityRegistry();
        if (!ILensRegistry(registry).isVerified(to)) {
            found[count++] = Finding(RECEIVER_NOT_VERIFIED, registry, true);
        }
        return count;
    }

    function _ofRule(address module, address from, address to, uint256 amount, address compliance)
        private
        view
        returns (bytes32)
    {
        try IReasonedModule(module).reason(from, to, amount, compliance) returns (bytes32 code) {
            return code;
        } catch {}
        try IReasonedModule(module).moduleCheck(from, to, amount, compliance) returns (bool ok) {
            return ok ? bytes32(0) : RULE_REFUSED;
        } catch {
            return RULE_REFUSED;
        }
    }
}
