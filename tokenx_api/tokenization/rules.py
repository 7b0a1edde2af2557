"""Decisions about changes of the signing policy. Pure: rules in, rules and refusals out."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from tokenx_api.tokenization.models import PolicyRule

ANYBODYS: Final = "transaction.send"
"""The kind of a call asked for as it is; every other kind sends only what its program makes."""


def after(current: Sequence[PolicyRule], *, disabled: Iterable[str], changed: Sequence[PolicyRule]) -> list[PolicyRule]:
    """The rules once a change counts: without the disabled ones, with the changed ones in the place of those of their names. By name."""
    gone = set(disabled)
    rules = {rule.policy_id: rule for rule in current if rule.policy_id not in gone}
    rules |= {rule.policy_id: rule for rule in changed}
    return [rules[name] for name in sorted(rules)]


def with_built_in(changed: Sequence[PolicyRule], *, current: Sequence[PolicyRule], built_in: Sequence[PolicyRule]) -> list[PolicyRule]:  # fmt: skip
    """The change with every built-in rule that neither it nor the current rules already have a rule of that name for."""
    named = {rule.policy_id for rule in (*changed, *current)}
    return [*changed, *(rule for rule in built_in if rule.policy_id not in named)]


def too_wide(changed: Sequence[PolicyRule]) -> str | None:
    """The name of a rule that would let anybody's call do anything to any contract: denying by default would be over. None: there is none."""
    return next(
        (rule.policy_id for rule in changed if all(map(_is_all, (rule.contract, rule.function))) and _reaches(rule.kind, ANYBODYS)),
        None,
    )  # fmt: skip


def _is_all(pattern: str) -> bool:
    return any(set(part) <= {"*", "?"} and "*" in part for part in pattern.split("|"))


def _reaches(pattern: str, kind: str) -> bool:
    return any(fnmatchcase(kind, part) for part in pattern.split("|"))
