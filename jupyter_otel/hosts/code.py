"""Whether the sources of a host take executed code in at all."""

from jupyter_otel.config import OtelPolicy
from jupyter_otel.policy.policy import CodePolicy, Policy
from jupyter_otel.schema import Level


def takes_code(settings: OtelPolicy) -> bool:
    """Return whether anything leaves of executed code: what leaves is policy's."""
    stated = settings.code
    policy = Policy(
        level=Level(settings.level), code=CodePolicy(stated) if stated else None
    )
    return policy.code is not CodePolicy.NONE
