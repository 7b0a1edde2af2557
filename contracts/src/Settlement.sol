// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {Signatures} from "./Signatures.sol";

interface IPermit {
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;
}

interface ITransferFrom {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @title Delivery versus payment of any number of legs, by consent of everybody who gives something.
/// @notice A fill moves when all of this holds: a submitter sends it; an operator signed it (EIP-712); every account a leg
/// takes from consented to exactly this fill; it is not expired, not cancelled and its id was never settled. It moves
/// whole or not at all. An account consents by signing the same typed data (its contract may answer for it, ERC-1271), by
/// approving the digest on chain, or by having named a custodian, who then signs in its place.
/// @dev Allowances to this contract are safe to be exact and need never be more: without consent they cannot be used.
/// The contract holds no assets. It does not look at balances before and after: list only coins which deliver what they say.
contract Settlement is Owned {
    enum AssetKind {
        None,
        Security,
        Cash
    }

    enum LegKind {
        Delivery, // a security
        Payment, // cash against it
        Fee // cash to a fee collector
    }

    enum State {
        Open,
        Settled,
        Cancelled
    }

    enum Consent {
        None,
        Approved,
        Withdrawn
    }

    struct Leg {
        LegKind kind;
        address asset;
        address from;
        address to;
        uint256 amount;
    }

    struct Fill {
        bytes32 settlementId;
        uint64 expiresAt; // unix seconds; the fill is refused in any later block
        Leg[] legs;
    }

    /// An ERC-2612 allowance for this contract, given along with the fill.
    struct Permit {
        address asset;
        address owner;
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// consents[i]: the signature for legs[i].from, or of its custodian; empty where it needs none, or was given with an
    /// earlier leg of the same account. May be shorter than the legs.
    struct SignedFill {
        Fill fill;
        address operator;
        bytes operatorSignature;
        bytes[] consents;
        Permit[] permits;
    }

    string public constant NAME = "Token-x Settlement";
    string public constant VERSION = "1";
    uint256 public constant MAX_LEGS = 16;
    /// No setting of maxFeeBps goes beyond a tenth of the payment.
    uint256 public constant FEE_CEILING_BPS = 1_000;
    /// In FillFailed: no single leg was at fault.
    uint256 public constant NO_LEG = type(uint256).max;

    bytes32 public constant LEG_TYPE =
        keccak256("Leg(uint8 kind,address asset,address from,address to,uint256 amount)");
    bytes32 public constant FILL_TYPE = keccak256(
        "Fill(bytes32 settlementId,uint64 expiresAt,Leg[] legs)"
        "Leg(uint8 kind,address asset,address from,address to,uint256 amount)"
    );
    bytes32 public constant CUSTODY_TYPE =
        keccak256("Custody(address account,address custodian,uint256 nonce,uint64 expiresAt)");
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// Of a fill's gas: what it takes beside its legs, and of a leg's answer: how much of it is kept.
    uint256 private constant FILL_GAS = 200_000;
    uint256 private constant MAX_ANSWER = 1_024;

    mapping(address account => bool) public isOperator;
    mapping(address account => bool) public isSubmitter;
    mapping(address account => bool) public isPauser;
    mapping(address asset => AssetKind) public assetKind;
    mapping(address account => bool) public isFeeCollector;
    mapping(bytes32 settlementId => State) public stateOf;
    mapping(address account => mapping(bytes32 digest => Consent)) public consentOf;
    mapping(address account => address) public custodianOf;
    mapping(address account => uint256) public custodyNonce;
    /// Gas each leg of a fill in a batch is granted, and what the batch must still have before it starts the fill.
    uint256 public legGas = 600_000;
    uint256 public maxFeeBps;
    bool public paused;
    bool private entered;

    event OperatorSet(address indexed account, bool allowed);
    event SubmitterSet(address indexed account, bool allowed);
    event PauserSet(address indexed account, bool allowed);
    event AssetSet(address indexed asset, AssetKind kind);
    event FeeCollectorSet(address indexed account, bool allowed);
    event MaxFeeSet(uint256 bps);
    event LegGasSet(uint256 gasPerLeg);
    event Paused(address indexed by);
    event Unpaused(address indexed by);
    event ConsentGiven(address indexed account, bytes32 indexed digest);
    event ConsentWithdrawn(address indexed account, bytes32 indexed digest);
    event CustodianSet(address indexed account, address indexed custodian);
    event FillCancelled(bytes32 indexed settlementId, address indexed by);
    event LegSettled(
        bytes32 indexed settlementId,
        uint256 indexed leg,
        address indexed asset,
        LegKind kind,
        address from,
        address to,
        uint256 amount
    );
    event FillSettled(bytes32 indexed settlementId, bytes32 indexed digest, address indexed operator);
    /// selector and text: the reason decoded (text only for a plain revert string); data: as it came, at most 1,024 bytes.
    event FillFailed(bytes32 indexed settlementId, uint256 indexed leg, bytes4 selector, string text, bytes data);

    error NotOperator(address caller);
    error NotSubmitter(address caller);
    error NotPauser(address caller);
    error NotSelf();
    error NotAContract(address account);
    error ZeroAddress();
    error ContractPaused();
    error ContractNotPaused();
    error Reentered();
    error TooLittleGas(uint256 needed);
    error OutOfRange(uint256 value, uint256 most);
    error AlreadySettled();
    error AlreadyCancelled();
    error Expired();
    error NoLegs();
    error TooManyLegs(uint256 legs);
    error EmptyLeg();
    error SelfTrade();
    error AssetNotListed(address asset);
    error NotAFeeCollector(address account);
    error FeeTooHigh(uint256 fees, uint256 most);
    error NotDeliveryVersusPayment();
    error OperatorSignatureInvalid(address operator);
    error ConsentMissing(address account);
    error ConsentInvalid(address account);
    error ConsentTakenBack(address account);
    error CustodySignatureInvalid(address account);
    error LegFailed(uint256 leg, address asset, bytes reason);
    error LegReturnedFalse(address asset);
    /// From settleAll: which fill held up all of them, and why.
    error FillRefused(uint256 index, bytes32 settlementId, bytes reason);

    modifier onlySubmitter() {
        if (!isSubmitter[msg.sender]) revert NotSubmitter(msg.sender);
        _;
    }

    modifier whenRunning() {
        if (paused) revert ContractPaused();
        if (entered) revert Reentered();
        entered = true;
        _;
        entered = false;
    }

    constructor(address owner_) Owned(owner_) {
        if (owner_ == address(0)) revert ZeroAddress();
    }

    // --- settings: the owner's ------------------------------------------------------------------------------------

    /// An operator's signature makes a fill.
    function setOperator(address account, bool allowed) external onlyOwner {
        if (account == address(0)) revert ZeroAddress();
        isOperator[account] = allowed;
        emit OperatorSet(account, allowed);
    }

    /// A submitter sends fills. Best another key than the operator's: then neither alone can do anything.
    function setSubmitter(address account, bool allowed) external onlyOwner {
        isSubmitter[account] = allowed;
        emit SubmitterSet(account, allowed);
    }

    /// A pauser can stop settlement; only the owner starts it again.
    function setPauser(address account, bool allowed) external onlyOwner {
        isPauser[account] = allowed;
        emit PauserSet(account, allowed);
    }

    /// Which assets may be delivered, and in which coins may be paid.
    function setAsset(address asset, AssetKind kind) external onlyOwner {
        if (asset.code.length == 0) revert NotAContract(asset);
        assetKind[asset] = kind;
        emit AssetSet(asset, kind);
    }

    /// Who may receive fee legs.
    function setFeeCollector(address account, bool allowed) external onlyOwner {
        isFeeCollector[account] = allowed;
        emit FeeCollectorSet(account, allowed);
    }

    /// The most the fees of a fill may be of its payments in the same coin, in hundredths of a percent. Starts at zero.
    function setMaxFeeBps(uint256 bps) external onlyOwner {
        if (bps > FEE_CEILING_BPS) revert OutOfRange(bps, FEE_CEILING_BPS);
        maxFeeBps = bps;
        emit MaxFeeSet(bps);
    }

    /// To be raised when the rules bound to a token make its transfers dearer.
    function setLegGas(uint256 gasPerLeg) external onlyOwner {
        if (gasPerLeg > 5_000_000) revert OutOfRange(gasPerLeg, 5_000_000);
        legGas = gasPerLeg;
        emit LegGasSet(gasPerLeg);
    }

    function pause() external {
        if (!isPauser[msg.sender] && msg.sender != owner) revert NotPauser(msg.sender);
        if (paused) revert ContractPaused();
        paused = true;
        emit Paused(msg.sender);
    }

    function unpause() external onlyOwner {
        if (!paused) revert ContractNotPaused();
        paused = false;
        emit Unpaused(msg.sender);
    }

    // --- consent: the account's -------------------------------------------------------------------------------------

    /// Consents to the fill with this digest (see `digestOf`), once. Also takes back an earlier withdrawal.
    function approveFill(bytes32 digest) external {
        consentOf[msg.sender][digest] = Consent.Approved;
        emit ConsentGiven(msg.sender, digest);
    }

    /// Takes back consent to a fill that has not settled, however it was given, the custodian's included.
    function withdrawConsent(bytes32 digest) external {
        consentOf[msg.sender][digest] = Consent.Withdrawn;
        emit ConsentWithdrawn(msg.sender, digest);
    }

    /// Names who may consent in the caller's place, until named otherwise; zero: nobody. An operator who is the custodian
    /// consents with his signature of the fill.
    function setCustodian(address custodian) external {
        ++custodyNonce[msg.sender]; // a signature given earlier for another custodian is void
        _setCustodian(msg.sender, custodian);
    }

    /// The same by the account's signature over Custody(account, custodian, nonce, expiresAt). Anyone may hand it in.
    function setCustodianBySignature(address account, address custodian, uint64 expiresAt, bytes calldata signature)
        external
    {
        if (block.timestamp > expiresAt) revert Expired();
        bytes32 content = keccak256(abi.encode(CUSTODY_TYPE, account, custodian, custodyNonce[account]++, expiresAt));
        bytes32 digest = Signatures.typedDigest(domainSeparator(), content);
        if (!Signatures.isSignedBy(account, digest, signature)) revert CustodySignatureInvalid(account);
        _setCustodian(account, custodian);
    }

    // --- settlement -------------------------------------------------------------------------------------------------

    /// Settles each fill or reports in FillFailed why not; a failing fill does not touch the others.
    /// @dev Each fill gets a fixed share of gas: not less, or a batch sent with too little would turn good fills into failed
    /// ones; and not more, or the code behind one fill (a party's contract, an identity) could use up what others need.
    function settleBatch(SignedFill[] calldata fills) external onlySubmitter whenRunning {
        for (uint256 i = 0; i < fills.length; ++i) {
            uint256 share = _share(fills[i].fill.legs.length);
            if (gasleft() < share + share / 32 + 50_000) revert TooLittleGas(share);
            try this.settleOne{gas: share}(fills[i]) {}
            catch (bytes memory reason) {
                _report(fills[i].fill.settlementId, reason);
            }
        }
    }

    /// What a fill is granted. One with too many legs will be refused and needs no more than the largest.
    function _share(uint256 legs) private view returns (uint256) {
        return FILL_GAS + legGas * (legs < MAX_LEGS ? legs : MAX_LEGS);
    }

    /// Settles all fills or, when one cannot, none: reverts with FillRefused.
    function settleAll(SignedFill[] calldata fills) external onlySubmitter whenRunning {
        for (uint256 i = 0; i < fills.length; ++i) {
            try this.settleOne(fills[i]) {}
            catch (bytes memory reason) {
                revert FillRefused(i, fills[i].fill.settlementId, reason);
            }
        }
    }

    /// One fill, whole or not at all. External only so that its revert can be caught; nobody else may call it.
    function settleOne(SignedFill calldata signed) external {
        if (msg.sender != address(this)) revert NotSelf();
        Fill calldata fill = signed.fill;
        _requireOpen(fill.settlementId);
        if (block.timestamp > fill.expiresAt) revert Expired();
        _requireSound(fill.legs);
        bytes32 digest = digestOf(fill);
        _requireSigned(signed, digest);
        // Marked before any foreign code that could move something runs.
        stateOf[fill.settlementId] = State.Settled;
        _usePermits(signed.permits);
        for (uint256 i = 0; i < fill.legs.length; ++i) _settleLeg(fill.settlementId, i, fill.legs[i]);
        emit FillSettled(fill.settlementId, digest, signed.operator);
    }

    /// Spends an id without settling it. For operators and submitters; also while paused.
    function cancel(bytes32 settlementId) external {
        if (!isOperator[msg.sender] && !isSubmitter[msg.sender]) revert NotOperator(msg.sender);
        _requireOpen(settlementId);
        stateOf[settlementId] = State.Cancelled;
        emit FillCancelled(settlementId, msg.sender);
    }

    /// What operator and parties sign, and what `approveFill` takes.
    function digestOf(Fill calldata fill) public view returns (bytes32) {
        bytes32[] memory legs = new bytes32[](fill.legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            Leg calldata leg = fill.legs[i];
            legs[i] = keccak256(abi.encode(LEG_TYPE, leg.kind, leg.asset, leg.from, leg.to, leg.amount));
        }
        bytes32 content = keccak256(
            abi.encode(FILL_TYPE, fill.settlementId, fill.expiresAt, keccak256(abi.encodePacked(legs)))
        );
        return Signatures.typedDigest(domainSeparator(), content);
    }

    /// Computed anew each time, so that signatures for this chain are void on a fork of it.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPE, keccak256(bytes(NAME)), keccak256(bytes(VERSION)), block.chainid, address(this))
        );
    }

