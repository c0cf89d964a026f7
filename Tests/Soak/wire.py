"""HTTP/1.1 by hand, for what clients of libraries do not let one do: go away in the middle, send what is no HTTP."""

import asyncio
import json
import socket
import struct

# What may be said to who is not answered, beside a status and a code.
CLOSED = "closed without a word"
CUT = "200, cut"
BARE = "400 without a body"


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


async def connect(port):
    connection = socket.socket()
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


async def answer(connection):
    """The status and code of the server's refusal, or what else it said, once it has closed."""
    received = b""
    try:
        while piece := await asyncio.get_running_loop().sock_recv(connection, 1 << 16):
            received += piece
    except OSError:
        pass
    if not received:
        return CLOSED
    head, _, body = received.partition(b"\r\n\r\n")
    status = head.split(b" ")[1:2]
    if status == [b"200"]:
        return "200, whole" if b'"finish_reason":"length"' in body else CUT
    if status == [b"400"] and not body:
        return BARE
    try:
        return f"{status[0].decode()} {json.loads(body)['error']['code']}"
    except (IndexError, KeyError, ValueError):
        return f"no refusal: {received[:60]!r}"


async def talk(port, pieces):
    """Sends what `pieces` gives, and what it gives is a time to wait or bytes, until the server has closed."""
    connection = await connect(port)
    loop = asyncio.get_running_loop()

    async def send():
        try:
            for piece in pieces:
                if isinstance(piece, bytes):
                    await loop.sock_sendall(connection, piece)
                elif piece is None:
                    connection.shutdown(socket.SHUT_WR)
                else:
                    await asyncio.sleep(piece)
        except OSError:
            pass

    sending = asyncio.create_task(send())
    try:
        return await answer(connection)
    finally:
        sending.cancel()
        # Before the socket's number is free for another.
        await asyncio.gather(sending, return_exceptions=True)
        connection.close()
