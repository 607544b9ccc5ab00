"""What to tell people when a receiver was not reached: the cause, and the cure."""

import socket
import ssl

from requests.exceptions import ProxyError, ReadTimeout, SSLError

from jupyter_otel.export.checks import public_url
from jupyter_otel.export.settings import ExportSettings


def explain(
    error: Exception, settings: ExportSettings, *, timed_out: bool = False
) -> str:
    """Return one line about a request that got no answer; never data or headers.

    Args:
        error: What a library made of it.
        settings: Of the request.
        timed_out: Whether we cut it off: then the error is what that looked like.
    """
    name = public_url(settings.endpoint)
    cause = _innermost(error)
    if timed_out:
        cause = TimeoutError()
        error = error if isinstance(error, ProxyError) else ReadTimeout()
    reason = getattr(cause, "strerror", None) or type(cause).__name__
    cure = _cure(error, cause, settings.endpoint_setting)
    return f"no answer from {name} ({reason}): {cure}"


def _innermost(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


_CURES: tuple[tuple[type[BaseException], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "set OtelExport.certificate_file to the authority that signed it",
    ),
    (SSLError, "check that the receiver speaks TLS, and its certificates"),
    (ProxyError, "check the proxy in HTTP_PROXY, HTTPS_PROXY and NO_PROXY"),
    (ReadTimeout, "look at the receiver's load, or raise OtelExport.timeout_s"),
    (socket.gaierror, "check the host's name in {setting}"),
    (ConnectionResetError, "the receiver closed the connection: its own log says why"),
)
"""By what was raised or what caused it; the first that fits."""


def _cure(error: Exception, cause: BaseException, setting: str) -> str:
    for kind, cure in _CURES:
        if isinstance(error, kind) or isinstance(cause, kind):
            return cure.format(setting=setting)
    return f"check that a receiver listens at {setting}"
