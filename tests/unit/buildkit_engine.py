"""The engine's end of BuildKit's protocol, for tests without an engine; based on h2, not on the tested code."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

import h2.config
import h2.connection
import h2.events
import h2.settings


class Peer:
    """A step-by-step gRPC client over a socket that behaves like grpc-go."""

    def __init__(self, sock: socket.socket, *, window: int | None = None) -> None:
        self.sock = sock
        sock.settimeout(10)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(
                client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window}
            )
        self.h2.initiate_connection()
        self.data: dict[int, bytearray] = {}
        self.headers: dict[int, dict[str, str]] = {}
        self.ended: set[int] = set()
        self.reset: set[int] = set()
        self.hold = False  # receive no more than the window allows
        self.flush()

    def flush(self) -> None:
        self.sock.sendall(self.h2.data_to_send())

    def start(self, path: str, metadata: Iterable[tuple[str, str]] = ()) -> int:
        number = self.h2.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
        self.h2.send_headers(number, [*head, ("content-type", "application/grpc"), ("te", "trailers"), *metadata])
        self.data[number], self.headers[number] = bytearray(), {}
        self.flush()
        return number

    def send(self, number: int, message: bytes, *, end: bool = False) -> None:
        rest = struct.pack(">BI", 0, len(message)) + message
        while rest:
            room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            if room <= 0:
                self.step()
                continue
            self.h2.send_data(number, rest[:room])
            rest = rest[room:]
            self.flush()
        if end:
            self.end(number)

    def end(self, number: int) -> None:
        self.h2.end_stream(number)
        self.flush()

    def step(self) -> bool:
        """Process received data; return False at the end of the connection."""
        data = self.sock.recv(65536)
        if not data:
            return False
        for event in self.h2.receive_data(data):
            number = getattr(event, "stream_id", None)
            if isinstance(event, h2.events.DataReceived):
                self.data[number] += event.data
                if not self.hold:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, number)
            elif isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                self.headers[number].update(event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(number)
            elif isinstance(event, h2.events.StreamReset):
                self.reset.add(number)
        self.flush()
        return True

    def message(self, number: int) -> bytes | None:
        """Return the next message of a call; None at its end."""
        buffer = self.data[number]
        while True:
            if len(buffer) >= 5:
                size = int.from_bytes(buffer[1:5], "big")
                if len(buffer) >= 5 + size:
                    message = bytes(buffer[5 : 5 + size])
                    del buffer[: 5 + size]
                    return message
            if number in self.ended or number in self.reset or not self.step():
                return None

    def unary(self, path: str, message: bytes = b"", metadata: Iterable[tuple[str, str]] = ()) -> bytes | None:
        """Make a call with one request and one response."""
        number = self.start(path, metadata)
        self.send(number, message, end=True)
        response = self.message(number)
        while self.message(number) is not None:
            pass
        self.last = number
        return response

    def status(self, number: int | None = None) -> tuple[int, str]:
        headers = self.headers[self.last if number is None else number]
        return int(headers["grpc-status"]), headers.get("grpc-message", "")

    def close(self) -> None:
        self.sock.close()
