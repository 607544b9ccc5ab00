import pytest

from jupyter_otel.redaction.places import generalise, generalise_value
from jupyter_otel.redaction.scrub import scrub

ROOT_HOME = "/root"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("/home/ann/thesis/chapter-2/data/patients.csv", "~/thesis/chapter-2/…/*.csv"),
        ("/mnt/home/ann/x", "~/*"),
        ("~ann/x.py", "~/*.py"),
        (f"{ROOT_HOME}/.ssh/id_rsa", "~/.ssh/*"),
        ("/home/ann", "~/"),
        (r"C:\Users\Ann Lee\Documents\x.XLSX", "~/Documents/*.xlsx"),
        ("course/week-1/ann.ipynb", "course/week-1/*.ipynb"),
        ("a/b/c/d.tar.gz", "a/b/…/*.gz"),
        ("a.ipynb", "*.ipynb"),
        (".env", "*"),
        ("notes.of ann lee", "*"),
        ("ann@example.org/secret=x/y", "[email]/[secret]/*"),
        ("course/", "course/"),
        ("/", "/"),
        ("", ""),
        ("https://ann:pw@gate.example.org/user/ann?t=1", "https://gate.example.org/…"),
        ("https://gate.example.org:8443/", "https://gate.example.org:8443/"),
        ("https://h?token=1", "https://h/…"),
        ("https://ann:p/w@h/x", "https://…/…"),
        ("http://10.1.2.3:8888/x", "http://[ip]:8888/…"),
        ("s3://bucket/ann/key", "s3://bucket/…"),
    ],
)
def test_a_place_is_told_roughly(place, told):
    assert generalise(place, scrub) == told


def test_every_text_in_a_value_is_taken_for_a_place_keys_too():
    value = {"/home/ann/a.py": ["x/b.md", 1, None]}

    assert generalise_value(value, scrub) == {"~/*.py": ["x/*.md", 1, None]}


def test_scrubbing_a_location_generalises_it(redact):
    text = {"type": "string"}
    rules = {
        "path": {"category": "location", "action": "scrub"},
        "note": {"category": "free_text", "action": "scrub"},
        "code": {"category": "content", "action": "scrub"},
    }
    data = {"path": "/home/jo/a/b.csv", "note": "see /home/jo/a", "code": "k='a@b.org'"}

    left = redact(dict.fromkeys(rules, text), rules, data).values

    assert left == {"path": "~/a/*.csv", "note": "see [home]/a", "code": "k='[email]'"}
