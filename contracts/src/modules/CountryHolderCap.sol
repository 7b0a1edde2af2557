// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {HolderBook} from "./HolderBook.sol";

/// @title Rule: at most so many holders per country, counted by identity.
/// @notice Countries without a cap are not limited; a cap of zero admits no holder. Countries are ISO 3166-1 numeric
/// codes. An identity is counted in one country: that of its wallet which moved, or was synced, last. After a country was
/// changed in the registry, `sync` moves the holder over at once. A holder whose country no longer matches what is booked
/// counts as new in the new country.
abstract contract CountryHolderCapRule is HolderBook {
    struct CountryCapSetting {
        bool capped;
        uint64 cap;
    }

    /// The receiver would be one holder too many in his country.
    bytes32 public constant COUNTRY_HOLDER_CAP = "COUNTRY_HOLDER_CAP";

    mapping(bytes32 book => mapping(uint16 country => CountryCapSetting)) private countryCaps;
    mapping(bytes32 book => mapping(uint16 country => uint256)) private counts;
    mapping(bytes32 book => mapping(address identity => uint16)) private countries;

    event CountryCapSet(address indexed compliance, uint16 indexed country, uint64 cap);
    event CountryCapRemoved(address indexed compliance, uint16 indexed country);

    /// Sets caps, pair by pair. Called by the compliance contract.
    function setCountryCaps(uint16[] calldata countries_, uint64[] calldata caps) external onlyBound {
        if (countries_.length != caps.length) revert LengthsDiffer(countries_.length, caps.length);
        bytes32 book = _book(msg.sender);
        for (uint256 i = 0; i < caps.length; ++i) {
            countryCaps[book][countries_[i]] = CountryCapSetting(true, caps[i]);
            emit CountryCapSet(msg.sender, countries_[i], caps[i]);
        }
    }

    /// Lifts caps. Called by the compliance contract.
    function removeCountryCaps(uint16[] calldata countries_) external onlyBound {
        bytes32 book = _book(msg.sender);
        for (uint256 i = 0; i < countries_.length; ++i) {
            delete countryCaps[book][countries_[i]];
            emit CountryCapRemoved(msg.sender, countries_[i]);
        }
    }

    /// The cap of a country; capped = false when it has none.
    function countryCapOf(address compliance, uint16 country) external view returns (bool capped, uint64 cap) {
        CountryCapSetting memory setting = countryCaps[_book(compliance)][country];
        return (setting.capped, setting.cap);
    }

    /// How many identities of a country hold units. Country 0: holders whose wallets were never in the registry.
    function countryHolderCount(address compliance, uint16 country) external view returns (uint256) {
        return counts[_book(compliance)][country];
    }

    /// The country an identity is counted in.
    function countryOf(address compliance, address identity) external view returns (uint16) {
        return countries[_book(compliance)][identity];
    }

    /// Zero when allowed. to: the receiving wallet, whose country decides.
    function _countryCap(Suite memory suite, address sender, address receiver, address to, uint256 amount)
        internal
        view
        returns (bytes32)
    {
        if (amount == 0 || sender == receiver) return bytes32(0);
        uint16 country = suite.registry.investorCountry(to);
        CountryCapSetting memory setting = countryCaps[suite.book][country];
        if (!setting.capped) return bytes32(0);
        if (_held(suite, receiver) != 0 && countries[suite.book][receiver] == country) return bytes32(0);
        uint256 others = counts[suite.book][country];
        if (_leaves(suite, sender, amount, country)) --others;
        return others < setting.cap ? bytes32(0) : COUNTRY_HOLDER_CAP;
    }

    function _leaves(Suite memory suite, address sender, uint256 amount, uint16 country) private view returns (bool) {
        return sender != address(0) && _held(suite, sender) == amount && countries[suite.book][sender] == country;
    }

    function _located(Suite memory suite, address wallet, address identity) internal virtual override {
        uint16 country = suite.registry.investorCountry(wallet);
        uint16 previous = countries[suite.book][identity];
        if (country == previous) return;
        countries[suite.book][identity] = country;
        if (_held(suite, identity) == 0) return;
        --counts[suite.book][previous];
        ++counts[suite.book][country];
    }

    function _joined(Suite memory suite, address identity) internal virtual override {
        ++counts[suite.book][countries[suite.book][identity]];
    }

    function _left(Suite memory suite, address identity) internal virtual override {
        --counts[suite.book][countries[suite.book][identity]];
    }
}

/// @title Compliance module: CountryHolderCapRule for itself.
contract CountryHolderCap is CountryHolderCapRule {
    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        override
        returns (bytes32)
    {
        Suite memory suite = _suite(compliance);
        (bytes32 code, address sender, address receiver) = _parties(suite, from, to, amount);
        return code != bytes32(0) ? code : _countryCap(suite, sender, receiver, to, amount);
    }

    function name() external pure returns (string memory) {
        return "CountryHolderCap";
    }
}
