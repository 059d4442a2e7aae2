"""A throw-away proxy, server and client for the tests of the redirect. Python's standard library only.

    l7.py relay FOLDER_OF_PINS      accepts what the datapath hands over, and decides by the path of each connection's first request
    l7.py server PORT               answers requests: the peer's address, bytes, or what it got
    l7.py client                    reads commands (JSON, one a line), prints an answer for each (JSON)
"""
import asyncio
import ctypes
import errno
import json
import os
import resource
import socket
import struct
import sys
import time

IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75
ALLOWED = "/api/"


def plain(address):
    return address[7:] if address.startswith("::ffff:") else address


# ---- the proxy ----


def register(pins, descriptor):
    """Puts a listening socket into np_listeners: bpf(BPF_OBJ_GET), bpf(BPF_MAP_UPDATE_ELEM)."""
    libc = ctypes.CDLL(None, use_errno=True)
    path = ctypes.create_string_buffer(f"{pins}/np_listeners".encode())
    attributes = ctypes.create_string_buffer(struct.pack("<QII", ctypes.addressof(path), 0, 0), 128)
    table = libc.syscall(321, 7, attributes, 128)
    if table < 0:
        sys.exit(f"np_listeners: errno {ctypes.get_errno()}")
    key = ctypes.create_string_buffer(struct.pack("<I", 0), 4)
    value = ctypes.create_string_buffer(struct.pack("<Q", descriptor), 8)
    attributes = ctypes.create_string_buffer(
        struct.pack("<IIQQQ", table, 0, ctypes.addressof(key), ctypes.addressof(value), 0), 128)
    if libc.syscall(321, 2, attributes, 128) < 0:
        sys.exit(f"np_listeners: errno {ctypes.get_errno()}")


def dial(client, server):
    """A socket that is the client, to the server."""
    family = socket.AF_INET if "." in server[0] else socket.AF_INET6
    upstream = socket.socket(family, socket.SOCK_STREAM)
    upstream.setblocking(False)
    upstream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET:
        upstream.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
    else:
        upstream.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
    upstream.bind(client)
    return upstream


def mark(data):
    """Says in the head of a request, if it is one, that it went through here."""
    return data.replace(b"\r\n\r\n", b"\r\nx-proxied: 1\r\n\r\n", 1) if data.startswith(b"POST ") else data


async def pump(reader, writer, change=lambda data: data):
    try:
        while data := await reader.read(65536):
            writer.write(change(data))
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()
        raise


async def reach(client, server):
    """A connection to the server. That of the client's former one with the same ends may not have heard of its end yet."""
    end = time.monotonic() + 1
    while True:
        upstream = dial(client, server)
        try:
            await asyncio.get_running_loop().sock_connect(upstream, server)
            return upstream
        except OSError as error:
            upstream.close()
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EADDRINUSE) or time.monotonic() > end:
                raise
        await asyncio.sleep(0.005)


connected = set()


async def carry(reader, writer):
    # The loop alone does not keep it.
    connected.add(asyncio.current_task())
    transports = [writer.transport]
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        if not path.startswith(ALLOWED):
            writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 15\r\n\r\nAccess denied\r\n")
            await writer.drain()
            writer.close()
            return
        client = writer.get_extra_info("peername")
        server = writer.get_extra_info("sockname")
        server = (plain(server[0]), server[1])
        upstream = await reach((plain(client[0]), client[1]), server)
        above, below = await asyncio.open_connection(sock=upstream)
        transports.append(below.transport)
        below.write(mark(head))
        await asyncio.gather(pump(reader, below, mark), pump(above, writer))
        below.close()
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        for transport in transports:
            sock = transport.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
    finally:
        connected.discard(asyncio.current_task())


async def relay(pins):
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::", 15001))
    listener.listen(8192)
    server = await asyncio.start_server(carry, sock=listener, backlog=8192)
    register(pins, listener.fileno())
    print("ready", flush=True)
    await server.serve_forever()


# ---- the server ----


connections = 0


