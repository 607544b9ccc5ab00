# ruff: noqa: RUF001 - letters that look like others are the point here
"""Text as people read it: without what cannot be seen, look-alikes made plain.

A secret or an address that is written with full-width letters, Cyrillic look-alikes or
invisible marks in between is found by its plain form.
"""

import re
import unicodedata

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point, as far as it is assigned."""

_PLAIN = str.maketrans(
    # Cyrillic, Greek and Latin letters that Unicode's confusables.txt takes for ASCII,
    # and marks that stand for a dot, a colon, a slash or an at sign.
    "аеорсухіјѕԁһԛԝӏвкмнтАВЕКМНОРСТУХІЈЅԌԚԜαικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıɡɑ。․‧∶ː∕⁄⧸‐‑‒–—−＠",
    "aeopcyxijsdhqwlbkmhtABEKMHOPCTYXIJSGQWaiknoptuxABEZHIKMNOPTYXiga...::///------@",
)


def visible(text: str) -> str:
    """Return text in compatibility form (NFKC), without what cannot be seen."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", _UNSEEN.sub("", text)))


def plain(text: str) -> str:
    """Return text of the same length with look-alikes as the ASCII they look like."""
    return text.translate(_PLAIN)
