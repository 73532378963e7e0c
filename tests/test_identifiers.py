"""Numbers and names of the platform."""

import pytest

from mock_server.identifiers import (
    InvalidIdentifierError,
    Quarter,
    WrongChecksumError,
    parse_client_id,
    parse_enterprise_number,
    parse_ssin,
)


@pytest.mark.parametrize("text", ["0880820673", "880820673"])
def test_the_guides_enterprise_number_is_one_with_or_without_its_zero(text: str) -> None:
    """The guide's own example has nine digits."""
    assert parse_enterprise_number(text) == "0880820673"


@pytest.mark.parametrize(
    "text",
    ["", "0880 820 673", "0880.820.673", "BE0880820673", "2880820673", "80820673", "\u0660880820673", "0880820673\n"],
)
def test_an_enterprise_number_of_another_shape_is_refused(text: str) -> None:
    """Digits only: separators, prefixes and other scripts are not taken off."""
    with pytest.raises(InvalidIdentifierError, match="10 digits"):
        parse_enterprise_number(text)


@pytest.mark.parametrize("text", ["0880820672", "0000000000", "0880820600", "1999000199"])
def test_an_enterprise_number_with_wrong_check_digits_is_refused(text: str) -> None:
    """The last two digits are 97 less the rest modulo 97, so never 00, 98 or 99."""
    with pytest.raises(WrongChecksumError):
        parse_enterprise_number(text)


@pytest.mark.parametrize(
    "text",
    ["65111899997", "17073003384", "00000000097", "98472899765"],
    ids=["the guide's, counter 999", "born after 2000", "no birth date", "a BIS number"],
)
def test_an_ssin_is_judged_by_its_check_digits_alone(text: str) -> None:
    """Birth date and counter may be anything: the documented example breaks stricter rules."""
    assert text == parse_ssin(text)


@pytest.mark.parametrize("text", ["", "65.11.18-999.97", "6511189999", "651118999970", "6511189999x"])
def test_an_ssin_of_another_shape_is_refused(text: str) -> None:
    """Eleven digits, nothing else."""
    with pytest.raises(InvalidIdentifierError, match="11 digits"):
        parse_ssin(text)


@pytest.mark.parametrize("text", ["65111899998", "00000000000", "65111899900"])
def test_an_ssin_with_wrong_check_digits_is_refused(text: str) -> None:
    """A typing error is found."""
    with pytest.raises(WrongChecksumError):
        parse_ssin(text)


@pytest.mark.parametrize("text", ["", "a b", "é", "a\n", "a" * 201])
def test_a_client_id_is_printable_ascii(text: str) -> None:
    """Opaque, but fit to stand in a header and a log."""
    with pytest.raises(InvalidIdentifierError):
        parse_client_id(text)


@pytest.mark.parametrize(
    ("moment", "quarter"),
    [
        (1_735_685_999, "2024Q4"),  # 2024-12-31T23:59:59+01:00
        (1_735_686_000, "2025Q1"),
        (1_743_458_399, "2025Q1"),  # 2025-03-31T23:59:59+02:00
        (1_743_458_400, "2025Q2"),
    ],
)
def test_a_quarter_begins_at_midnight_in_brussels(moment: float, quarter: str) -> None:
    """In winter one hour, in summer two hours before it does in UTC."""
    assert quarter == str(Quarter.at(moment))


@pytest.mark.parametrize("text", ["2025", "2025Q0", "2025Q5", "2025q1", "25Q1", " 2025Q1"])
def test_a_quarter_of_another_shape_is_refused(text: str) -> None:
    """A quarter is written like 2025Q1."""
    with pytest.raises(InvalidIdentifierError):
        Quarter.parse(text)