async def answer(reader, writer):
    global connections
    connections += 1
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            path = lines[0].split(" ")[1]
            fields = {line.split(":")[0].lower(): line.split(":")[1].strip() for line in lines[1:] if ":" in line}
            words = path.split("/")
            if path == "/count":
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(str(connections))}\r\n\r\n{connections}".encode())
                await writer.drain()
                continue
            body = f"{plain(writer.get_extra_info('peername')[0])} {path} proxied={sum(line.startswith('x-proxied:') for line in lines)}"
            if "upload" in words:
                total = 0
                for _ in range(int(fields["content-length"]) // 65536 + 1):
                    want = min(65536, int(fields["content-length"]) - total)
                    total += len(await reader.readexactly(want))
                body = f"got {total}"
            elif "until-end" in words:
                body = f"got {len(await reader.read(-1))}"
            elif "reset" in words:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            elif "download" in words:
                left = int(words[-1])
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {left}\r\n\r\n".encode())
                while left:
                    part = min(left, 65536)
                    writer.write(b"x" * part)
                    await writer.drain()
                    left -= part
                continue
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
            await writer.drain()
            if "until-end" in words:
                break
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def serve(port):
    server = await asyncio.start_server(answer, host=None, port=port, backlog=8192, reuse_address=True)
    print("ready", flush=True)
    await server.serve_forever()


# ---- the client ----


async def receive(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().split("content-length:")[1].split("\r\n")[0])
    return await reader.readexactly(length)


async def request(command):
    """One request on a connection of its own; what came back, or what went wrong."""
    body = command.get("body", 0)
    local = ("0.0.0.0" if "." in command["to"] else "::", command["from_port"]) if "from_port" in command else None
    sock = socket.socket(socket.AF_INET if "." in command["to"] else socket.AF_INET6, socket.SOCK_STREAM)
    sock.setblocking(False)
    if local:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(local)
    begin = time.monotonic()
    writer = None
    command["stage"] = "connecting"
    try:
        await asyncio.get_running_loop().sock_connect(sock, (command["to"], command.get("port", 80)))
        command["stage"] = f"connected from port {sock.getsockname()[1]}"
        reader, writer = await asyncio.open_connection(sock=sock)
        length = "" if command.get("until_end") else f"content-length: {body}\r\n"
        writer.write(f"POST {command['path']} HTTP/1.1\r\nhost: x\r\n{length}\r\n".encode())
        left = body
        while left:
            part = min(left, 65536)
            writer.write(b"y" * part)
            await writer.drain()
            left -= part
        if command.get("until_end"):
            writer.write_eof()
        got = await receive(reader)
        if command.get("reset"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()
        return {"body": got.decode() if len(got) < 1000 else "", "length": len(got)}
    except (OSError, asyncio.IncompleteReadError) as error:
        if writer is None:
            sock.close()
        else:
            writer.transport.abort()
            await asyncio.sleep(0)
        return {"error": type(error).__name__, "after": time.monotonic() - begin}


async def limited(command):
    try:
        return await asyncio.wait_for(request(command), command.get("seconds", 5))
    except (asyncio.TimeoutError, TimeoutError):
        return {"error": "TimeoutError", "after": command.get("seconds", 5)}


async def many(command):
    """`count` requests, at most `width` at a time; how many had each outcome."""
    gate = asyncio.Semaphore(command.get("width", 100))
    results = {}

    async def one(number):
        ports = command.get("ports")
        single = dict(command)
        if ports:
            single["from_port"] = 9000 + number % ports
        async with gate:
            result = await limited(single)
        key = result.get("error") or result["body"]
        if key == "TimeoutError":
            key = f"TimeoutError, {single['stage']}"
        results[key] = results.get(key, 0) + 1

    await asyncio.gather(*(one(number) for number in range(command["count"])))
    return results


async def hold(command, opened):
    """A connection that stays open under the name `hold`, for more requests."""
    name = command["hold"]
    try:
        if name not in opened:
            opened[name] = await asyncio.wait_for(
                asyncio.open_connection(command["to"], command.get("port", 80)), command.get("seconds", 5))
        reader, writer = opened[name]
        if "read" in command:
            total = 0
            while data := await asyncio.wait_for(reader.read(65536), command.get("seconds", 5)):
                total += len(data)
            return {"length": total}
        writer.write(f"POST {command['path']} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        if command.get("unread"):
            return {}
        got = await asyncio.wait_for(receive(reader), command.get("seconds", 5))
        return {"body": got.decode(), "length": len(got)}
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, TimeoutError) as error:
        return {"error": type(error).__name__}


async def client():
    opened = {}
    for line in sys.stdin:
        command = json.loads(line)
        if "hold" in command:
            result = await hold(command, opened)
        elif "count" in command:
            result = await many(command)
        else:
            result = await limited(command)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.argv[1] == "relay":
        asyncio.run(relay(sys.argv[2]))
    elif sys.argv[1] == "server":
        asyncio.run(serve(int(sys.argv[2])))
    else:
        asyncio.run(client())
