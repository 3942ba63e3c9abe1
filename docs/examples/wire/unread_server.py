"""A server that answers the first line of a request: ``unread_server.py PORT [--drain]``."""

import socket
import sys

with socket.create_server(("", int(sys.argv[1]))) as listener:
    connection, _ = listener.accept()
    with connection:
        connection.recv(16)
        connection.sendall(b"200 fine\r\n")
        if "--drain" in sys.argv:
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