    function isSettled(bytes32 settlementId) external view returns (bool) {
        return stateOf[settlementId] == State.Settled;
    }

    // --- checks -----------------------------------------------------------------------------------------------------

    function _requireOpen(bytes32 settlementId) private view {
        State state = stateOf[settlementId];
        if (state == State.Settled) revert AlreadySettled();
        if (state == State.Cancelled) revert AlreadyCancelled();
    }

    /// Each leg for itself, then that there is delivery and payment, and that fees stay within the limit.
    function _requireSound(Leg[] calldata legs) private view {
        if (legs.length == 0) revert NoLegs();
        if (legs.length > MAX_LEGS) revert TooManyLegs(legs.length);
        bool delivers;
        bool pays;
        for (uint256 i = 0; i < legs.length; ++i) {
            Leg calldata leg = legs[i];
            if (leg.amount == 0) revert EmptyLeg();
            if (leg.from == leg.to) revert SelfTrade();
            AssetKind due = leg.kind == LegKind.Delivery ? AssetKind.Security : AssetKind.Cash;
            if (assetKind[leg.asset] != due) revert AssetNotListed(leg.asset);
            if (leg.kind == LegKind.Delivery) delivers = true;
            else if (leg.kind == LegKind.Payment) pays = true;
            else _requireFee(legs, leg);
        }
        if (!delivers || !pays) revert NotDeliveryVersusPayment();
    }

