// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

interface IBoundCompliance {
    function getTokenBound() external view returns (address);
}

interface IRegisteredToken {
    function identityRegistry() external view returns (address);
}

interface ICountryRegistry {
    function investorCountry(address wallet) external view returns (uint16);
}

/// Compliance module for ERC-3643 suites: who may receive, by the country the identity registry holds.
///
/// Either a block list (everyone but) or an allow list (no one but). Countries are ISO 3166-1 numeric codes.
/// One instance serves every suite; settings are kept per compliance contract and are changed only by it, that is by
/// the suite's owner through `callModuleFunction`. `reason` says why a transfer is refused, which the stock answer
/// "Transfer not possible" does not. There is no owner and no upgrade: a rule once bound cannot be changed under a token.
contract CountryRule {
    bytes32 public constant BLOCKED = "COUNTRY_BLOCKED";
    bytes32 public constant NOT_ALLOWED = "COUNTRY_NOT_ALLOWED";

    mapping(address => bool) private bound;
    mapping(address => bool) public isAllowList;
    mapping(address => mapping(uint16 => bool)) public isListed;

    event ComplianceBound(address indexed compliance);
    event ComplianceUnbound(address indexed compliance);
    event ModeSet(address indexed compliance, bool allowList);
    event CountryListed(address indexed compliance, uint16 indexed country, bool listed);

    error OnlyCompliance();
    error AlreadyBound();

    modifier onlyBound() {
        if (!bound[msg.sender]) revert OnlyCompliance();
        _;
    }

    function bindCompliance(address compliance) external {
        if (compliance != msg.sender) revert OnlyCompliance();
        if (bound[compliance]) revert AlreadyBound();
        bound[compliance] = true;
        emit ComplianceBound(compliance);
    }

    function unbindCompliance(address compliance) external onlyBound {
        if (compliance != msg.sender) revert OnlyCompliance();
        bound[compliance] = false;
        emit ComplianceUnbound(compliance);
    }

    /// Sets the mode and lists the countries; earlier entries stay. Called by the compliance contract.
    function configure(bool allowList, uint16[] calldata countries) external onlyBound {
        isAllowList[msg.sender] = allowList;
        emit ModeSet(msg.sender, allowList);
        for (uint256 i = 0; i < countries.length; ++i) _list(countries[i], true);
    }

    function setListed(uint16[] calldata countries, bool listed) external onlyBound {
        for (uint256 i = 0; i < countries.length; ++i) _list(countries[i], listed);
    }

    /// The rule keeps no counters, so a movement changes nothing here.
    function moduleTransferAction(address, address, uint256) external onlyBound {}

    function moduleMintAction(address, uint256) external onlyBound {}

    function moduleBurnAction(address, uint256) external onlyBound {}

    /// Zero when allowed, else one of the codes above. `from`, `amount`: part of the common shape, not looked at.
    function reason(address, address to, uint256, address compliance) public view returns (bytes32) {
        address registry = IRegisteredToken(IBoundCompliance(compliance).getTokenBound()).identityRegistry();
        bool listed = isListed[compliance][ICountryRegistry(registry).investorCountry(to)];
        if (isAllowList[compliance]) return listed ? bytes32(0) : NOT_ALLOWED;
        return listed ? BLOCKED : bytes32(0);
    }

    function moduleCheck(address from, address to, uint256 amount, address compliance) external view returns (bool) {
        return reason(from, to, amount, compliance) == bytes32(0);
    }

    function isComplianceBound(address compliance) external view returns (bool) {
        return bound[compliance];
    }

    function canComplianceBind(address) external pure returns (bool) {
        return true;
    }

    function isPlugAndPlay() external pure returns (bool) {
        return true;
    }

    function name() external pure returns (string memory) {
        return "CountryRule";
    }

    function _list(uint16 country, bool listed) private {
        isListed[msg.sender][country] = listed;
        emit CountryListed(msg.sender, country, listed);
    }
}
