from jupyter_otel.cli.reasons import cure
from jupyter_otel.tally import DropReason, Refusal


def test_every_reason_of_the_books_has_a_cure():
    assert [reason for reason in (*Refusal, *DropReason) if not cure(reason)] == []
