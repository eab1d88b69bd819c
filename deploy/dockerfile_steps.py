"""Turn a Dockerfile into the shell script of its steps, or list the files that .dockerignore lets into an image.

    dockerfile_steps.py Dockerfile VARIANT=cpu      a script for a clean root, with the build's context in /context
    dockerfile_steps.py --context .                 the files of that context, one a line

For deploy/rehearse_image.sh, where no container runtime is. It knows the instructions that our Dockerfile uses, in the
meaning of Docker's reference, and refuses every other.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Print what is asked for; returns the exit code."""
    try:
        if arguments[:1] == ["--context"] and len(arguments) == 2:
            print(*context(Path(arguments[1])), sep="\n")
        elif arguments and all("=" in given for given in arguments[1:]):
            given = dict(argument.split("=", 1) for argument in arguments[1:])
            print(*script(Path(arguments[0]).read_text(), given), sep="\n")
        else:
            raise ValueError("give a Dockerfile and NAME=VALUE for its ARGs, or --context FOLDER")
    except (ValueError, OSError) as error:
        print(f"dockerfile_steps.py: {error}", file=sys.stderr)
        return 2
    return 0


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction and its arguments, with continued lines joined and comment lines left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


def script(text: str, given: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the script. A build argument in ``given`` that is no ARG of the Dockerfile is a ValueError."""
    known = {rest.partition("=")[0] for name, rest in instructions(text) if name == "ARG"}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"{unknown[0]} is not an ARG of the Dockerfile: {', '.join(sorted(known))}")
    yield "export DEBIAN_FRONTEND=noninteractive"
    yield ": > /environment.sh"
    for name, rest in instructions(text):
        yield f"echo {shlex.quote(f'{name} {rest}')}"
        yield from step(name, rest, given)


def step(name: str, rest: str, given: Mapping[str, str]) -> list[str]:
    """Say one instruction in shell; a ValueError for one that is not known."""
    if name in ("FROM", "CMD", "USER"):  # the root, and what the caller does in it
        return []
    if name == "ARG":
        argument, _, default = rest.partition("=")
        return [f"export {argument}={shlex.quote(given.get(argument, default))}"]
    if name == "ENV":  # for the steps that follow, and for what runs in the image
        return [
            line for pair in rest.split() for line in (f"export {pair}", f"echo 'export {pair}' >> /environment.sh")
        ]
    if name == "WORKDIR":
        return [f"mkdir -p {rest} && cd {rest}"]
    if name == "COPY":
        *sources, target = rest.split()
        return [f"cp -R /context/{source} {target}" for source in sources]
    if name == "RUN":
        return [f"/bin/sh -e -c {shlex.quote(rest)}"]
    raise ValueError(f"{name} is not an instruction that this rehearsal knows")


def context(folder: Path) -> Iterator[str]:
    """Yield the files of ``folder`` that .dockerignore lets into the image, in order."""
    rules = [line.strip() for line in (folder / ".dockerignore").read_text().splitlines()]
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    for parent, folders, files in os.walk(folder):
        here = Path(parent).relative_to(folder)
        folders[:] = sorted(name for name in folders if not ignored((here / name).as_posix(), rules, whole=True))
        yield from sorted(path for name in files if not ignored(path := (here / name).as_posix(), rules))


def ignored(path: str, rules: Sequence[str], whole: bool = False) -> bool:
    """Tell whether the last rule for the path, or for a folder above it, keeps it out; ``whole``: all in it too."""
    above = [path, *(parent.as_posix() for parent in Path(path).parents if parent != Path())]
    out = False
    for rule in rules:
        taken_back, pattern = rule.startswith("!"), rule.lstrip("!").strip("/")
        if any(re.fullmatch(expression(pattern), part) for part in above):
            out = not taken_back
        elif whole and taken_back and pattern.startswith(f"{path}/"):
            out = False
    return out


def expression(pattern: str) -> str:
    """Turn a pattern into a regular expression: ``**/`` stands for any folders, ``*`` for a part of one name."""
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    return "".join({"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part)) for part in parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
