"""Describes forwards, to people and in reports."""

from __future__ import annotations

from rdo.config.forwards import Forward, ForwardKind
from rdo.forward.held_forward import AutomaticOwner, HeldForward
from rdo.forward.listening import IPV4, IPV6
from rdo.pool.target_pool import PoolUser


def description(held: HeldForward, name: str) -> dict[str, object]:
    """A forward of the target of that name, as specified in PROTOCOL.md."""
    process = next((owner for owner in held.owners if isinstance(owner, AutomaticOwner)), None)
    forward = held.forward._replace(listen=held.endpoint)
    return {
        "kind": forward.kind.value,
        "local": here(forward),
        "remote": there(forward, name),
        "auto": process is not None,
        "process": process.process if process else "",
        "pid": process.pid if process else 0,
        "profiles": [owner._asdict() for owner in held.owners if isinstance(owner, PoolUser)],
        "started": held.started,
        "failure": held.failure,
        **held.traffic._asdict(),
    }


def moved_line(held: HeldForward, name: str) -> str:
    """Where a forward listens."""
    return f"{route(held, name)}; {held.forward.listen.port} {held.moved} here" if held.moved else route(held, name)


def route(held: HeldForward, name: str) -> str:
    """From where to where a forward leads; `name` is the target's."""
    return configured_route(held.forward._replace(listen=held.endpoint), name)


def configured_route(forward: Forward, name: str) -> str:
    """The same for a forward that listens where it is meant to."""
    ends = (here(forward), there(forward, name))
    return " -> ".join(reversed(ends) if forward.kind is ForwardKind.REMOTE else ends)


def here(forward: Forward) -> str:
    """The end on this machine, or the destination that this machine connects to."""
    if forward.kind is ForwardKind.REMOTE and forward.is_proxy:
        return "this machine (SOCKS)"
    endpoint = forward.destination if forward.kind is ForwardKind.REMOTE else forward.listen
    return endpoint.path or (str(endpoint) if endpoint.host else f"localhost:{endpoint.port}")


def there(forward: Forward, name: str) -> str:
    """The end on the target, or the destination that the target connects to; `name` is the target's."""
    if forward.kind is ForwardKind.DYNAMIC:
        return f"{name} (SOCKS)"
    is_remote = forward.kind is ForwardKind.REMOTE
    endpoint = forward.listen if is_remote else forward.destination
    if endpoint.path:
        return f"{name}:{endpoint.path}"
    if is_remote or endpoint.host in ("localhost", IPV4, IPV6):
        return f"{name}:{endpoint.port}"
    return f"{endpoint} by {name}"
