"""Small servers on the host's loopback for tests of what a machine reaches: each remembers who came."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Serve = Callable[[socket.socket], None]


@dataclass
class Server:
    """A TCP server of a test's own."""

    port: int
    visits: list[int] = field(default_factory=list)


@contextmanager
def serving(serve: Serve, address: str = "127.0.0.1") -> Iterator[Server]:
    """Let `serve` have every connection, on a thread of its own, during the block."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen(512)
        server = Server(listener.getsockname()[1])

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.settimeout(60)
                serve(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, peer = listener.accept()
                    server.visits.append(peer[1])
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def hello(connection: socket.socket) -> None:
    """Answer any request with a greeting."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello\n")


def redirecting(location: str) -> Serve:
    """Send whoever asks elsewhere."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())

    return serve


def sized(connection: socket.socket) -> None:
    """Read to the end, and only then say how much it was: nobody who closes both ways at once hears it."""
    size = 0
    while data := connection.recv(65536):
        size += len(data)
    connection.sendall(f"{size}\n".encode())
