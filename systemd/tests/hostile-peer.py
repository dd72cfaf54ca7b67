#!/usr/bin/env python3
"""Peers that a home meets when the internet is broken: hostile-peer.py portal|trickle|deaf-dns PORT

portal    answers whatever comes with a web page, as captive portals do
trickle   sends a TLS record header and then a byte a second
deaf-dns  takes DNS queries and never answers
"""
import socket
import sys
import threading
import time

PAGE = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\nContent-Length: 0\r\n\r\n"


def portal(peer):
    peer.recv(4096)
    peer.sendall(PAGE)
    time.sleep(1)
    peer.close()


def trickle(peer):
    try:
        # A handshake record that announces 16 KiB.
        for count, byte in enumerate(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(16000), 1):
            peer.sendall(bytes([byte]))
            print(count, "bytes", flush=True)
            time.sleep(1)
    except OSError:
        pass


mode, port = sys.argv[1], int(sys.argv[2])
if mode == "deaf-dns":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", port))
        print("listening", flush=True)
        while True:
            listener.recv(4096)
with socket.create_server(("127.0.0.1", port)) as listener:
    print("listening", flush=True)
    while True:
        peer, _ = listener.accept()
        threading.Thread(target={"portal": portal, "trickle": trickle}[mode], args=[peer], daemon=True).start()
