"""Refusals of the investor domain."""

from tokenx_common.errors import Conflict


class ProfileExists(Conflict):
    """A user is one investor."""

    code = "investor.profile_exists"


class ProfileRequired(Conflict):
    """The use case needs an investor profile, and the user has none yet."""

    code = "investor.profile_required"


class WrongKycStatus(Conflict):
    """The KYC case is not in a state this decision fits."""

    code = "investor.wrong_kyc_status"


class AlreadySo(Conflict):
    """Frozen twice, or unfrozen twice."""

    code = "investor.already_so"
