"""Media over plain HTTP: no official library knows the media service."""

import base64
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from server import ACCOUNT_SID, AUTH_TOKEN, ServerTest

MEGABYTE = 1024 * 1024
LARGEST = 150 * MEGABYTE
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()


class MediaTest(ServerTest):
    """A server whose media service is called by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.media = f"/v1/Services/{cls.api.services.list()[0].sid}/Media"

    @classmethod
    def connect(cls):
        return http.client.HTTPConnection(urlsplit(cls.url).netloc, timeout=120)

    @classmethod
    def call(cls, method, path, body=None, **headers):
        connection = cls.connect()
        headers = {"Authorization": BASIC} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    @classmethod
    def record(cls, method, path, body=None, **headers):
        status, content = cls.call(method, path, body, **headers)
        return status, json.loads(content) if content else None

    def upload(self, body, kind="text/plain"):
        status, record = self.record("POST", self.media, body, Content_Type=kind)
        self.assertEqual(status, 201, record)
        return record

    def upload_pieces(self, size):
        """Uploads so many bytes in pieces, so that this side holds none of them either."""
        piece = bytes(range(256)) * 1024
        connection = self.connect()
        connection.putrequest("POST", self.media)
        connection.putheader("Authorization", BASIC)
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        for _ in range(size // len(piece)):
            connection.send(piece)
        answer = connection.getresponse()
        record = json.loads(answer.read())
        connection.close()
        self.assertEqual((answer.status, record["size"]), (201, size), record)
        return record

    def download(self, path):
        """Reads bytes in pieces; answers how many there were."""
        connection = self.connect()
        connection.request("GET", path, headers={"Authorization": BASIC})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        size = 0
        while piece := answer.read(256 * 1024):
            size += len(piece)
        connection.close()
        return size

    def memory(self, name):
        """A figure of the server's memory, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024

    def growth(self, work):
        """What `work` answered, and by how much the server's memory grew at most meanwhile, in mebibytes."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as clear:
            clear.write("5")  # the peak is what it is now
        before = self.memory("VmRSS")
        answer = work()
        return answer, (self.memory("VmHWM") - before) / MEGABYTE

    def hold_memory(self):
        """Large files pass through both ways, one and many at a time, and the server's memory does not grow with them.

        The first uploads make pools and connections. After that an upload or a download may take one mebibyte; the
        fixed part of the bound is what the allocator and the threads that write files keep for themselves.
        """
        fixed, each = 4, 1
        many = 10

        def at_once():
            with ThreadPoolExecutor(many) as threads:
                list(threads.map(self.upload_pieces, [LARGEST // many] * many))

        self.upload(b"warm" * MEGABYTE)
        record, up = self.growth(lambda: self.upload_pieces(LARGEST))
        size, down = self.growth(lambda: self.download(record["links"]["content"]))
        _, together = self.growth(at_once)
        measured = f"one up {up:.1f} MiB, one down {down:.1f} MiB, {many} up {together:.1f} MiB"
        self.assertEqual(size, LARGEST)
        self.assertLess(up, fixed + each, measured)
        self.assertLess(down, fixed + each, measured)
        self.assertLess(together, fixed + many * each, measured)
