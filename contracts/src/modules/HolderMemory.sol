// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Module} from "./Module.sol";

/// @title What the volume rules share: which identity stood behind a wallet when it last moved.
/// @notice A wallet taken out of the registry keeps counting for that identity, so that its volume is not forgotten.
abstract contract HolderMemory is Module {
    mapping(bytes32 book => mapping(address wallet => address)) private lastIdentity;

    function moduleTransferAction(address from, address to, uint256 amount) external override onlyBound {
        Suite memory suite = _suite(msg.sender);
        address sender = _remember(suite, from);
        address receiver = _remember(suite, to);
        if (sender != receiver) _moved(suite, sender, receiver, to, amount);
    }

    function moduleMintAction(address to, uint256) external override onlyBound {
        _remember(_suite(msg.sender), to);
    }

    /// Units went from one identity to another. to: the receiving wallet.
    function _moved(Suite memory suite, address sender, address receiver, address to, uint256 amount) internal virtual;

    function _recall(Suite memory suite, address wallet) internal view returns (address holder) {
        (holder,) = _holderOf(suite, wallet, lastIdentity[suite.book][wallet]);
    }

    function _remember(Suite memory suite, address wallet) private returns (address holder) {
        address last = lastIdentity[suite.book][wallet];
        bool registered;
        (holder, registered) = _holderOf(suite, wallet, last);
        if (registered && holder != last) lastIdentity[suite.book][wallet] = holder;
    }
}
