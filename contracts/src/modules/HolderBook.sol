// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBoundCompliance, IRegisteredToken} from "./Interfaces.sol";
import {Module} from "./Module.sol";

/// @title The register that holder rules count with: units per wallet, per identity, and the number of holders.
/// @notice Counts identities, not wallets. Each wallet is booked with the identity it had and the balance it held, so
/// that a wallet whose identity was replaced or deleted is moved or kept, never counted twice and never lost.
/// @dev The token tells modules about movements but not about changes of the identity registry. A wallet that holds
/// units and whose identity was replaced is refused with BOOK_STALE until `sync`, which anyone may call for any wallet: it
/// only copies what token and registry say. The same call fills the book of a rule bound to a token that has holders.
abstract contract HolderBook is Module {
    /// One slot. identity: under whom the wallet's units are counted.
    struct Entry {
        address identity;
        uint96 units;
    }

    /// booked: sum of all entries. complete: every unit of the token is booked.
    struct Totals {
        uint128 booked;
        uint64 holders;
        bool complete;
    }

    /// What changed units in the book: a movement of tokens, a new identity of a wallet, or something that happened unseen.
    enum Cause {
        Movement,
        Rekey,
        Correction
    }

    /// Not every holder is booked yet: call `sync` with the missing wallets.
    bytes32 public constant BOOK_INCOMPLETE = "BOOK_INCOMPLETE";
    /// The wallet's identity was replaced since it was booked: call `sync` with it.
    bytes32 public constant BOOK_STALE = "BOOK_STALE";
    /// The token's supply would pass 2^96 - 1, more than the book can count.
    bytes32 public constant AMOUNT_TOO_LARGE = "AMOUNT_TOO_LARGE";

    mapping(bytes32 book => Totals) internal totals;
    mapping(bytes32 book => mapping(address wallet => Entry)) private entries;
    mapping(bytes32 book => mapping(address identity => uint256)) private units;

    /// A wallet's units are counted under another identity from now on.
    event WalletRekeyed(
        address indexed compliance, address indexed wallet, address previousIdentity, address identity, uint256 units
    );
    /// Units came to light, or were gone, without the module having been told: a balance from before the binding.
    event WalletCorrected(address indexed compliance, address indexed wallet, uint256 bookedUnits, uint256 units);
    /// Every unit of the token is booked; the rule works from now on.
    event BookCompleted(address indexed compliance, uint256 units, uint256 holders);

    error AmountTooLarge(uint256 amount);

    /// Books wallets as token and registry have them now. Anyone may call; a wallet that is right already is left alone.
    /// To be called after a wallet's identity or country was changed in the registry, and once with all holders after
    /// the rule was bound to a token that had some.
    function sync(address compliance, address[] calldata wallets) external {
        _requireBound(compliance);
        Suite memory suite = _suite(compliance);
        for (uint256 i = 0; i < wallets.length; ++i) {
            uint256 balance = suite.token.balanceOf(wallets[i]);
            _refresh(suite, wallets[i], balance, balance);
        }
        Totals storage total = totals[suite.book];
        if (total.complete || total.booked != suite.token.totalSupply()) return;
        total.complete = true;
        emit BookCompleted(compliance, total.booked, total.holders);
    }

    function moduleTransferAction(address from, address to, uint256 amount) external override onlyBound {
        Suite memory suite = _suite(msg.sender);
        uint256 sent = suite.token.balanceOf(from);
        if (from == to) {
            _refresh(suite, from, sent, sent);
            return;
        }
        uint256 got = suite.token.balanceOf(to);
        address sender = _refresh(suite, from, sent + amount, sent);
        address receiver = _refresh(suite, to, got - amount, got);
        if (sender != receiver) _move(suite, sender, receiver, amount, Cause.Movement);
    }

    function moduleMintAction(address to, uint256 amount) external override onlyBound {
        Suite memory suite = _suite(msg.sender);
        uint256 got = suite.token.balanceOf(to);
        address receiver = _refresh(suite, to, got - amount, got);
        _move(suite, address(0), receiver, amount, Cause.Movement);
    }

    function moduleBurnAction(address from, uint256 amount) external override onlyBound {
        Suite memory suite = _suite(msg.sender);
        uint256 left = suite.token.balanceOf(from);
        address sender = _refresh(suite, from, left + amount, left);
        _move(suite, sender, address(0), amount, Cause.Movement);
    }

    /// How many identities hold units.
    function holderCount(address compliance) public view returns (uint256) {
        return totals[_book(compliance)].holders;
    }

    /// Units of an identity over all its wallets.
    function unitsOf(address compliance, address identity) public view returns (uint256) {
        return units[_book(compliance)][identity];
    }

    /// Under whom a wallet is counted, and with how many units.
    function entryOf(address compliance, address wallet) external view returns (address identity, uint256 bookedUnits) {
        Entry memory entry = entries[_book(compliance)][wallet];
        return (entry.identity, entry.units);
    }

    /// Whether every unit of the token is booked.
    function isComplete(address compliance) external view returns (bool) {
        return totals[_book(compliance)].complete;
    }

    /// The token must be bound to the compliance already, and its supply within what the book can count.
    function canComplianceBind(address compliance) external view override returns (bool) {
        address token = IBoundCompliance(compliance).getTokenBound();
        return token != address(0) && IRegisteredToken(token).totalSupply() <= type(uint96).max;
    }

    /// False: the compliance contract asks `canComplianceBind` first.
    function isPlugAndPlay() external pure override returns (bool) {
        return false;
    }

    function _opened(address compliance) internal override {
        address token = IBoundCompliance(compliance).getTokenBound();
        if (IRegisteredToken(token).totalSupply() == 0) totals[_book(compliance)].complete = true;
    }

    /// The part of the reason all holder rules share, and who stands behind the wallets. sender is zero for a mint.
    function _parties(Suite memory suite, address from, address to, uint256 amount)
        internal
        view
        returns (bytes32 code, address sender, address receiver)
    {
        if (!totals[suite.book].complete) return (BOOK_INCOMPLETE, address(0), address(0));
        bool stale;
        if (from != address(0)) (sender, stale) = _party(suite, from);
        if (stale) return (BOOK_STALE, address(0), address(0));
        (receiver, stale) = _party(suite, to);
        if (stale) return (BOOK_STALE, address(0), address(0));
        if (amount > type(uint96).max) return (AMOUNT_TOO_LARGE, sender, receiver);
        if (from == address(0) && suite.token.totalSupply() + amount > type(uint96).max) code = AMOUNT_TOO_LARGE;
    }

    function _party(Suite memory suite, address wallet) private view returns (address holder, bool stale) {
        Entry memory entry = entries[suite.book][wallet];
        (holder,) = _holderOf(suite, wallet, entry.identity);
        stale = entry.units != 0 && entry.identity != holder;
    }

    /// Brings a wallet's entry up to date. before: what it held before the movement at hand; afterwards: what it holds now.
    function _refresh(Suite memory suite, address wallet, uint256 before, uint256 afterwards)
        private
        returns (address holder)
    {
        Entry memory entry = entries[suite.book][wallet];
        bool registered;
        (holder, registered) = _holderOf(suite, wallet, entry.identity);
        if (registered) _located(suite, wallet, holder);
        if (entry.units != 0 && entry.identity != holder) {
            _move(suite, entry.identity, holder, entry.units, Cause.Rekey);
            emit WalletRekeyed(suite.compliance, wallet, entry.identity, holder, entry.units);
        }
        if (entry.units != before) _correct(suite, wallet, holder, entry.units, before);
        if (entry.identity != holder || entry.units != afterwards) {
            entries[suite.book][wallet] = Entry(holder, _narrow(afterwards));
        }
    }

    function _correct(Suite memory suite, address wallet, address holder, uint256 booked, uint256 actual) private {
        if (actual > booked) _move(suite, address(0), holder, actual - booked, Cause.Correction);
        else _move(suite, holder, address(0), booked - actual, Cause.Correction);
        emit WalletCorrected(suite.compliance, wallet, booked, actual);
    }

    /// Moves units between identities in the book; zero stands for issue and redemption.
    function _move(Suite memory suite, address sender, address receiver, uint256 amount, Cause) internal virtual {
        if (amount == 0) return;
        if (sender == address(0)) totals[suite.book].booked += uint128(amount);
        else _take(suite, sender, amount);
        if (receiver == address(0)) totals[suite.book].booked -= uint128(amount);
        else _give(suite, receiver, amount);
    }

    function _take(Suite memory suite, address identity, uint256 amount) private {
        uint256 left = units[suite.book][identity] - amount;
        units[suite.book][identity] = left;
        if (left != 0) return;
        --totals[suite.book].holders;
        _left(suite, identity);
    }

    function _give(Suite memory suite, address identity, uint256 amount) private {
        uint256 held = units[suite.book][identity];
        units[suite.book][identity] = held + amount;
        if (held != 0) return;
        ++totals[suite.book].holders;
        _joined(suite, identity);
    }

    /// An identity holds its first unit.
    function _joined(Suite memory suite, address identity) internal virtual {}

    /// An identity holds no unit any more.
    function _left(Suite memory suite, address identity) internal virtual {}

    /// A registered wallet of an identity moved or was synced.
    function _located(Suite memory suite, address wallet, address identity) internal virtual {}

    function _held(Suite memory suite, address identity) internal view returns (uint256) {
        return units[suite.book][identity];
    }

    /// Cannot fail while the supply is bounded, see canComplianceBind and AMOUNT_TOO_LARGE.
    function _narrow(uint256 amount) private pure returns (uint96) {
        if (amount > type(uint96).max) revert AmountTooLarge(amount);
        return uint96(amount);
    }
}
