"""What a subcommand raises when it cannot do what it was asked to, in one plain line."""


class Refused(RuntimeError):
    pass
