#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bad_server.py - an HTTP server that does what servers do on bad days.

What it does is the path of the request:

  /ok, /ok/NAME       200 and a body (see body_of)
  /big/BYTES          200 and so many bytes
  /status/N           status N and a body
  /moved              301 to /ok
  /circle             302 to /round, which is 302 to /circle
  /elsewhere          302 to file:///etc/passwd
  /empty              closes without a word
  /garbage            answers, but not in HTTP
  /reset              resets the connection
  /reset-late         resets it in the middle of a body
  /stall              never answers
  /stall-late         never goes on in the middle of a body
  /short              promises more bytes than it sends
  /long               sends more bytes than it promised
  /chunks             chunked, whole
  /chunks-cut         chunked, without its end
  /chunks-bad         chunked, with a size that is none
  /negative           Content-Length: -5
  /meet               200 and a body, the end of which comes when PEERS such
                      requests are there

It prints its port, then a line per request when that has been read. A line
"most N" on its standard input's end says how many were served at once.
Usage: bad_server.py [PEERS [CERTIFICATE-AND-KEY]]
"""

import socket
import ssl
import struct
import sys
import threading

PEERS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
lock = threading.Lock()
meeting = threading.Barrier(PEERS)
at_once = 0
most = 0


def body_of(name):
    """The body of /ok/NAME: the name, many times."""
    return (name.encode() + b"\n") * 1000


def reply(status, body, *fields):
    head = "HTTP/1.1 %s\r\nContent-Length: %d\r\n" % (status, len(body))
    head += "".join(f + "\r\n" for f in fields) + "\r\n"
    return head.encode() + body


def chunked(end):
    return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n" + end)


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


def stall(conn):
    """Until the client gives up."""
    while conn.recv(4096):
        pass


def big(conn, size):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    piece = bytes(range(256)) * 1024
    while size > 0:
        conn.sendall(piece[:size])
        size -= min(size, len(piece))


def answer(conn, path):
    """True: the connection goes on."""
    word, _, rest = path[1:].partition("/")
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500
    if word == "ok":
        conn.sendall(reply("200 OK", body_of(rest)))
    elif word == "big":
        big(conn, int(rest))
    elif word == "status":
        conn.sendall(reply(rest + " Words", b"sorry\n"))
    elif word == "moved":
        conn.sendall(reply("301 Moved", b"", "Location: /ok"))
    elif word == "circle":
        conn.sendall(reply("302 Found", b"", "Location: /round"))
    elif word == "round":
        conn.sendall(reply("302 Found", b"", "Location: /circle"))
    elif word == "elsewhere":
        conn.sendall(reply("302 Found", b"",
                           "Location: file:///etc/passwd"))
    elif word == "meet":
        whole = reply("200 OK", b"met\n")
        conn.sendall(whole[:-2])
        meeting.wait(30)
        conn.sendall(whole[-2:])
    elif word == "chunks":
        conn.sendall(chunked(b"0\r\n\r\n"))
    elif word == "empty":
        return False
    elif word == "garbage":
        conn.sendall(b"\0\1\2 what is it?\r\n\r\n")
        return False
    elif word == "reset":
        reset(conn)
        return False
    elif word == "reset-late":
        conn.sendall(half)
        reset(conn)
        return False
    elif word == "stall":
        stall(conn)
        return False
    elif word == "stall-late":
        conn.sendall(half)
        stall(conn)
        return False
    elif word == "short":
        conn.sendall(half)
        return False
    elif word == "long":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfourfive")
        return False
    elif word == "chunks-cut":
        conn.sendall(chunked(b""))
        return False
    elif word == "chunks-bad":
        conn.sendall(chunked(b"zz\r\nhello\r\n0\r\n\r\n"))
        return False
    elif word == "negative":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")
        return False
    else:
        conn.sendall(reply("404 Not Found", b"no\n"))
    return True


def serve(conn):
    global at_once, most
    data = b""
    going = True
    while going:
        while b"\r\n\r\n" not in data:
            more = conn.recv(65536)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        with lock:
            at_once += 1
            most = max(most, at_once)
            print(path, flush=True)
        try:
            going = answer(conn, path)
        finally:
            with lock:
                at_once -= 1


def client(conn):
    with conn:
        try:
            serve(conn)
        except (OSError, threading.BrokenBarrierError):
            pass  # the client has gone; that is what it is here for


def accept(listener, wrap):
    while True:
        conn, _ = listener.accept()
        if wrap:
            try:
                conn = wrap.wrap_socket(conn, server_side=True)
            except OSError:
                continue
        threading.Thread(target=client, args=(conn,), daemon=True).start()


def main():
    wrap = None
    if len(sys.argv) > 2:
        wrap = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        wrap.load_cert_chain(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listener, wrap),
                     daemon=True).start()
    sys.stdin.read()  # whoever started it has gone
    with lock:
        print("most %d" % most, flush=True)


if __name__ == "__main__":
    main()
