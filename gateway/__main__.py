"""``python -m gateway`` and the command ``luxor``."""

from __future__ import annotations

from gateway.cli.main import luxor


def main() -> None:
    """Run the command line."""
    luxor(prog_name="luxor")


if __name__ == "__main__":
    main()
