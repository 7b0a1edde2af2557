"""Refusals around Idempotency-Key."""

from tokenx_common.errors import Invalid


class KeyRequired(Invalid):
    """The route moves money or units, so a repeated request must be recognisable."""

    code = "idempotency.key_required"
    status = 400


class KeyReused(Invalid):
    """The key came before with another body."""

    code = "idempotency.key_reused"
