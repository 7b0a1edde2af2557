"""What the chain service journals and reads back, and what staff see of chain work. Addresses and hashes are lower-case hex."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from tokenx_common.events import ChainItem
from tokenx_common.wire import Page, WireModel

Hex = Annotated[str, StringConstraints(pattern=r"^0x([0-9a-fA-F]{2})*$")]
Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$", to_lower=True)]
OperationState = Literal["queued", "running", "final", "failed"]
TransactionState = Literal[
    "queued", "paused", "signing", "signed", "broadcast", "mined", "final", "reverted", "cancel_requested", "cancelled", "nonce_lost", "failed_presubmit",
    "rejected_policy", "sign_rejected", "dead",
]  # fmt: skip
"""final, reverted, cancelled, failed_presubmit, rejected_policy, sign_rejected and dead are for ever."""
AttemptKind = Literal["initial", "bump", "cancel", "rebind"]
SignKind = Literal["initial", "bump", "cancel", "rebind", "fill"]
"""fill: a transfer of nothing that closes a gap left by a refused signature."""
Wei = Annotated[int, Field(ge=0, lt=2**256)]

MAX_RECORDS = 1000


class OperationRecord(WireModel):
    """The operation moved on. final and failed are for ever."""

    op: Literal["operation"]
    operation_id: str
    state: OperationState
    result: dict[str, Any] | None = None
    error_code: str | None = None
    error_detail: str | None = None


class SignedRecord(WireModel):
    """Signed bytes, journaled before they are broadcast: the nonce belongs to this intent for ever."""

    op: Literal["signed"]
    tx_id: str
    operation_id: str
    step: str
    from_address: Address
    to_address: Address | None
    nonce: int = Field(ge=0)
    tx_hash: Hex
    raw: Hex
    key_ref: str | None = None
    max_fee: Wei | None = None
    max_tip: Wei | None = None
    safe_to_rebind: bool = False
    policy_id: str | None = None
    policy_amount: Wei = 0


class AttemptRecord(WireModel):
    """Further bytes for the same intent, journaled before they are broadcast: a replacement under the same nonce, or, once another
    transaction has taken the nonce for ever, the intent under a new one."""

    op: Literal["attempt"]
    tx_id: str
    attempt: int = Field(gt=1)
    kind: AttemptKind
    from_address: Address
    nonce: int = Field(ge=0)
    tx_hash: Hex
    raw: Hex
    max_fee: Wei
    max_tip: Wei


class UnsignedFields(WireModel):
    """What is to be signed, exactly, and what the transaction's row is to say once it is."""

    to: Address | None
    value: Wei
    data: Hex
    gas: int = Field(ge=0)
    max_fee: Wei
    max_tip: Wei
    safe_to_rebind: bool = False
    policy_id: str | None = None
    policy_amount: Wei = 0


class SigningRecord(WireModel):
    """A signature is about to be asked for that may take long. From here on the nonce serves no other intent, until there is proof of a refusal."""

    op: Literal["signing"]
    job_id: str = Field(min_length=1, max_length=128)
    tx_id: str
    operation_id: str
    step: str
    attempt: int = Field(ge=1)
    kind: SignKind
    from_address: Address
    key_ref: str
    nonce: int = Field(ge=0)
    fields: UnsignedFields
    deadline: datetime | None = None


class SignEndedRecord(WireModel):
    """The key holder proved that there is no signature (released), or it came too late to matter (unused)."""

    op: Literal["sign_ended"]
    job_id: str
    state: Literal["released", "unused"]
    reason: str | None = None


class IntentRecord(WireModel):
    """A transaction that waits or ended before anything was signed for it."""

    op: Literal["intent"]
    tx_id: str
    operation_id: str
    step: str
    from_address: Address
    to_address: Address | None
    key_ref: str
    state: Literal["queued", "paused", "signing", "cancelled", "failed_presubmit", "rejected_policy", "sign_rejected"]
    reason: str | None = None


class TxStateRecord(WireModel):
    """Where a transaction is. block fields are null while it is in no block."""

    op: Literal["tx_state"]
    tx_id: str
    state: TransactionState
    block_number: int | None = None
    block_hash: str | None = None
    gas_used: int | None = None
    revert_reason: str | None = None
    revert_code: str | None = None
    reason: str | None = None
    effective_gas_price: Wei | None = None
    l1_fee: Wei | None = None


