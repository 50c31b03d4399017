"""`python -m tools.scaling`: writes the tables of docs/scaling.md and docs/scaling.ko.md anew."""

from __future__ import annotations

from tools.scaling.tables import FILES, filled


def main() -> None:
    """Both files, from costs.toml and assumptions.toml."""
    for language, file in FILES.items():
        file.write_text(filled(file.read_text(encoding="utf-8"), language), encoding="utf-8")


if __name__ == "__main__":
    main()
