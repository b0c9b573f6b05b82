"""Ports and Unix sockets on which the server listens for us, and the connections made to them."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence

from rdo.config.forwards import Endpoint
from rdo.drivers.ssh import forward_messages
from rdo.drivers.ssh.channel import SshChannel
from rdo.drivers.ssh.direct_stream import ForwardedStream
from rdo.drivers.ssh.fields import Body, Violation
from rdo.drivers.ssh.forward_messages import PORT_STREAM, SOCKET_STREAM
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost, SetupError

ANSWER_TIMEOUT = 15.0
"""Seconds for the server to listen, or to refuse."""

STREAM_LIMIT = 1024
"""Connections to one of them at a time. Each may take some memory here, and the target decides how many there are."""

FIRST_UNRESERVED = 1024
"""Ports below it are reserved for root."""

LOOPBACK_ADDRESSES = ("127.0.0.1", "::1")

Accept = Callable[[ForwardedStream], None]


class SshListener:
    """The RemoteListener of rdo.drivers.target_stream."""

    def __init__(self, transport: SshTransport, target: str, endpoint: Endpoint, accept: Accept) -> None:
        self.endpoint = endpoint
        self._transport = transport
        self._target = target
        self._accept = accept
        self._lock = threading.Lock()
        """Guards the number of open connections."""
        self._open = 0
        self.is_closed = False

    @property
    def ended(self) -> bool:
        """See the interface."""
        return self.is_closed or self._transport.ended.is_set()

    def close(self) -> None:
        """See the interface."""
        if not self.ended:
            self.is_closed = True
            with contextlib.suppress(LinkLost):
                self._transport.outbox.send(forward_messages.stop_listening(self.endpoint), lambda answer: None)

    def accept(self) -> SshChannel | None:
        """Our end of another connection, or None if there are too many. Called by the transport."""
        with self._lock:
            if self.is_closed or self._open >= STREAM_LIMIT:
                return None
            self._open += 1
        stream = ForwardedStream(self._transport, self._target, self._forget)
        self._accept(stream)
        return stream.channel

    def _forget(self) -> None:
        with self._lock:
            self._open -= 1


class LoopbackListener:
    """The same on all loopback addresses."""

    def __init__(self, endpoint: Endpoint, listeners: Sequence[SshListener]) -> None:
        self.endpoint = endpoint
        self._listeners = listeners

    @property
    def ended(self) -> bool:
        """See the interface."""
        return all(each.ended for each in self._listeners)

    def close(self) -> None:
        """See the interface."""
        for each in self._listeners:
            each.close()


class RemoteListeners:
    """The listeners of a connection. Thread-safe."""

    def __init__(self, transport: SshTransport, target: str) -> None:
        self._transport = transport
        self._target = target
        self._listeners: list[SshListener] = []  # replaced as a whole: the transport reads it without a lock
        transport.open_channels.take_streams(PORT_STREAM, self._accept_port)
        transport.open_channels.take_streams(SOCKET_STREAM, self._accept_socket)

    def listen(self, at: Endpoint, accept: Accept) -> SshListener | LoopbackListener:
        """See the interface. Raises SetupError, LinkLost.

        If `at` has no address, both loopback addresses are requested separately: for `localhost`, which ssh(1)
        requests, sshd is content with one of them, and somebody else may have the other. A server that only permits
        `localhost` (PermitListen) forbids both.
        """
        if at.path or at.host:
            return self._listen(at, accept)
        try:
            first = self._listen(at._replace(host=LOOPBACK_ADDRESSES[0]), accept)
        except SetupError:
            if self._transport.ended.is_set() or not self._transport.debug:
                raise
            return self._listen(at, accept)
        second = at._replace(host=LOOPBACK_ADDRESSES[1], port=first.endpoint.port)
        listeners = [first]
        with contextlib.suppress(SetupError):  # the server has no IPv6
            listeners.append(self._listen(second, accept))
        return LoopbackListener(at._replace(port=first.endpoint.port), listeners)

    def _listen(self, at: Endpoint, accept: Accept) -> SshListener:
        answers: queue.SimpleQueue[SshListener | Violation | None] = queue.SimpleQueue()
        is_late = threading.Event()

        def answered(body: bytes | None) -> None:
            try:
                listener = None if body is None else self._begin(at, body, accept)
            except Violation as error:  # this ends the connection
                answers.put(error)
                raise
            if listener and is_late.is_set():
                listener.is_closed = True  # further connections are refused
            answers.put(listener)

        self._transport.debug = ""
        self._transport.outbox.send(forward_messages.listen(at), answered)
        try:
            listener = answers.get(timeout=ANSWER_TIMEOUT)
        except queue.Empty:
            is_late.set()
            raise self._refused(at, f"no answer within {ANSWER_TIMEOUT:.0f} s") from None
        if not isinstance(listener, SshListener):
            raise self._refused(at, str(listener or self._why(at)))
        return listener

    def _begin(self, at: Endpoint, body: Body, accept: Accept) -> SshListener:
        """Called by the transport, so that no connection arrives before. Raises Violation."""
        endpoint = at if at.path or at.port else at._replace(port=forward_messages.chosen_port(body))
        listener = SshListener(self._transport, self._target, endpoint, accept)
        self._listeners = [*(other for other in self._listeners if not other.ended), listener]
        return listener

    def _refused(self, at: Endpoint, why: str) -> SetupError:
        at = at._replace(host="") if at.host in LOOPBACK_ADDRESSES else at
        hint = "choose another port there, as in `4001:localhost:4000`"
        if at.path:
            hint = "if nobody uses it, remove it there; sshd does not (StreamLocalBindUnlink)"
        elif 0 < at.port < FIRST_UNRESERVED:  # sshd's message for these is that port forwarding is disabled
            hint = "only root may have a port below 1024 there; choose another, as in `8080:localhost:80`"
        elif self._transport.debug:
            hint = "have its sshd_config allow it (AllowTcpForwarding, PermitListen)"
        return SetupError(f"`{self._target}` does not listen on `{at}`", why, hint)

    def _why(self, at: Endpoint) -> str:
        if self._transport.ended.is_set():
            return self._transport.disconnect_reason or "the server closed the connection"
        if self._transport.debug:
            return f"it says `{self._transport.debug}`"
        option = "AllowStreamLocalForwarding" if at.path else "AllowTcpForwarding"
        return f"it is in use there, or the server forbids it ({option})"

    def _accept_port(self, details: Body) -> SshChannel | None:
        host, port = forward_messages.port_of_stream(details)
        same_port = [each for each in self._listeners if not each.endpoint.path and each.endpoint.port == port]
        exact = [each for each in same_port if forward_messages.address(each.endpoint) == host]
        return self._accepted(exact or same_port)

    def _accept_socket(self, details: Body) -> SshChannel | None:
        path = forward_messages.path_of_stream(details)
        return self._accepted([each for each in self._listeners if each.endpoint.path == path])

    @staticmethod
    def _accepted(found: list[SshListener]) -> SshChannel | None:
        """A server must not open channels that nobody has asked for; ssh(1) refuses these, too."""
        return found[-1].accept() if found else None
