"""A web server on the loopback that serves a folder, with the faults of real ones if wanted.

    python tests/faulty_server.py FOLDER --port 8000 --faults

It knows ranges and ETags.  Which requests go wrong follows from the path and the number of times
that it was asked for, so two runs see the same faults.  All faults but those of single photos
(gone, a placeholder, a web page) pass when the request is repeated.
"""

import argparse
import hashlib
import re
import socket
import sys
import threading
import time
import zlib
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PLACEHOLDER = "/images/en-us/photo_unavailable.png"  # as Flickr names it
PAGE = b"<!DOCTYPE html><html><body>This photo is private.</body></html>"
# In a thousand paths: for the first request, and of photos also for all others.
PASSING = {
    "cut": 30,
    "too long": 10,
    "slow": 5,
    "redirect": 20,
    "wait": 1,
    "busy": 4,
    "broken": 5,
    "no ranges": 20,
    "changed": 5,
}
LASTING = {"missing": 15, "gone": 5, "placeholder": 10, "page": 10}


def faults_of(path):
    """Yield the faults of the first requests for a path; the last one lasts."""
    place = zlib.crc32(path.encode()) % 1000
    is_photo = path.endswith(".jpg")
    for fault, share in {**PASSING, **(LASTING if is_photo else {})}.items():
        if place < share:
            # A file is cut, and later a part of it is asked for.
            again = ("cut",) if fault in ("no ranges", "changed") else ()
            return (*again, fault) if fault in LASTING else (*again, fault, "")
        place -= share
    return ("",)


def no_faults(path):
    return ("",)


class FaultyServer(ThreadingHTTPServer):
    """The server; `with` runs it in a thread.

    Attributes:
        asked: `{path: number of GET requests}`.
        sent: `{path: number of times that its whole body, or the rest of it, was sent}`.
        ranges: the paths of which parts were sent, in order.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder, port=0, faults=no_faults):
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder = Path(folder).resolve()
        self.faults = faults
        self.asked, self.sent, self.ranges = Counter(), Counter(), []
        self.lock = threading.Lock()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        serve = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        serve.start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that was killed is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self):
        self._answer("")

    def do_GET(self):
        with self.server.lock:
            number = self.server.asked[self.path]
            self.server.asked[self.path] += 1
        faults = self.server.faults(self.path)
        self._answer(faults[min(number, len(faults) - 1)])

    def log_message(self, *arguments):
        pass

    def _answer(self, fault):
        if fault in _ERRORS:
            status, headers = _ERRORS[fault]
            self._send(status, b"sorry", headers)
        elif fault == "page":
            self._send(200, PAGE, {"Content-Type": "text/html"})
        elif fault == "placeholder":
            self._send(302, b"", {"Location": PLACEHOLDER})
        elif fault == "redirect":
            self._send(302, b"", {"Location": f"{self.path}?redirected"})
        elif self.path == PLACEHOLDER:
            self._send(200, b"\x89PNG, a picture that says that the photo is gone", {})
        else:
            self._send_file(fault)

    def _send_file(self, fault):
        file = self.server.folder / self.path.partition("?")[0].lstrip("/")
        if not file.resolve().is_relative_to(self.server.folder) or not file.is_file():
            self._send(404, b"", {})
            return
        body = file.read_bytes()
        tag = f'"{hashlib.sha1(body).hexdigest()}{fault == "changed" or ""}"'
        headers = {"ETag": tag}
        start = self._start(tag, fault)
        if start is not None and start >= len(body):
            self._send(416, b"", headers | {"Content-Range": f"bytes */{len(body)}"})
        elif start is not None:
            with self.server.lock:
                self.server.ranges.append(self.path)
            headers |= {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
            self._send(206, body[start:], headers, fault)
        else:
            self._send(200, body, headers, fault)

    def _start(self, tag, fault):
        """The first byte that is asked for; None for the whole file."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fits = self.headers.get("If-Range", tag) == tag and fault != "no ranges"
        return int(wanted[1]) if wanted and fits else None

    def _send(self, status, body, headers, fault=""):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + (10 if fault == "too long" else 0)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault == "slow":
            for part in (body[:10], body[10:100]):
                self.wfile.write(part)
                time.sleep(0.1)
            body = body[100:]
        self.wfile.write(body[: len(body) // 2] if fault in ("cut", "hang") else body)
        if fault == "hang":
            time.sleep(60)
        if fault in ("cut", "too long"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_WR)
        elif status in (200, 206):
            with self.server.lock:
                self.server.sent[self.path.partition("?")[0]] += 1


_ERRORS = {
    "missing": (404, {}),
    "gone": (410, {}),
    "forbidden": (403, {}),
    "wait": (429, {"Retry-After": "1"}),
    "wait long": (429, {"Retry-After": "86400"}),
    "wait until": (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "busy": (429, {}),
    "unavailable": (503, {"Retry-After": "0"}),
    "broken": (500, {}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", action="store_true")
    arguments = parser.parse_args()
    faults = faults_of if arguments.faults else no_faults
    server = FaultyServer(arguments.folder, arguments.port, faults)
    print(server.address, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
