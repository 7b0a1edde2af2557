"""Refusals of the compliance gate."""

from tokenx_api.compliance.models import Decision
from tokenx_common.errors import Conflict, Invalid, TokenxError


class ComplianceDenied(TokenxError):
    """The gate said no. Raise it after the transaction that stored the decision has committed: a refusal is evidence too."""

    code = "compliance.denied"
    status = 403

    def __init__(self, decision: Decision) -> None:
        reasons = decision.reasons
        detail = "; ".join(str(reason["message"]) for reason in reasons)
        super().__init__(detail, decision_id=decision.decision_id, outcome=decision.verdict.outcome, reasons=reasons)


class RestrictionLifted(Conflict):
    """The restriction was lifted before."""

    code = "restriction.already_lifted"


class UnboundedLockUp(Invalid):
    """A lock-up without an end."""

    code = "restriction.until_required"