class ContractRecord(WireModel):
    """A deployed contract by name, e.g. 'Settlement' or 'token:<offering_id>'."""

    op: Literal["contract"]
    name: str
    address: Address
    detail: dict[str, Any] = Field(default_factory=dict[str, Any])


class DeadLetterRecord(WireModel):
    """Work the chain service gave up on, for a human."""

    op: Literal["dead_letter"]
    kind: str
    ref_id: str
    payload: dict[str, Any]
    error: str


class SignerReport(WireModel):
    """Where a key's nonces stand. latest_nonce: transactions mined; next_nonce: what the next intent will get; gaps: bound nonces that nothing
    of ours holds, which should never be. epoch: of a key that was rotated; null where only its address can tell."""

    key_ref: str = Field(max_length=200)
    epoch: int | None = Field(default=None, ge=1)
    address: Address
    backend: str = Field(max_length=50)
    status: Literal["active", "paused"]
    reason: str | None = None
    latest_nonce: int = Field(ge=0)
    next_nonce: int = Field(ge=0)
    in_flight: int = Field(ge=0)
    queued: int = Field(ge=0)
    gaps: list[int] = Field(max_length=1000)


class EndpointReport(WireModel):
    """What an endpoint has been like. endpoint: host and port, never a path, in which a provider's key may be."""

    endpoint: str = Field(pattern=r"^[^/@?]+$", max_length=300)
    score: str = Field(pattern=r"^(0\.\d\d|1\.00)$")
    latency_ms: int = Field(ge=0)
    is_cooling: bool


RotationPhase = Literal[
    "requested", "discover", "prove", "grant", "verify", "switch", "drain", "recheck", "revoke", "confirm", "done", "aborting", "aborted",
]  # fmt: skip


class RotationRecord(WireModel):
    """How far a key's replacement is. is_switched: the name stands for the new key from here on, which is for ever."""

    op: Literal["rotation"]
    operation_id: str
    phase: RotationPhase
    is_switched: bool = False
    is_ended: bool = False
    detail: str = Field(default="", max_length=500)


class RotationBody(WireModel):
    """POST /internal/chain/rotations: everything a rotation needs to know, decided when it is asked for."""

    chain_id: int = Field(gt=0)
    operation_id: str
    idempotency_key: str = Field(max_length=300)
    name: str = Field(min_length=1, max_length=100)
    old_key: str
    new_key: str
    old_address: Address
    new_address: Address
    from_epoch: int = Field(ge=1)
    not_after: int = Field(ge=0, description="unix seconds by which people must have agreed")
    force: bool = False
    requested_by: str
    correlation_id: str = ""


class RotationRow(WireModel):
    """A rotation as it stands. switched_at: since when the name stands for new_key, null before."""

    operation_id: str
    chain_id: int
    name: str
    old_key: str
    new_key: str
    old_address: str
    new_address: str
    from_epoch: int
    force: bool
    phase: RotationPhase
    detail: str
    requested_at: str
    switched_at: str | None
    ended_at: str | None


class JournaledRotation(RotationRow):
    idempotency_key: str | None


class JournaledRotations(WireModel):
    """Newest first."""

    rotations: list[JournaledRotation]


class RotationList(WireModel):
    """Newest first, the last hundred."""

    rotations: list[RotationRow]


class MonitoringRecord(WireModel):
    """What the chain looks like now."""

    op: Literal["monitoring"]
    status: Literal["ok", "degraded", "down", "halted"]
    head_number: int = Field(ge=0)
    head_hash: str
    finalized_number: int = Field(ge=0)
    observed_at: datetime
    chain_id: int | None = None
    detail: dict[str, Any] = Field(default_factory=dict[str, Any])
    finality_lag_s: int = Field(default=0, ge=0)
    oldest_unmined_s: int = Field(default=0, ge=0)
    signers: list[SignerReport] = Field(default_factory=list[SignerReport], max_length=MAX_RECORDS)
    endpoints: list[EndpointReport] = Field(default_factory=list[EndpointReport], max_length=100)


Record = Annotated[
    OperationRecord
    | SignedRecord
    | AttemptRecord
    | SigningRecord
    | SignEndedRecord
    | IntentRecord
    | TxStateRecord
    | ContractRecord
    | DeadLetterRecord
    | RotationRecord
    | MonitoringRecord,
    Field(discriminator="op"),
]


class JournalAnswer(WireModel):
    """policy_version: counts approved changes of the signing policy. consumed_seq: how far the api has taken in the chain's events, told to
    whoever reports."""

    records: int
    policy_version: int
    consumed_seq: int | None = None


