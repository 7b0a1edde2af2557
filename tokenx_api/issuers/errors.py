"""Refusals of the issuer domain."""

from tokenx_common.errors import Conflict


class ProfileExists(Conflict):
    """A user is one issuer."""

    code = "issuer.profile_exists"


class WrongKybStatus(Conflict):
    """The KYB case is decided."""

    code = "issuer.wrong_kyb_status"


class KybRequired(Conflict):
    """The use case needs an issuer whose KYB is approved."""

    code = "issuer.kyb_required"
