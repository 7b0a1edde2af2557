"""Refusals of the investor domain."""

from tokenx_common.errors import Conflict, PermissionDenied


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


class InvestorRevoked(PermissionDenied):
    """The identity check was revoked: nothing may be done until there is a new one."""

    code = "investor.revoked"


class InvestorFrozen(PermissionDenied):
    """A compliance officer has frozen the investor."""

    code = "investor.frozen"


class RevocationUnderWay(Conflict):
    """The chain has not finished a revocation yet."""

    code = "investor.revocation_under_way"


class WalletNotRegistered(Conflict):
    """There is no registered wallet to recover."""

    code = "wallet.not_registered"
