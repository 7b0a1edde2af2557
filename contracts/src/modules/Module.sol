// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBoundCompliance, IRegisteredToken, IReasonedModule, IWalletRegistry} from "./Interfaces.sol";

/// @title What all our compliance modules for ERC-3643 suites share: binding, who may call, and the reason.
/// @notice One instance serves every suite. Settings and counters are kept per compliance contract and per binding: a
/// module taken off and bound again starts empty. Settings are changed only by the compliance contract, that is by the
/// suite's owner through `callModuleFunction`. There is no owner and no upgrade, so nobody can change a rule under a token.
/// @dev Hooks never refuse. They run after the token has moved, also for forced transfers, burns and recoveries, which
/// an agent must be able to make against every rule; the refusing is done by `reason`, which the token asks before.
abstract contract Module is IReasonedModule {
    struct Binding {
        bool bound;
        uint64 generation;
    }

    /// One suite as seen from a call. book: the key of everything kept for this binding.
    struct Suite {
        address compliance;
        bytes32 book;
        IRegisteredToken token;
        IWalletRegistry registry;
    }

    /// The rule is bound but was never given its settings: it refuses, rather than silently allowing all.
    bytes32 public constant NOT_CONFIGURED = "NOT_CONFIGURED";

    mapping(address compliance => Binding) private bindings;

    event ComplianceBound(address indexed compliance);
    event ComplianceUnbound(address indexed compliance);

    error OnlyCompliance(address caller);
    error AlreadyBound(address compliance);
    error NotBound(address compliance);
    error LengthsDiffer(uint256 left, uint256 right);

    modifier onlyBound() {
        if (!bindings[msg.sender].bound) revert OnlyCompliance(msg.sender);
        _;
    }

    /// @inheritdoc IReasonedModule
    function bindCompliance(address compliance) external {
        if (compliance != msg.sender) revert OnlyCompliance(msg.sender);
        Binding storage binding = bindings[compliance];
        if (binding.bound) revert AlreadyBound(compliance);
        binding.bound = true;
        ++binding.generation;
        emit ComplianceBound(compliance);
        _opened(compliance);
    }

    /// @inheritdoc IReasonedModule
    function unbindCompliance(address compliance) external onlyBound {
        if (compliance != msg.sender) revert OnlyCompliance(msg.sender);
        bindings[compliance].bound = false;
        emit ComplianceUnbound(compliance);
    }

    /// @inheritdoc IReasonedModule
    function moduleTransferAction(address from, address to, uint256 amount) external virtual onlyBound {}

    /// @inheritdoc IReasonedModule
    function moduleMintAction(address to, uint256 amount) external virtual onlyBound {}

    /// @inheritdoc IReasonedModule
    function moduleBurnAction(address from, uint256 amount) external virtual onlyBound {}

    /// @inheritdoc IReasonedModule
    function moduleCheck(address from, address to, uint256 amount, address compliance) external view returns (bool) {
        return reason(from, to, amount, compliance) == bytes32(0);
    }

    /// @inheritdoc IReasonedModule
    function isComplianceBound(address compliance) external view returns (bool) {
        return bindings[compliance].bound;
    }

    /// @inheritdoc IReasonedModule
    function canComplianceBind(address) external view virtual returns (bool) {
        return true;
    }

    /// @inheritdoc IReasonedModule
    function isPlugAndPlay() external pure virtual returns (bool) {
        return true;
    }

    /// @inheritdoc IReasonedModule
    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        virtual
        returns (bytes32);

    /// Called once per binding, at its start.
    function _opened(address compliance) internal virtual {}

    /// The key of what is kept for the present (or last) binding of a compliance contract.
    function _book(address compliance) internal view returns (bytes32) {
        return keccak256(abi.encode(compliance, bindings[compliance].generation));
    }

    function _suite(address compliance) internal view returns (Suite memory suite) {
        suite.compliance = compliance;
        suite.book = _book(compliance);
        suite.token = IRegisteredToken(IBoundCompliance(compliance).getTokenBound());
        suite.registry = IWalletRegistry(suite.token.identityRegistry());
    }

    /// Who counts as the holder behind a wallet: its identity; when it is in no registry (any more), the identity it was
    /// last booked under; else the wallet itself. So a wallet taken out of the registry still counts for its investor.
    function _holderOf(Suite memory suite, address wallet, address last)
        internal
        view
        returns (address holder, bool registered)
    {
        holder = suite.registry.identity(wallet);
        if (holder != address(0)) return (holder, true);
        return (last == address(0) ? wallet : last, false);
    }

    function _requireBound(address compliance) internal view {
        if (!bindings[compliance].bound) revert NotBound(compliance);
    }
}
