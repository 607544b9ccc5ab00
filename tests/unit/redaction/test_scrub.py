import pytest

from jupyter_otel.redaction.scrub import scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("mail ann.lee@example.org now", "mail [email] now"),
        ("from 10.1.2.3 and 2001:db8::1", "from [ip] and [ip]"),
        ("get https://ann:pw@host/x", "get https://[url_credentials]@host/x"),
        ("key AKIAABCDEFGHIJKLMNOP end", "key [token] end"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[token]"),
        ("open /home/ann/data.csv", "open [home]/data.csv"),
        (r"open C:\Users\ann\data.csv", r"open [home]\data.csv"),
        ("password = hunter2", "[secret]"),
        ('api_key="abc123"', '[secret]"'),
        ("Authorization: Bearer abc.def", "[secret]"),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
            "[jwt]",
        ),
        (
            "x -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- y",
            "x [private_key] y",
        ),
        ("q7Zx9Lm2Pp4Rt8Vw1Yb6Nc3Kd5", "[random]"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_replaced(text, scrubbed):
    assert scrub(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'column'",
        "No module named pandas.core.internals",
        "version 1.2.3 of 12:30:45",
        "internationalization_of_everything",
        "",
    ],
)
def test_harmless_text_stays(text):
    assert scrub(text) == text
