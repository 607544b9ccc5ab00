"""Every setting about people's consent; ``config.py`` has the others and reads all.

What a setting does is in ``consent/`` and, for what people are shown, in ``hosts/``.
"""

from pathlib import Path

from jupyter_core.paths import jupyter_data_dir
from traitlets import Enum, Float, Unicode
from traitlets.config import Configurable

from jupyter_otel.setting_types import (
    Choice,
    ConsentModes,
    Hours,
    Place,
    PolicyUrl,
    Text,
)


class OtelConsent(Configurable):
    """Whether people are asked before their records leave, and what they are told."""

    mode: Enum[str] = Choice(
        ("opt_in", "opt_out", "mandatory"),
        default_value="opt_in",
        help="""Whether a person must agree: opt_in, opt_out or mandatory.

        With opt_in whatever a person causes is dropped until they say yes, kernel
        starts included. With mandatory they cannot choose and have to be told.
        """,
    ).tag(config=True)

    groups: ConsentModes = ConsentModes(
        help="""The mode of single groups of schemas, e.g. {'executions': 'opt_out'}.

        Groups: security, operations, executions, data, interface, extensions.
        security is mandatory, or off.
        """,
    ).tag(config=True)

    notice: Unicode[str, str] = Text(
        help="""What people are told: who collects, what for, on which legal ground.

        Plain text, shown on the page otel and by front ends; blank lines separate
        paragraphs. Unset, people read only what is made of the policy.
        """,
    ).tag(config=True)

    contact: Unicode[str, str] = Text(
        help="""Whom people may ask: a name, an address or a URL, as text.""",
    ).tag(config=True)

    policy_url: PolicyUrl = PolicyUrl(
        help="""URL of the whole privacy policy, http:// or https://.""",
    ).tag(config=True)

    recent_h: Float[float, float] = Hours(
        default_value=24.0,
        help="""How long a person can read again what left of theirs (hours).

        The records are kept beside the spool for it; 0 keeps none.
        """,
    ).tag(config=True)

    directory: Place = Place(
        lambda: Path(jupyter_data_dir()) / "jupyter_otel" / "consent",
        help="""Folder of people's answers, on a disk that outlives the server.

        Out of the box: jupyter_otel/consent in Jupyter's data directory. People
        stand in it as hashes under a key that lies beside them.
        """,
    ).tag(config=True)
