"""What may be shown of a client's values."""

import pytest

from mock_server.redaction import SHOWN_MAX, shown
from tests.support import assertion


@pytest.mark.parametrize("text", ["a", "https://services-acpt.socialsecurity.be/REST/oauth/v5/token", "é ☃", ""])
def test_a_plain_value_is_shown_in_quotes(text: str) -> None:
    """URLs and names of any language stay readable."""
    assert f"“{text}”" == shown(text)


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31m", "a\u202eb", "a\x00", "\ud800", "a\u2028b"])
def test_a_value_stays_on_its_line_and_steers_no_terminal(value: str) -> None:
    """Control, format and surrogate characters are escaped."""
    assert shown(value).isprintable()
    assert shown(value).encode()


def test_a_token_is_not_shown() -> None:
    """Wherever a JWT turns up, even behind other text or cut, it is replaced."""
    text = assertion()

    for value in (text, f"Bearer {text}", text.rpartition(".")[0], f"{'x' * 100} {text}"):
        assert not any(part in shown(value) for part in text.split("."))


def test_a_private_key_is_not_shown() -> None:
    """PEM is replaced from its first line on."""
    begin = "-----BEGIN " + "PRIVATE KEY-----"

    assert "MIIE" not in shown(f"{begin}\nMIIE\n")


def test_a_long_value_is_cut() -> None:
    """Nothing endless is shown, and the cut can be seen."""
    assert f"“{'x' * SHOWN_MAX}…”" == shown("x" * 10_000_000)


def test_a_value_that_could_begin_a_token_everywhere_is_cut_like_any_other() -> None:
    """Looking for tokens is bounded, whatever a client sends."""
    assert shown("ey-" * 1_000_000) == f"“{'ey-' * (SHOWN_MAX // 3)}…”"


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (None, "None"), (["a"], "['a']"), (True, "True")])
def test_other_values_are_shown_without_quotes(value: object, text: str) -> None:
    """A number is told apart from its text."""
    assert text == shown(value)
