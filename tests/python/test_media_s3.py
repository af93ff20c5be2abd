"""Media in a bucket, and in a folder: what passes through, what it costs, and what an outage of the store leaves."""

import os
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

import boto3
from botocore.config import Config

from media import BASIC, MEGABYTE, MediaTest
from wait import until

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


class S3:
    """A server that speaks S3, of this machine. What is in it is gone when it is stopped."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the S3 server answers", self.answers, self.process, seconds=60)
        once = Config(retries={"max_attempts": 0})
        self.client = boto3.client("s3", endpoint_url=self.url, config=once, **KEYS)
        self.client.create_bucket(Bucket="media")

    def answers(self):
        try:
            return urllib.request.urlopen(self.url, timeout=2).status == 200
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait(10)

    def keys(self):
        return [each["Key"] for each in self.client.list_objects_v2(Bucket="media").get("Contents", [])]


class Bucket(MediaTest):
    @classmethod
    def setUpClass(cls):
        cls.s3 = S3()
        cls.addClassCleanup(lambda: cls.s3.stop())
        cls.settings = {
            "CONVOKE_MEDIA_URL": "s3://media/of/tests",
            "CONVOKE_MEDIA_ENDPOINT": cls.s3.url,
            "CONVOKE_MEDIA_REGION": KEYS["region_name"],
            "CONVOKE_MEDIA_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "CONVOKE_MEDIA_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        }
        super().setUpClass()

    def spooled(self):
        """Files that wait for the bucket under some name."""
        return os.listdir(os.path.join(self.data, "uploads"))

    def test_what_goes_up_comes_down(self):
        body = os.urandom(3 * MEGABYTE)
        sid = self.upload(body)["sid"]
        self.assertIn(f"of/tests/{sid}", self.s3.keys())
        self.assertEqual(self.call("GET", f"{self.media}/{sid}/Content"), (200, body))
        part = self.call("GET", f"{self.media}/{sid}/Content", Range="bytes=1000000-1000099")
        self.assertEqual(part, (206, body[1000000:1000100]))
        talk = self.api.conversations(self.api.conversations.create().sid)
        message = talk.messages.create(media_sid=sid)
        self.assertEqual(message.media[0]["sid"], sid)
        talk.messages(message.sid).delete()
        until("the bytes are gone", lambda: f"of/tests/{sid}" not in self.s3.keys(), self.process)
        unwanted = self.upload(b"x")["sid"]
        self.assertEqual(self.call("DELETE", f"{self.media}/{unwanted}")[0], 204)
        self.assertEqual(self.call("GET", f"{self.media}/{unwanted}/Content")[0], 404)
        self.assertEqual(self.spooled(), [])

    def test_the_largest_file_costs_no_memory(self):
        self.hold_memory()
        self.assertEqual(self.spooled(), [])

    def assert_unavailable(self, method, path, body=None):
        start = time.monotonic()
        status, refusal = self.record(method, path, body)
        self.assertEqual((status, refusal["code"]), (503, 20503))
        self.assertLess(time.monotonic() - start, 10)

    def test_an_outage_refuses_and_keeps_nothing(self):
        kept = self.upload(b"kept")["sid"]
        content = f"{self.media}/{kept}/Content"
        talk = self.api.conversations(self.api.conversations.create().sid)

        # The store goes in the middle of an upload.
        connection = self.connect()
        connection.putrequest("POST", self.media)
        connection.putheader("Authorization", BASIC)
        connection.putheader("Content-Length", str(2 * MEGABYTE))
        connection.endheaders()
        connection.send(bytes(MEGABYTE))
        self.s3.stop()
        connection.send(bytes(MEGABYTE))
        answer = connection.getresponse()
        self.assertEqual(answer.status, 503, answer.read())
        connection.close()
        self.assert_unavailable("POST", self.media, b"lost")
        self.assert_unavailable("GET", content)
        # What needs no bytes goes on.
        self.assertEqual(self.record("GET", f"{self.media}/{kept}")[0], 200)
        self.assertEqual(talk.messages.create(media_sid=kept, body="still").media[0]["sid"], kept)
        self.assertEqual(self.spooled(), [])

        self.s3.start()
        self.assertEqual(self.s3.keys(), [])
        again = self.upload(b"again")["sid"]
        self.assertEqual(self.call("GET", f"{self.media}/{again}/Content"), (200, b"again"))
        self.assertEqual(self.s3.keys(), [f"of/tests/{again}"])

    def test_a_store_that_does_not_answer_holds_nobody(self):
        sid = self.upload(b"here")["sid"]
        content = f"{self.media}/{sid}/Content"
        self.s3.process.send_signal(signal.SIGSTOP)
        try:
            self.assert_unavailable("POST", self.media, b"lost")
            self.assert_unavailable("GET", content)
        finally:
            self.s3.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.call("GET", content), (200, b"here"))


class Folder(MediaTest):
    def files(self):
        return sorted(os.listdir(os.path.join(self.data, "media")))

    def test_the_largest_file_costs_no_memory(self):
        self.hold_memory()

    def test_what_is_too_large_is_refused(self):
        before = self.files()
        connection = self.connect()
        connection.putrequest("POST", self.media)
        connection.putheader("Authorization", BASIC)
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        piece = bytes(MEGABYTE)
        try:
            for _ in range(151):
                connection.send(b"100000\r\n" + piece + b"\r\n")
        except OSError:
            pass  # refused before all was sent
        answer = connection.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertIn(b'"code":50512', answer.read())
        connection.close()
        until("nothing is left", lambda: self.files() == before, self.process)

    def test_an_upload_under_way_when_the_server_is_killed_shows_nowhere(self):
        kept = self.upload(b"kept")["sid"]
        connection = self.connect()
        connection.putrequest("POST", self.media)
        connection.putheader("Authorization", BASIC)
        connection.putheader("Content-Length", str(2 * MEGABYTE))
        connection.endheaders()
        connection.send(bytes(MEGABYTE))
        until("half of it is there", lambda: any("#" in name for name in self.files()), self.process)
        half = next(name for name in self.files() if "#" in name).split("#")[0]
        self.process.kill()
        self.process.wait(30)
        connection.close()
        self.launch()
        self.assertEqual(self.record("GET", f"{self.media}/{half}")[0], 404)
        self.assertEqual(self.call("GET", f"{self.media}/{kept}/Content"), (200, b"kept"))
        talk = self.api.conversations(self.api.conversations.create().sid)
        self.assertEqual(talk.messages.create(media_sid=kept).media[0]["sid"], kept)


if __name__ == "__main__":
    unittest.main()