    function _requireFee(Leg[] calldata legs, Leg calldata fee) private view {
        if (!isFeeCollector[fee.to]) revert NotAFeeCollector(fee.to);
        uint256 paid;
        uint256 fees;
        for (uint256 i = 0; i < legs.length; ++i) {
            if (legs[i].asset != fee.asset) continue;
            if (legs[i].kind == LegKind.Payment) paid += legs[i].amount;
            else fees += legs[i].amount;
        }
        uint256 most = paid * maxFeeBps / 10_000;
        if (fees > most) revert FeeTooHigh(fees, most);
    }

    function _requireSigned(SignedFill calldata signed, bytes32 digest) private view {
        address operator = signed.operator;
        if (!isOperator[operator]) revert NotOperator(operator);
        if (!Signatures.isSignedBy(operator, digest, signed.operatorSignature)) {
            revert OperatorSignatureInvalid(operator);
        }
        Leg[] calldata legs = signed.fill.legs;
        for (uint256 i = 0; i < legs.length; ++i) {
            if (_isGiverBefore(legs, i)) continue;
            _requireConsent(
                legs[i].from, digest, operator, i < signed.consents.length ? signed.consents[i] : msg.data[0:0]
            );
        }
    }

    function _isGiverBefore(Leg[] calldata legs, uint256 index) private pure returns (bool) {
        for (uint256 i = 0; i < index; ++i) if (legs[i].from == legs[index].from) return true;
        return false;
    }

