"""What to tell people when a receiver was not reached: the cause, and the cure."""

import ssl

import requests

from jupyter_otel.export.checks import public_url
from jupyter_otel.export.settings import ExportSettings


def explain(error: Exception, settings: ExportSettings) -> str:
    """Return one line about a request that got no answer; never data or headers."""
    name = public_url(settings.endpoint)
    cause = _innermost(error)
    reason = getattr(cause, "strerror", None) or type(cause).__name__
    cure = _cure(error, cause, settings.endpoint_setting)
    return f"no answer from {name} ({reason}): {cure}"


def _innermost(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def _cure(error: Exception, cause: BaseException, setting: str) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "set OtelExport.certificate_file to the authority that signed it"
    if isinstance(error, requests.exceptions.SSLError):
        return "check that the receiver speaks TLS, and its certificates"
    if isinstance(error, requests.exceptions.ProxyError):
        return "check the proxy in HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
    if isinstance(error, requests.exceptions.ReadTimeout):
        return "look at the receiver's load, or raise OtelExport.timeout_s"
    return f"check that a receiver listens at {setting}"
