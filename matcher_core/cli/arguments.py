"""Argument types and the formatter that all subcommands share."""

import argparse
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Verbs: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]  # argparse names it nowhere else


class Plain(argparse.RawDescriptionHelpFormatter):
    """Descriptions and epilogs keep their line breaks."""


def positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number, was {text!r}")
    return value


def fraction(text: str) -> float:
    """A positive number, such as 0.5 or 20."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"must be a positive number, was {text!r}")
    return value
