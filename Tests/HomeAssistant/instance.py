"""A real Home Assistant in a Debian tree of its own: its configuration, its processes, its REST and WebSocket interfaces."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import websocket  # Debian: python3-websocket

USER, TOKEN, KEY = "a" * 32, "b" * 32, "c" * 128
LONG_AGO = "2026-01-01T00:00:00.000000+00:00"


def signed_token():
    """A long-lived access token as Home Assistant makes it (auth/__init__.py, async_create_access_token): a JWT by HS256."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    now = int(time.time()) - 60
    body = part({"alg": "HS256", "typ": "JWT"}) + b"." + part({"iss": TOKEN, "iat": now, "exp": now + 86400})
    signature = hmac.new(KEY.encode(), body, hashlib.sha256).digest()
    return (body + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


class HomeAssistant:
    """No frontend and no default_config: what is loaded is what is asked of here."""

    def __init__(self, tree, port, broker):
        self.tree, self.port, self.process = tree, port, None
        self.directory = tempfile.mkdtemp(prefix="hearth-home-assistant-")
        self.token = signed_token()
        with open(os.path.join(self.directory, "configuration.yaml"), "w") as file:
            file.write(f"http:\n  server_host: 127.0.0.1\n  server_port: {port}\napi:\nwebsocket_api:\nconfig:\n"
                       "homeassistant:\n  name: House\n  unit_system: metric\n  time_zone: UTC\n"
                       "  latitude: 41.4\n  longitude: 2.2\n  elevation: 0\n  country: ES\n  currency: EUR\n")
        self.store("auth", 1, 1, {
            "users": [{"id": USER, "group_ids": ["system-admin"], "is_owner": True, "is_active": True, "name": "person",
                       "system_generated": False, "local_only": False}],
            "groups": [{"id": "system-admin", "name": "Administrators"}, {"id": "system-users", "name": "Users"},
                       {"id": "system-read-only", "name": "Read Only"}],
            "credentials": [],
            "refresh_tokens": [{"id": TOKEN, "user_id": USER, "client_id": None, "client_name": "test", "client_icon": None,
                                "token_type": "long_lived_access_token", "created_at": LONG_AGO,
                                "access_token_expiration": 315360000.0, "token": "d" * 128, "jwt_key": KEY,
                                "last_used_at": None, "last_used_ip": None, "expire_at": None, "credential_id": None,
                                "version": "2026.2.3"}]})
        self.store("core.config_entries", 1, 5, {"entries": [{
            "created_at": LONG_AGO, "modified_at": LONG_AGO, "data": {
                "broker": "127.0.0.1", "port": broker, "username": "homeassistant", "password": "homeassistant-password"},
            "disabled_by": None, "discovery_keys": {}, "domain": "mqtt", "entry_id": "e" * 26, "version": 2,
            "minor_version": 1, "options": {}, "pref_disable_new_entities": False, "pref_disable_polling": False,
            "source": "user", "subentries": [], "title": "home", "unique_id": None}]})

    def store(self, key, version, minor, data):
        os.makedirs(os.path.join(self.directory, ".storage"), exist_ok=True)
        with open(os.path.join(self.directory, ".storage", key), "w") as file:
            json.dump({"version": version, "minor_version": minor, "key": key, "data": data}, file)

    def start(self):
        """In a mount namespace of its own, so that nothing stays mounted in the tree."""
        command = (f"mount --bind {self.directory} {self.tree}/mnt && mount -t proc proc {self.tree}/proc && "
                   f"mount --bind /dev {self.tree}/dev && "
                   f"exec chroot {self.tree} /srv/ha/bin/hass --skip-pip --config /mnt")
        output = open(os.path.join(self.directory, "output.log"), "ab")
        self.process = subprocess.Popen(["unshare", "--mount", "bash", "-c", command], stdin=subprocess.DEVNULL,
                                        stdout=output, stderr=subprocess.STDOUT)

    def stop(self, kill=False):
        if self.process is None:
            return
        self.process.kill() if kill else self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log(self):
        with open(os.path.join(self.directory, "output.log"), errors="replace") as file:
            return file.read()

    # --- What it says ---

    def request(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/{path}", data=data, headers={
            "authorization": f"Bearer {self.token}", "content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def is_running(self):
        try:
            return self.request("config").get("state") == "RUNNING"
        except (OSError, ValueError):
            return False

    def call(self, domain, service, entity, **data):
        self.request(f"services/{domain}/{service}", {"entity_id": entity, **data})

    def state(self, entity):
        """An entity's state with its attributes; None when there is no such entity."""
        try:
            return self.request(f"states/{entity}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def registry(self, kind):
        """All entries of the entity, device or area registry."""
        connection = websocket.create_connection(f"ws://127.0.0.1:{self.port}/api/websocket", timeout=20)
        try:
            connection.recv()
            connection.send(json.dumps({"type": "auth", "access_token": self.token}))
            assert json.loads(connection.recv())["type"] == "auth_ok"
            connection.send(json.dumps({"id": 1, "type": f"config/{kind}_registry/list"}))
            return json.loads(connection.recv())["result"]
        finally:
            connection.close()
