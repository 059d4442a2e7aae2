"""What pods send and servers get, byte for byte, for the tests of names. Python's standard library only.

    frames.py sink PORT         UDP on every address; for a line on standard input prints what has come: [[port, hex], ...]
    frames.py ends PORT         TCP on every address; for a line with {"seconds": n} prints how the next connection ended
    frames.py rests PORT        the same, and a connection on which nothing comes for a second has ended
    frames.py source            reads commands (JSON, one a line), prints an answer for each
    frames.py no-sums LINK      the interface makes no checksums: the kernel does, on the way out
"""
import ctypes
import fcntl
import json
import queue
import socket
import struct
import subprocess
import sys
import threading
import time

UDP_SEGMENT = 103
PACKET_VNET_HDR = 15
NEEDS_CSUM = 1
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21


def words(data, total=0):
    """The sum of 16-bit words, as checksums have it."""
    data += b"\0" * (len(data) % 2)
    total += sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def frame(command):
    """A frame of UDP or TCP whose checksum is still to be made, `place` bytes behind the start of its transport header."""
    source, destination = command["from"], command["to"]
    family = socket.AF_INET if "." in source else socket.AF_INET6
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    payload = bytearray.fromhex(command["payload"])
    ports = struct.pack("!HH", command["from_port"], command["port"])
    is_tcp = "sequence" in command
    if is_tcp:
        header = ports + struct.pack("!IIBBHHH", command["sequence"], command["acknowledges"], 5 << 4, 0x18, 65000, 0, 0)
        place = 16
    else:
        header = ports + struct.pack("!HH", 8 + len(payload), 0)
        place = 6
    number = 6 if is_tcp else 17
    pseudo = words(ends + struct.pack("!IHH", len(header) + len(payload), 0, number))
    header = header[:place] + struct.pack("!H", pseudo) + header[place + 2:]
    segment = bytearray(header + payload)
    if "wanted" in command:
        # Two bytes that nobody reads, so that what is written is what is wanted: the complement of the sum of all of it.
        free = len(header) + command["free"]
        segment[free:free + 2] = b"\0\0"
        need = ~command["wanted"] & 0xFFFF
        segment[free:free + 2] = struct.pack("!H", (need - words(bytes(segment))) % 0xFFFF)
        place = command["place"]
    if family == socket.AF_INET:
        network = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, number, 0) + ends
        network = network[:10] + struct.pack("!H", ~words(network) & 0xFFFF) + network[12:]
    else:
        network = struct.pack("!IHBB", 6 << 28, len(segment), number, 64) + ends
    with open("/sys/class/net/eth0/address") as file:
        own = bytes.fromhex(file.read().strip().replace(":", ""))
    kind = b"\x08\x00" if family == socket.AF_INET else b"\x86\xdd"
    start = 14 + len(network)
    hello = struct.pack("<BBHHHH", NEEDS_CSUM, 0, 0, 0, start, place)
    return hello + gateway(destination) + own + kind + network + bytes(segment)


def gateway(destination):
    """The hardware address of whoever routes to an address, which was sent to before."""
    family = "-4" if "." in destination else "-6"
    route = json.loads(subprocess.check_output(["ip", "-j", family, "route", "get", destination]))[0]
    hop = route.get("gateway", destination)
    for _ in range(100):
        for row in json.loads(subprocess.check_output(["ip", "-j", family, "neigh", "show", hop])):
            if "lladdr" in row:
                return bytes.fromhex(row["lladdr"].replace(":", ""))
        time.sleep(0.02)
    raise OSError("no gateway")


def send_frame(command):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.setsockopt(263, PACKET_VNET_HDR, 1)
    link.bind(("eth0", 0))
    link.send(frame(command))
    link.close()
    return {}


def send_datagrams(command):
    """Datagrams of equal length in one call, so that they are one packet until somebody cuts it."""
    data = [bytes.fromhex(text) for text in command["datagrams"]]
    sender = socket.socket(socket.AF_INET if "." in command["to"] else socket.AF_INET6, socket.SOCK_DGRAM)
    if command.get("together"):
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, len(data[0]))
        data = [b"".join(data)]
    for datagram in data:
        sender.sendto(datagram, (command["to"], command["port"]))
    sender.settimeout(command.get("seconds", 0.2))
    try:
        return {"body": sender.recv(4096).hex()}
    except OSError as error:
        return {"error": type(error).__name__}


def converse(command):
    """A TCP connection that sends parts, and what ends it."""
    begin = time.monotonic()
    peer = socket.socket(socket.AF_INET if "." in command["to"] else socket.AF_INET6)
    peer.settimeout(command.get("seconds", 3))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        peer.connect((command["to"], command["port"]))
        if command.get("as_frame"):
            peer.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            numbers = []
            for number in (2, 1):
                peer.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, number)
                numbers.append(peer.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) & 0xFFFFFFFF)
            peer.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
            own = peer.getsockname()
            send_frame({**command, "from": own[0], "from_port": own[1], "payload": command["parts"][0],
                        "sequence": numbers[0], "acknowledges": numbers[1]})
        else:
            for part in command["parts"]:
                peer.sendall(bytes.fromhex(part))
                time.sleep(0.02)
        got = peer.recv(65536)
        return {"body": got.hex(), "after": time.monotonic() - begin}
    except OSError as error:
        return {"error": type(error).__name__, "after": time.monotonic() - begin}
    finally:
        peer.close()


def source():
    for line in sys.stdin:
        command = json.loads(line)
        if "parts" in command:
            result = converse(command)
        elif "datagrams" in command:
            result = send_datagrams(command)
        else:
            result = send_frame(command)
        print(json.dumps(result), flush=True)


def sink(port):
    got = queue.Queue()
    receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    receiver.bind(("::", port))

    def receive():
        while True:
            data, sender = receiver.recvfrom(65536)
            got.put([sender[1], data.hex()])

    threading.Thread(target=receive, daemon=True).start()
    print("ready", flush=True)
    for _ in sys.stdin:
        time.sleep(0.2)
        all = []
        while not got.empty():
            all.append(got.get())
        print(json.dumps(all), flush=True)


def ends(port, patience=None):
    ended = queue.Queue()
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)

    def serve(peer):
        begin, total = time.monotonic(), b""
        peer.settimeout(patience)
        try:
            while data := peer.recv(65536):
                total += data
            end = "end"
        except OSError as error:
            end = type(error).__name__
        ended.put({"body": total.hex(), "error": end, "after": time.monotonic() - begin, "length": len(total)})

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            result = ended.get(timeout=json.loads(line)["seconds"])
        except queue.Empty:
            result = {"error": "open"}
        print(json.dumps(result), flush=True)


def no_sums(link):
    value = ctypes.create_string_buffer(struct.pack("II", 0x17, 0))
    request = struct.pack("16sP", link.encode(), ctypes.addressof(value)) + b"\0" * 16
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)


if __name__ == "__main__":
    if sys.argv[1] == "source":
        source()
    elif sys.argv[1] == "no-sums":
        no_sums(sys.argv[2])
    else:
        {"sink": sink, "ends": ends, "rests": lambda port: ends(port, 1)}[sys.argv[1]](int(sys.argv[2]))
