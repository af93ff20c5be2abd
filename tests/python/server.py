"""A real server of its own for each test class: the binary, with an embedded database in a temporary folder."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.request

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import ChatGrant
from twilio.rest import Client

from wait import Ended, until

ACCOUNT_SID = "AC00000000000000000000000000000001"
AUTH_TOKEN = "test0auth0token0test0auth0token0"
API_KEY_SID = "SK00000000000000000000000000000002"
API_KEY_SECRET = "test0key0secret0test0key0secret0"


class ServerTest(unittest.TestCase):
    """Starts a server for the class and stops it by its process."""

    #: Further settings of the server, by their names in the environment.
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.mkdtemp(prefix="convoke-python-")
        os.chmod(cls.data, 0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        cls.url = f"http://127.0.0.1:{port}"
        cls.log = open(os.path.join(cls.data, "server.log"), "w+")
        settings = {
            "CONVOKE_LISTEN": f"127.0.0.1:{port}",
            "CONVOKE_DATA_DIR": cls.data,
            "CONVOKE_ACCOUNT_SID": ACCOUNT_SID,
            "CONVOKE_AUTH_TOKEN": AUTH_TOKEN,
            "CONVOKE_API_KEY_SID": API_KEY_SID,
            "CONVOKE_API_KEY_SECRET": API_KEY_SECRET,
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        cls.environment = kept | settings | cls.settings
        cls.addClassCleanup(cls.stop)
        cls.launch()
        client = Client(ACCOUNT_SID, AUTH_TOKEN)
        client.conversations.base_url = cls.url
        cls.api = client.conversations.v1

    @classmethod
    def launch(cls):
        """Starts the server, also again."""
        program = [os.environ["CONVOKE_BIN"], "serve"]
        cls.process = subprocess.Popen(program, env=cls.environment, stdout=cls.log, stderr=cls.log)
        try:
            until("the server is ready", cls.is_ready, cls.process)
        except Ended:
            cls.log.seek(0)
            raise RuntimeError(f"the server did not start:\n{cls.log.read()}") from None

    @classmethod
    def is_ready(cls):
        try:
            return urllib.request.urlopen(f"{cls.url}/readyz", timeout=2).status == 200
        except OSError:
            return False

    @classmethod
    def document(cls):
        """The server's own OpenAPI document."""
        with urllib.request.urlopen(f"{cls.url}/openapi.json", timeout=10) as answer:
            return json.load(answer)

    @classmethod
    def served(cls):
        """The names of the operations that the server says it serves."""
        methods = (operation for path in cls.document()["paths"].values() for operation in path.values())
        return {operation["operationId"] for operation in methods}

    @staticmethod
    def token(identity, service):
        """An access token for the SDK's socket."""
        token = AccessToken(ACCOUNT_SID, API_KEY_SID, API_KEY_SECRET, identity=identity)
        token.add_grant(ChatGrant(service_sid=service))
        return token.to_jwt()

    @classmethod
    def stop(cls):
        cls.process.send_signal(signal.SIGTERM)
        cls.process.wait(30)
        cls.log.close()
        shutil.rmtree(cls.data, ignore_errors=True)