    /// The operator who signed the fill has consented for himself and for the accounts he is custodian of.
    function _requireConsent(address account, bytes32 digest, address operator, bytes calldata signature)
        private
        view
    {
        Consent consent = consentOf[account][digest];
        if (consent == Consent.Withdrawn) revert ConsentTakenBack(account);
        if (consent == Consent.Approved || account == operator) return;
        address custodian = custodianOf[account];
        if (custodian == operator) return;
        if (signature.length == 0) revert ConsentMissing(account);
        if (Signatures.isSignedBy(account, digest, signature)) return;
        if (!Signatures.isSignedBy(custodian, digest, signature)) revert ConsentInvalid(account);
    }

    // --- effects ----------------------------------------------------------------------------------------------------

    function _setCustodian(address account, address custodian) private {
        custodianOf[account] = custodian;
        emit CustodianSet(account, custodian);
    }

    /// A permit that fails is passed over: someone else may have handed it in already, and if not the leg will say so.
    function _usePermits(Permit[] calldata permits) private {
        for (uint256 i = 0; i < permits.length; ++i) {
            Permit calldata p = permits[i];
            if (assetKind[p.asset] == AssetKind.None) revert AssetNotListed(p.asset);
            try IPermit(p.asset).permit(p.owner, address(this), p.value, p.deadline, p.v, p.r, p.s) {} catch {}
        }
    }

