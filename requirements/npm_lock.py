"""Completes a package-lock.json: python requirements/npm_lock.py FOLDER…

npm 11 refuses `npm ci` when an optional package of another platform is not listed, and does not list it when the registry in use does not
serve it. This lists such packages with their version, system and processor, without integrity. Nothing else in the file is touched."""

import json
import sys
from pathlib import Path
from typing import Any

SYSTEMS = ("darwin", "linux", "win32", "android", "freebsd", "openbsd", "netbsd", "aix", "sunos")
PROCESSORS = {
    "amd64": "x64",
    "x64": "x64",
    "arm64": "arm64",
    "arm": "arm",
    "ia32": "ia32",
    "ppc64": "ppc64",
    "riscv64": "riscv64",
    "s390x": "s390x",
}


def platform_of(name: str) -> dict[str, list[str]]:
    """{'os': ['linux'], 'cpu': ['x64'], 'libc': ['musl']} from '…-linux-x64-musl'. Raises ValueError for a name without a platform."""
    words = name.rsplit("/", 1)[-1].split("-")
    if "wasm32" in words:
        return {"cpu": ["wasm32"]}
    system = [word for word in words if word in SYSTEMS]
    processor = [PROCESSORS[word] for word in words if word in PROCESSORS]
    if not system or not processor:
        raise ValueError(f"{name} does not say which platform it is for")
    libc = {"musl": ["musl"], "gnu": ["glibc"]}.get(words[-1])
    return {"os": system, "cpu": processor, **({"libc": libc} if libc else {})}


def complete(lock: dict[str, Any]) -> list[str]:
    """Add what is missing to the lock's packages; returns the added names."""
    packages: dict[str, Any] = lock["packages"]
    added: dict[str, Any] = {}
    for package in packages.values():
        for name, version in package.get("optionalDependencies", {}).items():
            place = f"node_modules/{name}"
            if place not in packages and version[:1].isdigit():
                added[place] = {
                    "version": version,
                    **({"dev": True} if package.get("dev") else {}),
                    "optional": True,
                    **platform_of(name),
                }
    root = {"": packages.pop("")}
    lock["packages"] = root | dict(sorted({**packages, **added}.items()))
    return sorted(added)


def main(folders: list[str]) -> None:
    for folder in folders:
        path = Path(folder) / "package-lock.json"
        lock = json.loads(path.read_text(encoding="utf-8"))
        added = complete(lock)
        if added:
            path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path}: {len(added)} added\n")


if __name__ == "__main__":
    main(sys.argv[1:])
