// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CountryHolderCapRule} from "./CountryHolderCap.sol";
import {HolderBook} from "./HolderBook.sol";
import {HolderCapRule} from "./HolderCap.sol";
import {LockUpRule} from "./LockUp.sol";
import {MaxBalanceRule} from "./MaxBalance.sol";

/// @title Compliance module: holder cap, country caps, maximum balance and lock-up over one book.
/// @notice Says and counts what the four modules would, for little more gas than one of them: bind this where a token
/// needs several. A rule that was given no setting limits nothing here.
contract HolderRules is HolderCapRule, CountryHolderCapRule, MaxBalanceRule, LockUpRule {
    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        override
        returns (bytes32)
    {
        Suite memory suite = _suite(compliance);
        (bytes32 code, address sender, address receiver) = _parties(suite, from, to, amount);
        if (code == bytes32(0)) code = _holderCap(suite, sender, receiver, amount, bytes32(0));
        if (code == bytes32(0)) code = _countryCap(suite, sender, receiver, to, amount);
        if (code == bytes32(0)) code = _maxBalance(suite, sender, receiver, amount, bytes32(0));
        if (code == bytes32(0)) code = _lockUp(suite, sender, receiver, amount, bytes32(0));
        return code;
    }

    function name() external pure returns (string memory) {
        return "HolderRules";
    }

    function _move(Suite memory suite, address sender, address receiver, uint256 amount, Cause cause)
        internal
        override(HolderBook, LockUpRule)
    {
        super._move(suite, sender, receiver, amount, cause);
    }

    function _located(Suite memory suite, address wallet, address identity)
        internal
        override(HolderBook, CountryHolderCapRule)
    {
        super._located(suite, wallet, identity);
    }

    function _joined(Suite memory suite, address identity) internal override(HolderBook, CountryHolderCapRule) {
        super._joined(suite, identity);
    }

    function _left(Suite memory suite, address identity) internal override(HolderBook, CountryHolderCapRule) {
        super._left(suite, identity);
    }
}
