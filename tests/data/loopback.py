"""A web server on 127.0.0.1 that misbehaves on request; nothing leaves this machine."""

import contextlib
import gzip
import http.server
import re
import threading


class Misbehaving(http.server.BaseHTTPRequestHandler):
    """Answers by the first part of the path: ``/MANNER/file``."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        getattr(self, f"answer_{self.path.split('/')[1].replace('-', '_')}")()

    def start(self):
        found = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        return int(found[1]) if found else 0

    def send(self, data, *, status=200, length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length != "none":
            self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def send_range(self, data, *, keep=None):
        """The asked range of `data`, broken off after `keep` bytes."""
        start, total = self.start(), len(data)
        if start >= total:
            self.send(b"", status=416, Content_Range=f"bytes */{total}")
            return
        status = {"status": 206, "Content_Range": f"bytes {start}-{total - 1}/{total}"}
        rest = data[start:]
        kept = rest if keep is None else rest[:keep]
        self.close_connection = len(kept) < len(rest)
        self.send(kept, length=len(rest), **(status if start else {}))

    def answer_good(self):
        self.send_range(self.server.data)

    def answer_breaks(self):
        """Breaks off after 100,000 bytes of each answer."""
        self.send_range(self.server.data, keep=100_000)

    def answer_breaks_at_start(self):
        self.send_range(self.server.data, keep=0)

    def answer_no_range_breaks_once(self):
        """Knows no ranges; the first answer breaks off."""
        first = len(self.server.asked) == 1
        data = self.server.data
        self.close_connection = first
        self.send(data[:100_000] if first else data, length=len(data))

    def answer_wrong_range(self):
        data = self.server.data
        if self.start():
            self.send(data[:10], status=206, Content_Range=f"bytes 0-9/{len(data)}")
        else:
            self.close_connection = True
            self.send(data[:100_000], length=len(data))

    def answer_changes(self):
        """The file changes after the first answer broke off."""
        first = len(self.server.asked) == 1
        data = bytes(len(self.server.data)) if first else self.server.data
        self.send_range(data, keep=100_000 if first else None)

    def answer_wrong(self):
        self.send_range(bytes(len(self.server.data)))

    def answer_short(self):
        self.send_range(self.server.data[:-5])

    def answer_endless(self):
        """No length announced, and more bytes than there should be."""
        self.close_connection = True
        self.send(b"", length="none")
        with contextlib.suppress(OSError):
            for _ in range(2000):
                self.wfile.write(bytes(100_000))

    def answer_chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(self.server.data), 70_000):
            piece = self.server.data[at : at + 70_000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def answer_declared_gzip(self):
        self.send(self.server.data, Content_Encoding="gzip", Content_Type="application/x-gzip")

    def answer_packs_if_allowed(self):
        """Compresses the transfer for clients that accept it."""
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.send(gzip.compress(self.server.data), Content_Encoding="gzip")
        else:
            self.answer_good()

    def answer_page(self):
        self.send(b"\n<!DOCTYPE html><html>Moved</html>", Content_Type="text/html")

    def answer_moved(self):
        self.redirect("/page/login")

    def answer_moved_well(self):
        self.redirect("/good/file.bin")

    def answer_to_file(self):
        self.redirect("file:///etc/passwd")

    def answer_round(self):
        self.redirect("/round/again")

    def redirect(self, place):
        self.send(b"", status=302, Location=place)

    def answer_gone(self):
        self.send(b"<html>not found</html>", status=404, Content_Type="text/html")

    def answer_secret(self):
        self.send(b"", status=403)

    def answer_busy_twice(self):
        if len(self.server.asked) < 3:
            self.send(b"", status=503)
        else:
            self.answer_good()

    def answer_silent(self):
        """Announces the file and then sends nothing."""
        self.send(b"", length=len(self.server.data))
        self.server.stopped.wait(20)

    def answer_slow(self):
        """Sends the file over about half a second."""
        data = self.server.data
        self.send(b"", length=len(data))
        step = len(data) // 20 + 1
        for at in range(0, len(data), step):
            self.wfile.write(data[at : at + step])
            self.server.stopped.wait(0.025)


class Quiet(http.server.ThreadingHTTPServer):
    """A server whose handlers may be cut off by the client."""

    daemon_threads = True

    def __init__(self, data):
        super().__init__(("127.0.0.1", 0), Misbehaving)
        self.data = data
        self.asked = []
        self.stopped = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_):
        pass


@contextlib.contextmanager
def serving(data):
    """A running server for `data`; `asked` lists (path, Range header) of every request."""
    with Quiet(data) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()
