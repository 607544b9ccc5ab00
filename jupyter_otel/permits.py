"""Whether a stored row may still leave: by what its person says now, and by policy.

Joins consent and settings for the spool, which knows neither. Beside it stand the
consent that settings make and the name of their policy.

::

    revision   audit-name-text-0f9c51d2a7
               level, identity and code, each no more than now, and the same rest:
               such a row left under this policy too. Any other row is given up.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from jupyter_otel.config import Settings
from jupyter_otel.consent.answers import Answers
from jupyter_otel.consent.consent import Consent, ConsentMode
from jupyter_otel.redaction.keyed_hash import KeyFile
from jupyter_otel.schema import Group, Level
from jupyter_otel.spool.judging import RowOrigin
from jupyter_otel.tally import DropReason

KEY_NAME = "key"
"""In `OtelConsent.directory`: what people are hashed under, in answers and in rows."""

_IDENTITIES = ("none", "hash", "name")
_CODES = ("none", "hash", "text")
_PARTS = 4


class Permits:
    """Judges rows, as `spool.judging.Judge`.

    Args:
        consent: Of people, now.
        revision: Of the policy, now; None: no policy of this process's concerns them.
    """

    def __init__(self, consent: Consent, revision: str | None) -> None:
        self._consent = consent
        self._revision = revision
        self._verdicts: dict[str, bool] = {"": True}
        """By revision; rows without one were made under no policy."""

    def refresh(self) -> None:
        """Learn what people said elsewhere."""
        self._consent.answers.refresh()

    def objection(self, origin: RowOrigin) -> DropReason | None:
        """Return why a row must not leave, None if it may."""
        known = self._verdicts.get(origin.revision)
        if known is None:
            known = self._revision is None or permits_at_least(
                self._revision, origin.revision
            )
            self._verdicts[origin.revision] = known
        if not known:
            return DropReason.POLICY_CHANGED
        try:
            group = Group(origin.group)
        except ValueError:  # of the SDK's own data, which is no event of ours
            return None
        if self._consent.still_allows(origin.subject, group, origin.created_ns):
            return None
        return DropReason.NO_CONSENT


def open_consent(settings: Settings) -> Consent:
    """Return the consent of settings, with what people said on this disk.

    Raises:
        ConfigError: The answers, or the key to them, cannot be read or made.
    """
    directory = Path(settings.consent.directory)
    key_file = KeyFile(directory / KEY_NAME, setting="OtelConsent.directory")
    return build_consent(settings, Answers(directory), key_file)


def open_permits(settings: Settings) -> Permits:
    """Return the judge of settings; it reads the answers on this disk.

    At level none no policy is in force here: whoever sends then what others left, a
    command without the server's configuration for one, must not throw it away.

    Raises:
        ConfigError: They cannot be read.
    """
    if settings.policy.level == Level.NONE:
        return open_bystanders_permits(settings)
    answers = Answers(Path(settings.consent.directory))
    return Permits(build_consent(settings, answers), policy_revision(settings))


def open_bystanders_permits(settings: Settings) -> Permits:
    """Return the judge of a process that has no policy: it heeds who said no.

    Raises:
        ConfigError: The answers on this disk cannot be read.
    """
    answers = Answers(Path(settings.consent.directory))
    return Permits(Consent(mode=ConsentMode.OPT_OUT, answers=answers), None)


def build_consent(
    settings: Settings, answers: Answers | None = None, key_file: KeyFile | None = None
) -> Consent:
    """Return the consent of settings; without answers it says who decides."""
    groups = settings.consent.groups
    modes = {Group(name): ConsentMode(mode) for name, mode in groups.items()}
    mode = ConsentMode(settings.consent.mode)
    if key_file is None:
        return Consent(mode=mode, groups=modes, answers=answers)
    return Consent(mode=mode, groups=modes, answers=answers, key=key_file.load())


def policy_revision(settings: Settings) -> str:
    """Return a short name of the policy, another one whenever it changes."""
    policy: dict[str, Any] = settings.policy.trait_values(config=True)
    level, identity = policy.pop("level"), policy.pop("identity")
    code = policy.pop("code") or ("hash" if level == Level.AUDIT else "none")
    files = [Path(file).read_text(encoding="utf-8") for file in settings.policy.files]
    text = json.dumps([policy, files], sort_keys=True, default=str)
    rest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{level}-{identity}-{code}-{rest}"


def permits_at_least(now: str, then: str) -> bool:
    """Return whether a policy surely lets all through that another one did.

    By their revisions; whether lists and files that differ are stricter cannot be
    seen from them, and then the answer is no.
    """
    ours, theirs = now.split("-"), then.split("-")
    if len(ours) != _PARTS or len(theirs) != _PARTS or ours[3] != theirs[3]:
        return False
    scales = (tuple(Level), _IDENTITIES, _CODES)
    return all(
        _rank(scale, word) >= _rank(scale, other)
        for scale, word, other in zip(scales, ours, theirs, strict=False)
    )


def _rank(scale: tuple[str, ...], word: str) -> int:
    return scale.index(word) if word in scale else len(scale)
