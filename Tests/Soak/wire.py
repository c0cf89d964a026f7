"""HTTP/1.1 by hand, for what clients of libraries do not let one do: go away in the middle, send what is no HTTP."""

import asyncio
import json
import socket
import struct


class Gone(Exception):
    """The server closed the connection before the end of an answer."""


def post(path, body, *headers):
    """The bytes of a request; the body's length is told."""
    lines = [f"POST {path} HTTP/1.1", "Host: soak", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def post_json(path, fields, *headers):
    return post(path, json.dumps(fields).encode(), *headers)


class Connection:
    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.status = None
        self.headers = {}

    @classmethod
    async def open(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24))

    async def send(self, data):
        """Sends all of it, or as much as the server lets: who is refused early has an answer to read."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            pass

    async def read_head(self):
        """Reads as far as the end of the headers. Returns the status."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Gone(f"no head: {error!r}") from error
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        self.status = int(first.split(" ")[1])
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        return self.status

    async def pieces(self):
        """The body as it comes, in the chunks of the server."""
        try:
            if "chunked" not in self.headers.get("transfer-encoding", ""):
                yield await self.reader.readexactly(int(self.headers.get("content-length", 0)))
                return
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                yield (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readuntil(b"\r\n")
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Gone(f"a body was cut: {error!r}") from error

    async def read_body(self):
        return b"".join([piece async for piece in self.pieces()])

    @property
    def stays_open(self):
        """By the last answer's headers."""
        return self.headers.get("connection", "").lower() != "close"

    async def closes(self, seconds):
        """Whether the server closes within that time; what it still sends is not looked at."""
        try:
            async with asyncio.timeout(seconds):
                while await self.reader.read(1 << 16):
                    pass
        except OSError:
            pass
        except TimeoutError:
            return False
        return True

    def finish_sending(self):
        self.writer.write_eof()

    def close(self):
        self.writer.close()

    def reset(self):
        """Goes without the courtesies: the other side sees ECONNRESET."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()
