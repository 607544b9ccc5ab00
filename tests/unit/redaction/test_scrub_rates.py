"""How much the scrubbers miss, and how much they spoil: docs/privacy.md says so."""

import re
from pathlib import Path

import yaml

from jupyter_otel.redaction.scrub import scrub

HERE = Path(__file__).parent
PAGE = (HERE.parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
SAMPLES = yaml.safe_load((HERE / "scrub_samples.yaml").read_text(encoding="utf-8"))
MARKED = re.compile("«(.*?)»", re.DOTALL)


def is_missed(sample):
    """Return whether anything that is marked is still there, whole."""
    scrubbed = scrub(MARKED.sub(r"\1", sample))
    return any(secret in scrubbed for secret in MARKED.findall(sample))


def is_spoilt(sample):
    return scrub(sample) != sample


def rows():
    """Return the table of the page."""
    for kind, samples in SAMPLES["secrets"].items():
        missed = sum(map(is_missed, samples))
        yield f"| {kind} | {len(samples)} | {missed} |"
    samples = [sample for kind in SAMPLES["secrets"].values() for sample in kind]
    missed = sum(map(is_missed, samples))
    yield f"| **all that must go** | {len(samples)} | {missed} |"
    harmless = SAMPLES["harmless"]
    spoilt = sum(map(is_spoilt, harmless))
    yield f"| **harmless lines** | {len(harmless)} | {spoilt} spoilt |"


def test_the_page_says_what_is_missed_and_what_is_spoilt():
    told = [row for row in rows() if row not in PAGE]
    assert told == []


def test_every_sample_marks_what_must_go():
    samples = [sample for kind in SAMPLES["secrets"].values() for sample in kind]
    assert [sample for sample in samples if not MARKED.search(sample)] == []
