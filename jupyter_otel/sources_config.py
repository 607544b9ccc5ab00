"""Every setting about sources; ``config.py`` has the others and reads all.

What a source does is in ``sources/``, how it is wired in ``hosts/``.
"""

from traitlets import Bool, Float
from traitlets.config import Configurable

from jupyter_otel.setting_types import Seconds, Switch


class OtelSources(Configurable):
    """Which sources are listened to. The level still decides what leaves."""

    jupyter_events: Bool[bool, bool] = Switch(
        default_value=True,
        help="""Whether events of Jupyter's own event bus are taken in.

        Listening makes the bus validate: a producer's invalid event then raises in
        the producer.
        """,
    ).tag(config=True)

    executions: Bool[bool, bool] = Switch(
        default_value=True,
        help="""Whether executions in kernels are recorded, with their spans.""",
    ).tag(config=True)

    heartbeat_s: Float[float, float] = Seconds(
        or_zero=True,
        default_value=60.0,
        help="""How often a long execution is reported while it runs (seconds).

        Shows what has been running for hours, or ran when a machine died. 0: never.
        """,
    ).tag(config=True)

    http_requests: Bool[bool, bool] = Switch(
        default_value=True,
        help="""Whether HTTP requests are recorded, with their spans.

        By the class that answers them; never a URL, path, query or header.
        """,
    ).tag(config=True)

    http_polling: Bool[bool, bool] = Switch(
        default_value=False,
        help="""Whether requests that front ends repeat by themselves are recorded too.

        Looks at status, kernels, sessions, terminals and kernel specifications, static
        files, metrics, and all requests below ``otel/v1``. Without it they are recorded
        only where the server failed, or where an event happened inside.
        """,
    ).tag(config=True)

    sign_ins: Bool[bool, bool] = Switch(
        default_value=True,
        help="""Whether sign-ins, failed ones, sign-outs and refusals are recorded.

        Never a token, a password or the name that was tried.
        """,
    ).tag(config=True)

    terminals: Bool[bool, bool] = Switch(
        default_value=True,
        help="""Whether it is recorded that terminals open and close.

        Never what is typed or shown in them.
        """,
    ).tag(config=True)

    datasets: Bool[bool, bool] = Switch(
        default_value=False,
        help="""Whether it is recorded which data people open.

        Kernels that have jupyter-otel-kernel report what cells read and write (level
        audit; needs executions too), the server which documents are opened (usage).
        Those are heard on the event bus, which then validates as for jupyter_events.
        """,
    ).tag(config=True)

    otlp_relay: Bool[bool, bool] = Switch(
        default_value=False,
        help="""Whether OpenTelemetry data of code in kernels is passed on.

        Kernels find otel/v1/{logs,traces,metrics} and a token of their own in their
        environment. The data is stamped with its person and kernel and passed on as
        it comes, not redacted; people allow it as group extensions.
        """,
    ).tag(config=True)