class JournalBody(WireModel):
    """POST /internal/chain/journal."""

    epoch: int = Field(ge=0)
    chain_id: int = Field(gt=0)
    records: list[Record] = Field(max_length=MAX_RECORDS)


class Checkpoint(WireModel):
    """Every block up to this one is fully in the stream as final."""

    block_number: int = Field(ge=0)
    block_hash: str


class EventsBody(WireModel):
    """POST /internal/chain/events. No items: only the checkpoint moves."""

    epoch: int = Field(ge=0)
    chain_id: int = Field(gt=0)
    prev_seq: int = Field(ge=0)
    checkpoint: Checkpoint
    items: list[ChainItem] = Field(max_length=MAX_RECORDS)

    @model_validator(mode="after")
    def _dense(self) -> Self:
        expected = list(range(self.prev_seq + 1, self.prev_seq + 1 + len(self.items)))
        if [item.seq for item in self.items] != expected:
            raise ValueError("items must be dense from prev_seq + 1")
        return self


class StreamHead(WireModel):
    """Head of a chain's event stream; zeros for a chain never heard of."""

    seq: int = 0
    epoch: int = 0
    block_number: int = 0
    block_hash: str = ""


class JournaledAttempt(WireModel):
    """One set of signed bytes. fees in wei, null when they were journaled before fees were kept."""

    attempt: int
    kind: AttemptKind
    nonce: int
    tx_hash: str
    raw: str
    max_fee: int | None
    max_tip: int | None


class JournaledTransaction(WireModel):
    tx_id: str
    step: str
    from_address: str
    to_address: str | None
    nonce: int
    tx_hash: str
    raw: str
    state: TransactionState
    epoch: int
    block_number: int | None
    block_hash: str | None
    gas_used: int | None
    revert_reason: str | None
    key_ref: str | None = None
    safe_to_rebind: bool = False
    attempts: list[JournaledAttempt] = Field(default_factory=list[JournaledAttempt])


class JournaledOperation(WireModel):
    """An operation with all its transactions, as the chain service takes it up again after a restart."""

    operation_id: str
    chain_id: int
    kind: str
    params: dict[str, Any]
    business_ref: str
    state: OperationState
    correlation_id: str
    result: dict[str, Any] | None
    approvals: int = 0
    transactions: list[JournaledTransaction] = Field(default_factory=list[JournaledTransaction])


class SignJobView(WireModel):
    """A signature that was asked for. state released with the nonce of nobody else: a gap unless someone takes it."""

    job_id: str
    tx_id: str
    operation_id: str
    step: str
    attempt: int
    kind: SignKind
    from_address: str
    key_ref: str
    nonce: int
    fields: UnsignedFields
    deadline: datetime | None
    state: Literal["open", "released", "unused"]


class LooseTransaction(JournaledTransaction):
    """One that goes on although its operation is closed: what fills a gap."""

    operation_id: str


class SignJobs(WireModel):
    """What the chain service takes up again after a restart besides its operations."""

    jobs: list[SignJobView]
    loose: list[LooseTransaction]


class OperationList(WireModel):
    operations: list[JournaledOperation]


class PolicyRule(WireModel):
    """What may be signed; see tokenx_chain/policy. Amounts in base units."""

    policy_id: str
    kind: str
    key_ref: str
    contract: str
    function: str
    max_amount: int | None
    daily_amount: int | None
    daily_count: int | None
    approval_above: int | None


class PolicyUse(WireModel):
    """What a rule has let pass today (UTC)."""

    policy_id: str
    amount: int
    count: int


class Policy(WireModel):
    """The rules an operator has set for a chain. is_set False: nobody has ever set one, and the chain service's built-in ones count; True with no
    rules: everything is denied. version counts approved changes."""

    rules: list[PolicyRule]
    used: list[PolicyUse]
    is_set: bool
    version: int


class Contract(WireModel):
    name: str
    address: str
    detail: dict[str, Any]


class ContractList(WireModel):
    contracts: list[Contract]


class OperationView(WireModel):
    """An operation as staff see it."""

    operation_id: str
    chain_id: int
    kind: str
    business_ref: str
    state: OperationState
    error_code: str | None
    error_detail: str | None
    tx_hashes: list[str]
    correlation_id: str
    created_at: str
    updated_at: str


class OperationPage(Page[OperationView]):
    """One page of operations, newest first."""


