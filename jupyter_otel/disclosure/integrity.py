"""Who could forge or suppress which records: what an auditor has to know.

The words follow the design: a record is worth what the account is worth that made it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from jupyter_otel.disclosure.collected import RELAY, Collected


class Exposure(NamedTuple):
    """What somebody could do to records, and what they could not."""

    who: str
    could: str
    could_not: str


TRUST = (
    "Each record says in jupyter.trust who vouches for it. hub: JupyterHub made it. "
    "server: the process that sent it, which checked and attributed it. client: a "
    "browser or a kernel claimed it, and its content is that claim. Who the person is "
    "(user.*) is taken from the server's own sign-in, never from an event's data."
)


def exposures(collected: Collected) -> Iterator[Exposure]:
    """Yield who could do what under a policy, the weakest first."""
    yield Exposure(
        "A browser or a kernel (jupyter.trust=client)",
        "State anything within the schemas as the content of its own events, and leave "
        "events out.",
        "Name another person, raise its trust, or send what no schema declares.",
    )
    if any(road.name == RELAY and road.is_open for road in collected.roads):
        yield Exposure(
            "Code in a kernel, through the relay",
            "Send any logs, spans and metrics of its own, marked jupyter.trust=client, "
            "as the person who started the kernel: also when another one's code runs "
            "in it.",
            "Name another kernel or person in user.* or jupyter.*, or call its data by "
            "the name of an event of ours.",
        )
    yield Exposure(
        "An extension in the server's process",
        "Emit events of any schema, with jupyter.trust=server.",
        "Change what policy does to them without changing the process itself.",
    )
    yield Exposure(
        "The person whose server it is, and all code in their kernels",
        "They share the server's account (unless kernels run elsewhere): forge, change "
        "or suppress every record of this server until it is sent, read the hash key "
        "and the export credentials that this account can read, and with them send "
        "records in any name.",
        "Change what the receiver already has. Touch the records that JupyterHub "
        "itself makes, or those of other servers. Where a Hub's relay alone holds the "
        "key and stamps the identity: have a record attributed to anybody else.",
    )
    yield Exposure(
        "Administrators of this server",
        "Change what is collected. The policy's revision changes with it "
        f"(now {collected.revision}).",
        "Do so within a running server: settings are read when it starts.",
    )
    yield _network(collected)
    yield Exposure(
        "Whoever runs the receiver",
        "Read, keep, change and delete all that arrived. What is done there, and how "
        "long it stays, is not covered by this sheet.",
        "Read hashed values without the key, or see what never leaves.",
    )


def _network(collected: Collected) -> Exposure:
    plain = [one.place for one in collected.destinations if one.is_encrypted is False]
    who = "Anybody on the network between here and the receiver"
    if plain:
        return Exposure(
            who,
            "Read, change and suppress records: they travel unencrypted to "
            f"{', '.join(dict.fromkeys(plain))}.",
            "Nothing is out of reach but what never leaves. Use https.",
        )
    if any(one.is_encrypted for one in collected.destinations):
        return Exposure(
            who,
            "Suppress records by cutting the line; they wait here meanwhile.",
            "Read or change them: they travel encrypted (TLS).",
        )
    return Exposure(
        who,
        "Nothing: records stay on this machine.",
        "Anything. Whoever can read the files here can read them.",
    )
