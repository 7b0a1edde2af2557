// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// What a module asks the compliance contract it is bound to.
interface IBoundCompliance {
    function getTokenBound() external view returns (address);
    function getModules() external view returns (address[] memory);
}

/// What a module asks the token.
interface IRegisteredToken {
    function identityRegistry() external view returns (address);
    function balanceOf(address wallet) external view returns (uint256);
    function totalSupply() external view returns (uint256);
}

/// What a module asks the identity registry.
interface IWalletRegistry {
    function identity(address wallet) external view returns (address);
    function investorCountry(address wallet) external view returns (uint16);
}

/// What the compliance contract asks a module, and what ours answer beyond it.
interface IReasonedModule {
    function bindCompliance(address compliance) external;
    function unbindCompliance(address compliance) external;
    function moduleTransferAction(address from, address to, uint256 amount) external;
    function moduleMintAction(address to, uint256 amount) external;
    function moduleBurnAction(address from, uint256 amount) external;
    function moduleCheck(address from, address to, uint256 amount, address compliance) external view returns (bool);
    function isComplianceBound(address compliance) external view returns (bool);
    function canComplianceBind(address compliance) external view returns (bool);
    function isPlugAndPlay() external pure returns (bool);
    function name() external pure returns (string memory);

    /// Why a movement would be refused: an ASCII code padded with zeros, or zero when it would be allowed.
    function reason(address from, address to, uint256 amount, address compliance) external view returns (bytes32);
}
