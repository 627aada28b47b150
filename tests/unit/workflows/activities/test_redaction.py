"""Secrets of a call, and texts without them."""

from typing import Any

import pytest

from workflows.activities.redaction import holds_secret, keep_secret, redact, secrecy


@pytest.mark.parametrize(
    ("secret", "text", "redacted"),
    [
        ("pa55", "the password pa55 is wrong, pa55!", "the password *** is wrong, ***!"),
        ({"a": ["pa55", {"b": "word"}]}, "pa55word", "******"),
        (["abc", "abcdef"], "abcdef", "***"),
        (12345, "the pin 12345", "the pin ***"),
        (1.25, "1.25", "***"),
        (True, "True or true", "True or true"),
        (None, "None", "None"),
        ("", "text", "text"),
        ("ab", "able", "able"),
        ("a b/c", "GET https://x.test/a%20b%2Fc?d=a+b%2Fc", "GET https://x.test/***?d=***"),
        ("Pa55Word", "https://pa55word.test", "https://***.test"),
        ("a/B", "https://x.test/A%2fb", "https://x.test/***"),
        ('a"b\n', 'Cannot index string ("a\\"b\\n")', 'Cannot index string ("***")'),
        ("grün", '"gr\\u00fcn" and "grün"', '"***" and "***"'),
    ],
)
def test_a_secret_is_redacted_in_every_form(secret: Any, text: str, redacted: str) -> None:
    with secrecy() as secrets:
        keep_secret(secret)
        assert redact(text) == secrets.redact(text) == redacted
        assert holds_secret(text) == (redacted != text)


def test_each_call_has_secrets_of_its_own() -> None:
    with secrecy():
        keep_secret("outer")
        with secrecy():
            assert redact("outer") == "outer"
        assert redact("outer") == "***"


def test_outside_of_a_call_nothing_is_secret() -> None:
    keep_secret("abc")
    assert redact("abc") == "abc"
