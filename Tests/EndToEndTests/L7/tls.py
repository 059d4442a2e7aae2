#!/usr/bin/env python3
"""TLS between pods, for ServerNameTests: `tls.py server PORT` and `tls.py client ADDRESS PORT NAME`.

NAME: the server's name; `-` for none; `http` for plain HTTP instead. The client prints one line: what came of it, and after how long.
"""
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem", "-subj", "/CN=test"],
        check=True, stderr=subprocess.DEVNULL)
    return f"{folder}/certificate.pem", f"{folder}/key.pem"


def answer(context, connection):
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.sendall(b"hello")
            while stream.recv(65536):
                stream.sendall(b"more")
    except OSError:
        pass


def serve(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*certificate(folder))
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(context, connection), daemon=True).start()


def talk(address, port, name):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    begin = time.monotonic()
    try:
        connection = socket.create_connection((address, port), timeout=10)
        if name == "http":
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            what = connection.recv(100).decode(errors="replace")
        else:
            with context.wrap_socket(connection, server_hostname=None if name == "-" else name) as stream:
                what = stream.recv(100).decode()
                stream.sendall(b"x")
                what += stream.recv(100).decode()
    except ConnectionResetError:
        what = "reset"
    except OSError as error:
        what = f"{type(error).__name__}"
    print(what, f"{time.monotonic() - begin:.3f}", flush=True)


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    talk(sys.argv[2], int(sys.argv[3]), sys.argv[4])
