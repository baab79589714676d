"""The public interface changes on purpose only."""

from pathlib import Path

from tests import signatures

PROMISED = Path(__file__).with_name("signatures.txt")


def test_the_public_interface_is_the_promised_one():
    """Names, parameters, defaults, what is keyword-only, which records are frozen.

    After a change that is meant, python -m tests.signatures > tests/signatures.txt, and a line in
    CHANGELOG.md.
    """
    assert list(signatures.lines()) == PROMISED.read_text(encoding="utf-8").splitlines()
