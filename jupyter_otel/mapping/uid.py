"""``log.record.uid``: a ULID, so that a back end can drop what it got twice.

https://github.com/ulid/spec ; within one millisecond the random part counts up, as
its section on monotonicity says.
"""

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple((a + b).encode() for a in _ALPHABET for b in _ALPHABET)
_TIME_CHARACTERS, _FIXED_CHARACTERS = 10, 12
_COUNTER_BITS = 20
UID_BYTES = _TIME_CHARACTERS + _FIXED_CHARACTERS + _COUNTER_BITS // 5
NS_PER_MS = 1_000_000


class UidMaker:
    """Makes ULIDs. One a thread: nothing here is locked."""

    def __init__(self) -> None:
        self._millisecond = -1
        self._prefix = b""
        self._counter = 0

    def make(self, time_ns: int) -> bytes:
        """Return a ULID of that time, greater than the one before it in its ms."""
        millisecond = time_ns // NS_PER_MS
        self._counter += 1
        if millisecond != self._millisecond or self._counter >> _COUNTER_BITS:
            self._begin(millisecond)
        counter = self._counter
        return self._prefix + _PAIRS[counter >> 10] + _PAIRS[counter & 1023]

    def _begin(self, millisecond: int) -> None:
        self._millisecond = millisecond
        # The top half stays free, so that there is room to count.
        self._counter = secrets.randbits(_COUNTER_BITS - 1)
        time_text = _base32(millisecond & (2**48 - 1), _TIME_CHARACTERS)
        fixed = _base32(secrets.randbits(5 * _FIXED_CHARACTERS), _FIXED_CHARACTERS)
        self._prefix = (time_text + fixed).encode()


def _base32(value: int, characters: int) -> str:
    shifts = range(5 * (characters - 1), -1, -5)
    return "".join(_ALPHABET[value >> shift & 31] for shift in shifts)
