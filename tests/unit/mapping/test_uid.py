import re
import time

from jupyter_otel.mapping.uid import UidMaker


def test_a_uid_is_a_ulid_of_its_time():
    uid = UidMaker().make(1_700_000_000_000 * 10**6)

    assert re.fullmatch(b"[0-7][0-9A-HJKMNP-TV-Z]{25}", uid)
    assert uid.startswith(b"01HF7YAT00")  # this millisecond, in Crockford's base 32


def test_uids_of_one_millisecond_count_up():
    maker = UidMaker()

    uids = [maker.make(10**18) for _ in range(3000)]

    assert uids == sorted(set(uids))


def test_makers_do_not_repeat_each_other():
    now = time.time_ns()

    uids = {UidMaker().make(now) for _ in range(1000)}

    assert len(uids) == 1000


def test_more_than_a_million_in_one_millisecond_stay_unique():
    maker = UidMaker()
    maker.make(0)
    maker._counter = 2**20 - 2

    uids = {maker.make(0) for _ in range(4)}

    assert len(uids) == 4
