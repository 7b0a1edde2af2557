// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "./Calendar.sol";
import {HolderMemory} from "./HolderMemory.sol";

/// @title Compliance module: daily and monthly limits on units sent to an exchange.
/// @notice An exchange is named by one of its wallets or by the identity behind all of them; the wallet's own limits go
/// first. Limits hold per sending identity and for all senders together, per calendar day and month in UTC. What comes back
/// from an exchange, mints, and movements within the exchange's identity do not count. Other receivers are not limited.
contract ExchangeLimit is HolderMemory {
    /// type(uint96).max: no limit. Zero: nothing may be sent.
    struct Limits {
        uint96 dayPerInvestor;
        uint96 monthPerInvestor;
        uint96 dayTotal;
        uint96 monthTotal;
        bool listed;
    }

    /// What was sent in the day and the month named, as counted from 1970.
    struct Usage {
        uint32 day;
        uint96 dayUnits;
        uint32 month;
        uint96 monthUnits;
    }

    /// The sender would have sent more to this exchange today, or this month, than one investor may.
    bytes32 public constant EXCHANGE_DAY_LIMIT = "EXCHANGE_DAY_LIMIT";
    bytes32 public constant EXCHANGE_MONTH_LIMIT = "EXCHANGE_MONTH_LIMIT";
    /// All senders together would have sent more to this exchange today, or this month, than allowed.
    bytes32 public constant EXCHANGE_DAY_TOTAL = "EXCHANGE_DAY_TOTAL";
    bytes32 public constant EXCHANGE_MONTH_TOTAL = "EXCHANGE_MONTH_TOTAL";
    uint96 public constant UNLIMITED = type(uint96).max;

    /// Under which name all senders together are counted.
    address private constant EVERYBODY = address(0);

    mapping(bytes32 book => mapping(address exchange => Limits)) private limits;
    mapping(bytes32 book => mapping(address exchange => mapping(address identity => Usage))) private usages;

    event ExchangeLimitsSet(
        address indexed compliance,
        address indexed exchange,
        uint96 dayPerInvestor,
        uint96 monthPerInvestor,
        uint96 dayTotal,
        uint96 monthTotal
    );
    event ExchangeRemoved(address indexed compliance, address indexed exchange);

    /// Sets the limits of an exchange, a wallet or an identity. Called by the compliance contract.
    function setExchange(
        address exchange,
        uint96 dayPerInvestor,
        uint96 monthPerInvestor,
        uint96 dayTotal,
        uint96 monthTotal
    ) external onlyBound {
        limits[_book(msg.sender)][exchange] = Limits(dayPerInvestor, monthPerInvestor, dayTotal, monthTotal, true);
        emit ExchangeLimitsSet(msg.sender, exchange, dayPerInvestor, monthPerInvestor, dayTotal, monthTotal);
    }

    /// Lifts the limits of an exchange. Called by the compliance contract.
    function removeExchange(address exchange) external onlyBound {
        delete limits[_book(msg.sender)][exchange];
        emit ExchangeRemoved(msg.sender, exchange);
    }

    /// The limits of an exchange; listed = false when it has none.
    function limitsOf(address compliance, address exchange) external view returns (Limits memory) {
        return limits[_book(compliance)][exchange];
    }

    /// What an identity (zero address: everybody) has sent to an exchange today and this month.
    function usageOf(address compliance, address exchange, address identity)
        external
        view
        returns (uint256 dayUnits, uint256 monthUnits)
    {
        Usage memory usage = _usage(_book(compliance), exchange, identity);
        return (usage.dayUnits, usage.monthUnits);
    }

    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        override
        returns (bytes32)
    {
        if (from == address(0)) return bytes32(0);
        Suite memory suite = _suite(compliance);
        address receiver = _recall(suite, to);
        address exchange = _exchange(suite.book, to, receiver);
        if (exchange == address(0)) return bytes32(0);
        address sender = _recall(suite, from);
        if (sender == receiver) return bytes32(0);
        Limits memory limit = limits[suite.book][exchange];
        Usage memory own = _usage(suite.book, exchange, sender);
        if (_exceeds(own.dayUnits, amount, limit.dayPerInvestor)) return EXCHANGE_DAY_LIMIT;
        if (_exceeds(own.monthUnits, amount, limit.monthPerInvestor)) return EXCHANGE_MONTH_LIMIT;
        Usage memory all = _usage(suite.book, exchange, EVERYBODY);
        if (_exceeds(all.dayUnits, amount, limit.dayTotal)) return EXCHANGE_DAY_TOTAL;
        return _exceeds(all.monthUnits, amount, limit.monthTotal) ? EXCHANGE_MONTH_TOTAL : bytes32(0);
    }

    function name() external pure returns (string memory) {
        return "ExchangeLimit";
    }

    function _moved(Suite memory suite, address sender, address receiver, address to, uint256 amount)
        internal
        override
    {
        address exchange = _exchange(suite.book, to, receiver);
        if (exchange == address(0)) return;
        _count(suite.book, exchange, sender, amount);
        _count(suite.book, exchange, EVERYBODY, amount);
    }

    function _count(bytes32 book, address exchange, address identity, uint256 amount) private {
        Usage memory usage = _usage(book, exchange, identity);
        usage.dayUnits = _saturated(usage.dayUnits, amount);
        usage.monthUnits = _saturated(usage.monthUnits, amount);
        usages[book][exchange][identity] = usage;
    }

    /// The usage as of now: another day or another month starts from zero.
    function _usage(bytes32 book, address exchange, address identity) private view returns (Usage memory usage) {
        usage = usages[book][exchange][identity];
        uint32 today = uint32(Calendar.day(block.timestamp));
        uint32 month = uint32(Calendar.month(block.timestamp));
        if (usage.day != today) (usage.day, usage.dayUnits) = (today, 0);
        if (usage.month != month) (usage.month, usage.monthUnits) = (month, 0);
    }

    /// Whose limits apply to a receiving wallet: its own, else its identity's; zero when neither is listed.
    function _exchange(bytes32 book, address wallet, address identity) private view returns (address) {
        if (limits[book][wallet].listed) return wallet;
        return limits[book][identity].listed ? identity : address(0);
    }

    function _exceeds(uint256 used, uint256 amount, uint96 limit) private pure returns (bool) {
        return limit != UNLIMITED && (used > limit || amount > limit - used);
    }

    function _saturated(uint96 used, uint256 amount) private pure returns (uint96) {
        return amount > type(uint96).max - used ? type(uint96).max : used + uint96(amount);
    }
}