class DeadLetterView(WireModel):
    """attempts: how often it was set aside; after a requeue it may come back."""

    dead_letter_id: int
    kind: str
    ref_id: str
    payload: dict[str, Any]
    error: str
    status: Literal["open", "requeued", "discarded"]
    attempts: int
    created_at: str
    last_at: str


class DeadLetterPage(Page[DeadLetterView]):
    """One page of dead letters, newest first."""


class ChainStatus(WireModel):
    """The chain as the chain service last reported it. status 'unknown' before its first report."""

    chain_id: int
    status: Literal["ok", "degraded", "down", "halted", "unknown"]
    head_number: int | None
    finalized_number: int | None
    observed_at: str | None
    platform: Literal["absent", "deploying", "deployed"]
    event_seq: int
    consumed_seq: int
    checkpoint_block: int
    open_operations: int
    dead_letters: int
    final_transfers: int
    scored_transfers: int
    contracts: list[Contract]


class IntentBody(WireModel):
    """POST /internal/chain/intents: a transaction somebody asked the chain service for, made durable before it says yes."""

    chain_id: int = Field(gt=0)
    operation_id: str
    idempotency_key: str = Field(min_length=1, max_length=255)
    params: dict[str, Any]
    key_ref: str
    from_address: Address
    to_address: Address | None
    requested_by: str
    correlation_id: str


class IntentAnswer(WireModel):
    """is_new False: the key came before with the same request."""

    operation_id: str
    is_new: bool


class AttemptView(WireModel):
    """One set of signed bytes that went out for a transaction."""

    attempt: int
    kind: AttemptKind
    nonce: int
    tx_hash: str
    max_fee_wei: str | None
    max_tip_wei: str | None
    created_at: str


class HistoryView(WireModel):
    """One change of state. from_state null: the first."""

    from_state: TransactionState | None
    to_state: TransactionState
    attempt: int
    reason: str | None
    epoch: int
    at: str


class TransactionView(WireModel):
    """A transaction as it stands. Amounts in wei as text."""

    tx_id: str
    operation_id: str
    step: str
    chain_id: int
    key_ref: str | None
    from_address: str
    to_address: str | None
    nonce: int | None
    tx_hash: str | None
    state: TransactionState
    state_reason: str | None
    active_attempt: int
    block_number: int | None
    block_hash: str | None
    gas_used: int | None
    effective_gas_price_wei: str | None
    l1_fee_wei: str | None
    revert_code: str | None
    revert_reason: str | None
    policy_id: str | None
    created_at: str
    updated_at: str


class TransactionDetail(TransactionView):
    """With everything that happened to it."""

    attempts: list[AttemptView]
    history: list[HistoryView]


class TransactionFilter(WireModel):
    """None: any. is_open: only those that have not ended."""

    chain_id: int | None = None
    state: TransactionState | None = None
    key_ref: str | None = None
    from_address: str | None = None
    operation_id: str | None = None
    is_open: bool = False


class TransactionPage(Page[TransactionView]):
    """One page of transactions, newest first."""


Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9*?|:._+@-]{1,500}$")]
BaseUnits = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,77})$")]


class PolicyRuleBody(WireModel):
    """Allows what fits its four patterns (with *, | between alternatives), up to its limits in base units; null: no limit. contract: its recorded name
    or address, 'coin', 'create' or 'unlisted'; function: its name, or the selector of an unknown one. approval_above '-1': two people for each."""

    policy_id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    kind: Pattern = "*"
    key_ref: Pattern = "*"
    contract: Pattern
    function: Pattern
    max_amount: BaseUnits | None = None
    daily_amount: BaseUnits | None = None
    daily_count: int | None = Field(default=None, ge=0, le=10**9)
    approval_above: Annotated[str, StringConstraints(pattern=r"^(-1|0|[1-9][0-9]{0,77})$")] | None = None


class PolicyChangeBody(WireModel):
    """A change of what may be signed. rules are set as a whole, by name; disable takes rules out. The first rule ever set for a chain takes the place of all
    built-in ones: keep_built_in sets those too. every_chain: for all chains, also future ones."""

    rules: list[PolicyRuleBody] = Field(default_factory=list[PolicyRuleBody], max_length=200)
    disable: list[Annotated[str, StringConstraints(max_length=64)]] = Field(default_factory=list[str], max_length=200)
    keep_built_in: bool = False
    every_chain: bool = False
    chain_id: int | None = Field(default=None, gt=0, lt=2**53)
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]


