"""A small git repository with a bug, a test that shows it, and a file that a change must not break."""

from pathlib import Path

from tests.opened import git

_FILES = {
    "pricing/__init__.py": "",
    "pricing/money.py": '''"""Amounts in cents."""


def parse(text: str) -> int:
    """Read an amount such as "12.50"."""
    whole, _, cents = text.partition(".")
    return int(whole) * 100 + int(cents or 0)


def shown(cents: int) -> str:
    """Write an amount as people do."""
    return f"{cents // 100}.{cents % 100:02}"
''',
    "tests/__init__.py": "",
    "tests/test_money.py": """import unittest

from pricing.money import parse, shown


class Money(unittest.TestCase):
    def test_whole(self):
        self.assertEqual(parse("12"), 1200)

    def test_two_digits(self):
        self.assertEqual(parse("12.50"), 1250)

    def test_one_digit(self):
        self.assertEqual(parse("12.5"), 1250)

    def test_there_and_back(self):
        self.assertEqual(shown(parse("0.07")), "0.07")
""",
    "README.md": "# pricing\n",
    ".gitignore": "__pycache__/\n",
}
BUG = "int(cents or 0)"
FIX = 'int(cents.ljust(2, "0"))'


def write_project(directory: Path) -> None:
    """Make the repository."""
    for name, text in _FILES.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(directory, "init", "-q")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "The project")
