"""Generates ``translators/wire`` from ``proto/``: ``generate.py [--check]``.

With ``--check`` nothing is written; exit 1 names every file that is missing, stale or superfluous.
The same sources and the locked grpcio-tools always give the same bytes.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grpc_tools import protoc

SOURCES = Path(__file__).resolve().parent
PACKAGE = "translators.wire"
TARGET = SOURCES.parent / "translators" / "wire"
PACKAGES = {
    "": '"""Generated from proto/ by proto/generate.py; changed only there."""\n',
    "exchange": '"""Generated packages of the exchange contract."""\n',
    "exchange/v1": '"""Version 1 of the exchange contract, generated."""\n',
}
SERVICES = frozenset({"exchange/v1/exchange.proto"})
OWN_IMPORT = re.compile(r"^from (exchange(?:\.\w+)*) import ", re.MULTILINE)


def generated() -> dict[str, str]:
    """Every file of the target folder by relative path, freshly made."""
    protos = sorted(path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        compile_protos(protos, folder, ["python", "mypy"])
        # Files without a service would only get empty service modules that import grpc.
        compile_protos(sorted(SERVICES), folder, ["grpc_python", "mypy_grpc"])
        files = dict(relocated(Path(folder)))
    # The sources go with the package, which gives them to partners as the schema of the format.
    files.update({name: (SOURCES / name).read_text(encoding="utf-8") for name in protos})
    files.update({(Path(name) / "__init__.py").as_posix(): doc for name, doc in PACKAGES.items()})
    return dict(sorted(files.items()))


def compile_protos(protos: list[str], folder: str, outputs: list[str]) -> None:
    """Run protoc; raises :class:`SystemExit` when it refuses the sources."""
    scripts = Path(sys.executable).parent
    arguments = ["protoc", f"--proto_path={SOURCES}"]
    for output in outputs:
        if output.startswith("mypy"):
            plugin = "protoc-gen-" + output
            arguments.append(f"--plugin={plugin}={scripts / plugin}")
            arguments.append(f"--{output}_out=quiet:{folder}")
        else:
            arguments.append(f"--{output}_out={folder}")
    if protoc.main([*arguments, *protos]) != 0:
        raise SystemExit("protoc refused the sources")


def relocated(folder: Path) -> Iterator[tuple[str, str]]:
    """The compiled files, importing each other where they will stand.

    Only the imports change: the descriptors keep the names that partners compile.
    """
    for path in sorted(folder.rglob("*.py*")):
        text = OWN_IMPORT.sub(rf"from {PACKAGE}.\1 import ", path.read_text(encoding="utf-8"))
        yield path.relative_to(folder).as_posix(), text


def present(target: Path) -> dict[str, str]:
    """What stands in the target folder now."""
    return {
        path.relative_to(target).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(target.rglob("*.p*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(target: Path) -> list[str]:
    """Relative paths of the files in ``target`` that are not what the sources give."""
    fresh, old = generated(), present(target)
    return sorted(name for name in fresh.keys() | old.keys() if fresh.get(name) != old.get(name))


def write(target: Path) -> None:
    """Make ``target`` exactly what the sources give."""
    fresh = generated()
    for name in present(target).keys() - fresh.keys():
        (target / name).unlink()
    for name, text in fresh.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; the exit status of the program."""
    if arguments == ["--check"]:
        stale = differences(TARGET)
        for name in stale:
            sys.stderr.write(f"translators/wire/{name} is not what proto/ gives: make wire\n")
        return 1 if stale else 0
    if arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    write(TARGET)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
