"""A device that wants to be pushed to: says over the SDK's socket what the web SDK says when it registers."""

import asyncio
import json

import aiohttp


def register_device(url, token, name="a-device"):
    """Registers a device of the token's user; returns the binding's SID."""
    return asyncio.run(_register(url.replace("http", "ws", 1) + "/v3/wsconnect", token, name))


async def _register(url, token, name):
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        status, _ = await _ask(socket, "1", {"method": "init", "token": token})
        assert status["code"] == 200, status
        request = {
            "host": "localhost",
            "path": "/v1/registrations",
            "method": "POST",
            "params": {"productId": "ip_messaging"},
            "headers": {"Content-Type": "application/json"},
        }
        device = {
            "endpoint_platform": "web",
            "channel_type": "fcm",
            "version": "3",
            "message_types": ["twilio.conversations.new_message", "twilio.conversations.added_to_conversation"],
            "data": {"registration_id": name},
            "ttl": "PT24H",
        }
        header = {"method": "message", "active_grant": "ip_messaging", "http_request": request}
        status, answer = await _ask(socket, "2", header, json.dumps(device))
        assert status["code"] == 200, (status, answer)
        return json.loads(answer)["id"]


async def _ask(socket, number, header, payload=""):
    """Sends a frame; returns the status and the payload of its answer."""
    wanted = f"TM{number.zfill(32)}"
    header = json.dumps(header | {"id": wanted, "payload_type": "application/json", "payload_size": len(payload)})
    await socket.send_bytes(f"TWILSOCK V3.0 {len(header)}\r\n{header}\r\n{payload}".encode())
    while True:
        message = await socket.receive(timeout=30)
        assert message.type == aiohttp.WSMsgType.BINARY, message
        first, rest = message.data.split(b"\r\n", 1)
        length = int(first.rsplit(b" ", 1)[1])
        told, carried = json.loads(rest[:length]), rest[length + 2:].decode()
        if told["method"] == "reply" and told["id"] == wanted:
            return told["status"], carried
