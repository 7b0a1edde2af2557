// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";

/// Delivery versus payment for fills made on the ATS.
///
/// Only an operator may hand in fills, only for security tokens the owner has listed, and only against the one cash
/// coin fixed at deployment: a stranger with a token of his own can never reach a standing cash allowance.
/// Each fill is atomic over both legs. A fill that cannot settle is reported and never blocks the others of its batch.
contract Settlement is Owned {
    struct Fill {
        bytes32 settlementId;
        address token;
        address seller;
        address buyer;
        uint256 units;
        uint256 cashAmount;
        uint64 expiresAt; // unix seconds; the fill is refused in any later block
    }

    /// A fill gets at least this much gas. Without the floor, a batch sent with too little gas would turn good fills
    /// into failed ones (the inner call runs dry, the outer call survives on the 1/64 it kept).
    uint256 public constant GAS_PER_FILL = 400_000;

    address public immutable cash;
    mapping(address => bool) public isOperator;
    mapping(address => bool) public isListed;
    mapping(bytes32 => bool) public isSettled;

    event OperatorSet(address indexed operator, bool allowed);
    event TokenListed(address indexed token, bool listed);
    event FillSettled(
        bytes32 indexed settlementId, address indexed token, address seller, address buyer, uint256 units, uint256 cashAmount
    );
    event FillFailed(bytes32 indexed settlementId, address indexed token, bytes reason);

    error NotOperator(address caller);
    error NotSelf();
    error NotAContract(address account);
    error TooLittleGas();
    error AlreadySettled();
    error Expired();
    error TokenNotListed();
    error SelfTrade();
    error EmptyLeg();
    error LegReturnedFalse(address token);

    modifier onlyOperator() {
        if (!isOperator[msg.sender]) revert NotOperator(msg.sender);
        _;
    }

    constructor(address owner_, address cash_) Owned(owner_) {
        if (cash_.code.length == 0) revert NotAContract(cash_);
        cash = cash_;
    }

    function setOperator(address operator, bool allowed) external onlyOwner {
        isOperator[operator] = allowed;
        emit OperatorSet(operator, allowed);
    }

    function setListed(address token, bool listed) external onlyOwner {
        if (token.code.length == 0) revert NotAContract(token);
        isListed[token] = listed;
        emit TokenListed(token, listed);
    }

    /// Settles each fill or reports why it could not be settled.
    function settle(Fill[] calldata fills) external onlyOperator {
        for (uint256 i = 0; i < fills.length; ++i) {
            if (gasleft() < GAS_PER_FILL) revert TooLittleGas();
            try this.settleOne(fills[i]) {
                emit FillSettled(
                    fills[i].settlementId,
                    fills[i].token,
                    fills[i].seller,
                    fills[i].buyer,
                    fills[i].units,
                    fills[i].cashAmount
                );
            } catch (bytes memory reason) {
                emit FillFailed(fills[i].settlementId, fills[i].token, reason);
            }
        }
    }

    /// Both legs of one fill, or neither. External only so that `settle` can catch its revert.
    function settleOne(Fill calldata fill) external {
        if (msg.sender != address(this)) revert NotSelf();
        if (isSettled[fill.settlementId]) revert AlreadySettled();
        if (block.timestamp > fill.expiresAt) revert Expired();
        if (!isListed[fill.token]) revert TokenNotListed();
        if (fill.seller == fill.buyer) revert SelfTrade();
        if (fill.units == 0 || fill.cashAmount == 0) revert EmptyLeg();
        // Marked before any foreign code runs, so a token that calls back finds the id spent.
        isSettled[fill.settlementId] = true;
        _move(cash, fill.buyer, fill.seller, fill.cashAmount);
        _move(fill.token, fill.seller, fill.buyer, fill.units);
    }

    /// transferFrom that accepts coins answering nothing, refuses `false`, and passes a revert on unchanged.
    function _move(address token, address from, address to, uint256 amount) private {
        (bool ok, bytes memory answer) =
            token.call(abi.encodeWithSignature("transferFrom(address,address,uint256)", from, to, amount));
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        if (answer.length != 0 && !abi.decode(answer, (bool))) revert LegReturnedFalse(token);
    }
}
