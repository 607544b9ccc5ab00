"""What looks like a setting of ours in a configuration, and is none."""

from collections.abc import Iterable
from difflib import get_close_matches

from traitlets.config import Config, Configurable


def take_out_unknown(config: Config, kinds: Iterable[type[Configurable]]) -> list[str]:
    """Remove what looks like ours and is not; return a line for each."""
    known = {kind.__name__: kind for kind in kinds}
    complaints = []
    for section, values in config.items():
        if section in known:
            complaints += _take_out_traits(known[section], values)
        elif near := get_close_matches(section, known, n=1, cutoff=0.8):
            complaints.append(
                f"{section} is not a class of settings. Did you mean {near[0]}?"
            )
    return complaints


def _take_out_traits(kind: type[Configurable], values: Config) -> list[str]:
    traits = kind.class_traits(config=True)
    complaints = []
    for name in [name for name in values if name not in traits]:
        if isinstance(values[name], Config):
            continue
        near = get_close_matches(name, traits, n=1)
        setting = f"{kind.__name__}.{name}"
        cure = f"Did you mean {kind.__name__}.{near[0]}?" if near else ""
        cure = cure or f"Its settings: {', '.join(traits)}."
        complaints.append(f"{setting} is not a setting. {cure}")
        del values[name]
    return complaints
