"""``python -m trioecho``."""

from __future__ import annotations

from trioecho.cli import main

if __name__ == "__main__":
    main()
