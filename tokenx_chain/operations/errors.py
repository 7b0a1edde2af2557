"""How an operation ends badly."""


class OperationFailed(Exception):
    """The chain or the request makes the operation impossible; it is over. code is stable, detail says more."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class BadParams(OperationFailed):
    """The parameters do not fit the kind."""

    def __init__(self, detail: str) -> None:
        super().__init__("chain.bad_params", detail)