class PolicyWarning(WireModel):
    """effect 'denied': the platform's operations of this kind would fail; 'needs_approval': each would wait for two people."""

    kind: str
    key_ref: str
    contract: str
    function: str
    effect: Literal["denied", "needs_approval"]


class PolicyChange(WireModel):
    """A change of what may be signed, for one chain or, with chain_id null, for every chain. warnings: what of the platform's own work it would stop.
    before: the rules it replaced, as they were. in_effect: whether the chain service has taken it over, null while it is not approved."""

    change_id: int
    chain_id: int | None
    rules: list[PolicyRuleBody]
    disabled: list[str]
    warnings: list[PolicyWarning]
    reason: str
    status: Literal["proposed", "approved", "rejected"]
    proposed_by: str
    proposed_at: str
    decided_by: str | None
    decided_at: str | None
    decision_reason: str | None
    before: list[PolicyRuleBody] | None
    version: int | None
    in_effect: bool | None = None


class PolicyChangePage(Page[PolicyChange]):
    """One page of changes, newest first."""


class PolicyUseView(WireModel):
    """What a rule has let pass today (UTC), in base units."""

    policy_id: str
    amount: str
    count: int


class PolicyView(WireModel):
    """What may be signed on a chain. is_built_in: nobody has ever set a rule. in_effect: the chain service works by this version; false when it lags or
    does not answer. What fits no rule is denied."""

    chain_id: int
    is_built_in: bool
    version: int
    in_effect: bool
    rules: list[PolicyRuleBody]
    used: list[PolicyUseView]


class SimulationBody(WireModel):
    """A call to be tried out as a key's own. Amounts are decimal strings; data is 0x-hexadecimal."""

    chain_id: int = Field(gt=0, lt=2**53)
    key_ref: str = Field(min_length=1, max_length=100)
    to: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    data: str = Field(default="0x", pattern=r"^0x([0-9a-fA-F]{2})*$", max_length=200_002)
    value: str = Field(default="0", pattern=r"^(0|[1-9][0-9]{0,76})$")


class SimulationView(WireModel):
    """ok False: it would revert now; reason_code is stable. gas: what it needs, 0 when it reverts. policy: 'allow', 'approve' (a second person must
    agree) or 'deny', with policy_code when it is denied."""

    ok: bool
    reason: str | None
    reason_code: str | None
    gas: int
    policy: Literal["allow", "approve", "deny"]
    policy_id: str | None
    policy_code: str | None


class SignerView(WireModel):
    """A signing key on a chain as last reported. epoch counts the addresses the key's name has had. nonce_lag: bound and not mined."""

    chain_id: int
    key_ref: str
    address: str
    backend: str
    epoch: int
    status: Literal["active", "paused", "draining", "retired"]
    reason: str | None
    latest_nonce: int
    next_nonce: int
    nonce_lag: int
    in_flight: int
    queued: int
    gaps: list[int]
    observed_at: str


class SignerPage(Page[SignerView]):
    """One page of signers, by name of the key."""


class EndpointView(WireModel):
    """An endpoint as last reported. score from '0.00' (never answers) to '1.00'."""

    chain_id: int
    endpoint: str
    score: str
    latency_ms: int
    is_cooling: bool
    observed_at: str


class EndpointList(WireModel):
    """Best first."""

    endpoints: list[EndpointView]


class CheckpointView(WireModel):
    """Every block of the chain up to this one is in the event stream as final."""

    chain_id: int
    block_number: int
    block_hash: str
    seq: int
    epoch: int
    moved_at: str


class CheckpointList(WireModel):
    """now: every chain's. earlier: where the asked chain's listener was, a row a minute at most, newest first."""

    now: list[CheckpointView]
    earlier: list[CheckpointView]


class StatusHistoryView(WireModel):
    """How a chain was at a time. seq_lag: events the api had not taken in yet."""

    chain_id: int
    observed_at: str
    status: str
    head_number: int
    finalized_number: int
    finality_lag_s: int
    event_seq: int
    consumed_seq: int
    seq_lag: int
    checkpoint_block: int
    oldest_unmined_s: int
    queued: int
    in_flight: int
    nonce_gaps: int
    paused_signers: int
    endpoints_up: int


class StatusHistoryPage(Page[StatusHistoryView]):
    """One page of a chain's past, newest first."""


CHAIN_ITEMS: TypeAdapter[list[ChainItem]] = TypeAdapter(list[ChainItem])