    /// transferFrom that accepts coins answering nothing, and refuses any answer but true.
    function _settleLeg(bytes32 settlementId, uint256 index, Leg calldata leg) private {
        (bool ok, bytes memory answer) =
            _call(leg.asset, abi.encodeCall(ITransferFrom.transferFrom, (leg.from, leg.to, leg.amount)));
        if (!ok) revert LegFailed(index, leg.asset, answer);
        if (answer.length != 0 && (answer.length < 32 || uint256(bytes32(answer)) != 1)) {
            revert LegFailed(index, leg.asset, abi.encodeWithSelector(LegReturnedFalse.selector, leg.asset));
        }
        emit LegSettled(settlementId, index, leg.asset, leg.kind, leg.from, leg.to, leg.amount);
    }

    /// A call of whose answer at most MAX_ANSWER bytes are kept.
    function _call(address to, bytes memory data) private returns (bool ok, bytes memory answer) {
        uint256 most = MAX_ANSWER;
        assembly ("memory-safe") {
            ok := call(gas(), to, 0, add(data, 32), mload(data), 0, 0)
            let size := returndatasize()
            if gt(size, most) { size := most }
            answer := mload(0x40)
            mstore(0x40, add(add(answer, 32), and(add(size, 31), not(31))))
            mstore(answer, size)
            returndatacopy(add(answer, 32), 0, size)
        }
    }

    // --- reports ----------------------------------------------------------------------------------------------------

    /// @dev Reads the reason by hand: abi.decode would revert on malformed data, and one token could stop a batch with it.
    function _report(bytes32 settlementId, bytes memory reason) private {
        uint256 leg = NO_LEG;
        // LegFailed(uint256,address,bytes) comes from this contract itself and is well-formed.
        if (_selector(reason) == LegFailed.selector) (leg,, reason) = _legFailure(reason);
        emit FillFailed(settlementId, leg, _selector(reason), _text(reason), reason);
    }

    function _legFailure(bytes memory reason) private pure returns (uint256 leg, address asset, bytes memory inner) {
        bytes memory body = new bytes(reason.length - 4);
        for (uint256 i = 0; i < body.length; i += 32) {
            assembly ("memory-safe") {
                mstore(add(add(body, 32), i), mload(add(add(reason, 36), i)))
            }
        }
        return abi.decode(body, (uint256, address, bytes));
    }

    function _selector(bytes memory reason) private pure returns (bytes4) {
        return reason.length < 4 ? bytes4(0) : bytes4(reason);
    }

    /// The text of Error(string), empty when the data is anything else.
    function _text(bytes memory reason) private pure returns (string memory text) {
        if (reason.length < 68 || bytes4(reason) != 0x08c379a0) return "";
        uint256 offset;
        uint256 length;
        assembly ("memory-safe") {
            offset := mload(add(reason, 36))
            length := mload(add(reason, 68))
        }
        if (offset != 32 || length > reason.length - 68) return "";
        bytes memory copy = new bytes(length);
        for (uint256 i = 0; i < length; ++i) copy[i] = reason[68 + i];
        return string(copy);
    }
}
