"""What can go wrong between the service and whoever holds the keys. No message ever carries key material, a passphrase or a token."""

from tokenx_common.errors import TokenxError


class SignerConfigError(Exception):
    """The configuration cannot work: one plain line that begins with the variable's name. Stops the start."""


class SignerError(TokenxError):
    """Base of every refusal of this package.

    proves_unsigned: there is no signature and there will be none, so a nonce that was meant for it may serve another intent. Where it is
    False nothing is known: keep the nonce and ask again (SignerUnavailable), or let people look."""

    code = "signer.failed"
    status = 500
    proves_unsigned = False


class SignerUnavailable(SignerError):
    """The key holder did not answer, or has not decided yet. Asking again with the same job id is safe and required: nothing is known."""

    code = "signer.unavailable"
    status = 503


class NotDecided(SignerUnavailable):
    """The key holder has the job and nobody has decided it: nothing is wrong, it takes as long as people take."""

    code = "signer.not_decided"


class SignRejected(SignerError):
    """The key holder ended the job without a signature: proof, not a guess, so the nonce may serve another intent."""

    code = "signer.rejected"
    status = 409
    proves_unsigned = True


class SignExpired(SignerError):
    """The job's deadline passed and the key holder confirmed that there is no signature."""

    code = "signer.expired"
    status = 409
    proves_unsigned = True


class SignerRefused(SignerError):
    """The request breaks a rule of the key holder (chain not allowed, well-known key on a main network, malformed). Repeating it is useless."""

    code = "signer.refused"
    status = 422
    proves_unsigned = True


class UnknownKey(SignerError):
    """The backend has no key of that name, today: an alias or a vault account may come back, so it proves nothing."""

    code = "signer.unknown_key"
    status = 404


class UnknownJob(SignerError):
    """The backend knows nothing of the job: submit it again, which is idempotent."""

    code = "signer.unknown_job"
    status = 404


class JobConflict(SignerError):
    """The job id was used before for something else."""

    code = "signer.job_conflict"
    status = 409


class NotSupported(SignerError):
    """This backend cannot do that; see its capabilities."""

    code = "signer.not_supported"
    status = 422
    proves_unsigned = True


class WrongSignature(SignerError):
    """The signature does not recover to the expected address. Nothing was assembled; a human must look."""

    code = "signer.wrong_signature"
    status = 502


class BadAnswer(SignerError):
    """The backend answered something outside its own description."""

    code = "signer.bad_answer"
    status = 502


class ForgedWebhook(SignerError):
    """A webhook without a valid signature of the backend. Its content was not looked at."""

    code = "signer.forged_webhook"
    status = 401
