"""A server that thinks as long as it is asked to: HTTP/1.1, HTTP/2 without TLS, or HTTPS.

    python bench/request_server.py http1|http2|h2c|https PORT [KEY.pem]

With h2c each connection begins with HTTP/1.1, and is upgraded by its first request.

``GET /THINK/SIZE`` is answered after THINK milliseconds, with SIZE bytes.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, WindowUpdated


def asked(path: str) -> bytes:
    """Think, and give the body that a path asks for."""
    think, size = path.strip("/").split("/")
    time.sleep(int(think) / 1000)
    return b"x" * int(size)


class Handler(BaseHTTPRequestHandler):
    """Answers with one write, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20

    def do_GET(self) -> None:
        """Answer."""
        body = asked(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """One that looks up no name, which may take long, and has room for who comes at once."""

    request_queue_size = 100

    def server_bind(self) -> None:
        """Bind, and leave it at that."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


def serve_http2(connection: socket.socket, upgrades: bool) -> None:
    """One connection of HTTP/2; bodies wait for the window."""
    talk = H2Connection(H2Configuration(client_side=False))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bodies: dict[int, bytes] = {}
    if upgrades:
        bodies[1] = upgraded(connection, talk)
        talk.send_headers(1, [(":status", "200")])
    else:
        talk.initiate_connection()
    connection.sendall(talk.data_to_send())
    while data := connection.recv(65536):
        for event in talk.receive_data(data):
            if isinstance(event, RequestReceived):
                assert event.stream_id is not None
                path = dict(event.headers or [])[b":path"].decode()
                bodies[event.stream_id] = asked(path)
                talk.send_headers(event.stream_id, [(":status", "200")])
            elif isinstance(event, DataReceived | WindowUpdated):
                pass
        for stream in list(bodies):
            send(talk, stream, bodies)
        connection.sendall(talk.data_to_send())


def upgraded(connection: socket.socket, talk: H2Connection) -> bytes:
    """Switch to HTTP/2 as a request of HTTP/1.1 asks; returns the body that it asks for."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    first, *lines = head.decode().splitlines()
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    talk.initiate_upgrade_connection(fields["http2-settings"].encode())
    switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    connection.sendall(switch.encode())
    return asked(first.split()[1])


def send(talk: H2Connection, stream: int, bodies: dict[int, bytes]) -> None:
    """Send as much of a body as there is room for."""
    while stream in bodies:
        room = min(talk.local_flow_control_window(stream), talk.max_outbound_frame_size)
        part, bodies[stream] = bodies[stream][:room], bodies[stream][room:]
        over = not bodies[stream]
        if not part and not over:
            return
        talk.send_data(stream, part, end_stream=over)
        if over:
            del bodies[stream]


def main(protocol: str, port: str, key: str = "") -> None:
    """Serve until the process is stopped."""
    address = ("", int(port))
    if protocol in ("http2", "h2c"):
        with socket.create_server(address, backlog=100) as listener:
            while True:
                connection, _ = listener.accept()
                served = connection, protocol == "h2c"
                threading.Thread(target=serve_http2, args=served, daemon=True).start()
    with Server(address, Handler) as server:
        if protocol == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
