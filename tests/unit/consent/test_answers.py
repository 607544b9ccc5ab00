import stat
import threading

import pytest

from jupyter_otel.consent.answers import FILE_NAME, Answer, Answers, Notice
from jupyter_otel.errors import ConfigError
from jupyter_otel.schema import Group

DATA, EXECUTIONS = Group.DATA, Group.EXECUTIONS
YES, NO = Answer(allowed=True, at_ns=1, since_ns=1), Answer(allowed=False, at_ns=2)


def test_answers_outlive_the_process_that_took_them(tmp_path):
    answers = Answers(tmp_path / "consent")
    answers.put("ann", {DATA: YES, EXECUTIONS: NO})
    answers.put("bob", {DATA: NO})
    answers.put_notice("ann", Notice("n1", 3))

    again = Answers(tmp_path / "consent")

    assert again.find("ann", DATA) == YES
    assert again.find("ann", EXECUTIONS) == NO
    assert again.find("ann", Group.INTERFACE) is None
    assert again.find("bob", DATA) == NO
    assert again.find("eve", DATA) is None
    assert (again.notice("ann"), again.notice("bob")) == (Notice("n1", 3), None)


def test_only_the_owner_can_read_them(tmp_path):
    Answers(tmp_path / "consent").put("ann", {DATA: YES})

    folder = tmp_path / "consent"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600


def test_another_process_sees_an_answer_when_it_looks(tmp_path):
    here, there = Answers(tmp_path), Answers(tmp_path)
    here.put("ann", {DATA: YES})
    assert there.find("ann", DATA) is None

    there.refresh()
    assert there.find("ann", DATA) == YES

    here.put("ann", {DATA: NO})
    there.refresh()
    assert there.find("ann", DATA) == NO


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    def write(number):
        Answers(tmp_path).put(f"person {number}", {DATA: YES})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = Answers(tmp_path)
    assert [kept.find(f"person {n}", DATA) for n in range(8)] == [YES] * 8


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "people": {}}', '{"version": 1}']
)
def test_what_cannot_be_read_is_never_guessed(tmp_path, text):
    (tmp_path / FILE_NAME).write_text(text)

    with pytest.raises(ConfigError, match=r"^OtelConsent\.directory must hold answers"):
        Answers(tmp_path)


def test_a_file_that_breaks_later_changes_nothing(tmp_path):
    answers = Answers(tmp_path)
    answers.put("ann", {DATA: NO})
    (tmp_path / FILE_NAME).write_text("{")

    answers.refresh()

    assert answers.find("ann", DATA) == NO


def test_an_answer_that_cannot_be_written_does_not_hold(tmp_path):
    (tmp_path / "file").write_text("")
    answers = Answers(tmp_path / "file" / "consent")

    with pytest.raises(OSError, match="Not a directory"):
        answers.put("ann", {DATA: YES})

    assert answers.find("ann", DATA) is None


def test_in_memory_they_hold_as_well():
    answers = Answers()
    answers.put("ann", {DATA: YES})
    answers.put_notice("ann", Notice("n1", 3))

    assert answers.find("ann", DATA) == YES
    assert answers.notice("ann") == Notice("n1", 3)
