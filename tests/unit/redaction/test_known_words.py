import pytest

from jupyter_otel.redaction.known_words import HOME, TOKEN, USER, KnownWords
from jupyter_otel.redaction.scrub import scrub

FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "ann.lee")
ENVIRONMENT = {
    "USER": "ann.lee",
    "HOME": "/srv/people/ann",
    "JUPYTER_TOKEN": "correct horse battery",
    "JUPYTERHUB_API_TOKEN": "tr0ub4dor",
    "MY_DB_PASSWORD": "hunter2hunter2",
    "PATH": "/usr/bin",
}


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("hello Ann.Lee!", "hello [user]!"),
        ("open /srv/people/ann/x.csv", "open [home]/x.csv"),
        ("got correct horse battery", "got [token]"),
        ("xtr0ub4dorx", "x[token]x"),
        ("login(hunter2hunter2)", "login([token])"),
        ("/usr/bin/python", "/usr/bin/python"),
        ("joann.leeds", "joann.leeds"),
        (f"{FULL_WIDTH} and \u0430\u200bnn.lee", "[user] and [user]"),
    ],
)
def test_what_a_process_knows_to_be_secret_or_somebody_is_hidden(text, scrubbed):
    assert scrub(text, KnownWords.of_process(ENVIRONMENT)) == scrubbed


def test_nothing_is_hidden_of_an_account_that_many_share():
    known = KnownWords.of_process(
        {"USER": "root", "HOME": "/root", "LOGNAME": "jovyan"}
    )

    assert known.pattern() is None


@pytest.mark.parametrize(
    ("word", "kind"), [("jo", USER), ("short", TOKEN), ("/x", HOME)]
)
def test_a_word_too_short_to_mean_one_thing_is_not_hidden(word, kind):
    known = KnownWords()
    known.add(word, kind)

    assert known.pattern() is None


def test_a_word_added_later_is_hidden_from_then_on():
    known = KnownWords()
    assert scrub("secret-one here", known) == "secret-one here"

    known.add("secret-one")

    assert scrub("secret-one here", known) == "[token] here"


def test_of_two_words_that_begin_alike_all_of_the_longer_one_is_hidden():
    known = KnownWords()
    known.add("abcdefgh")
    known.add("abcdefghij")

    assert scrub("abcdefghij", known) == "[token]"
