"""Pages that run: each ```python block is executed, and the ```text block right behind it is what it printed.

The blocks of one page share their names, in order, as cells of a notebook do. As there, the value of a last line that is an
expression is shown. A block without a ```text block behind it must print nothing.
"""

import ast
import contextlib
import io
import re

CELL = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n?```text\n(?P<output>.*?)```\n)?", re.DOTALL)


def rerun(text: str, *, name: str) -> str:
    """The page with the outputs it has now. An exception in a block comes through, with the name of the page."""
    names: dict[str, object] = {"__name__": name}

    def cell(found: re.Match[str]) -> str:
        code = found.group("code")
        said = _run(code, names, f"{name}, line {text.count(chr(10), 0, found.start()) + 2}")
        return f"```python\n{code}```\n" + (f"```text\n{said}```\n" if said else "")

    return CELL.sub(cell, text)


def _run(code: str, names: dict[str, object], place: str) -> str:
    tree, said = ast.parse(code, filename=place), io.StringIO()
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    with contextlib.redirect_stdout(said):
        exec(compile(tree, place, "exec"), names)  # noqa: S102  # our own pages
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), place, "eval"), names)  # noqa: S307  # as above
            if value is not None:
                print(repr(value))  # noqa: T201  # into the page
    return said.getvalue()
