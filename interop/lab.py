"""The real program on free ports, and a runner that prints TAP."""

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

PASSWORD = "opensesame"
WAIT_SECS = 15
PROGRAM = os.environ.get("INTEROP_PROGRAM") or Path(__file__).parent.parent / "target/debug/aplomb"


class Lab:
    """A laboratory that listens for HTTPS, XMPP with STARTTLS and XMPP over TLS."""

    def __init__(self, *more):
        flags = ["serve", "--lab", "--lab-password", PASSWORD, "--log", "json", *more]
        for listener in ("--https", "--xmpp", "--xmpps"):
            flags += [listener, "127.0.0.1:0"]
        self.home = tempfile.TemporaryDirectory(prefix="aplomb-interop-")
        self.program = subprocess.Popen(
            [PROGRAM, *flags],
            cwd=self.home.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        ports = next((line for line in self.program.stderr if '"listening"' in line), None)
        if ports is None:
            raise RuntimeError("the server ended before it listened")
        ports = json.loads(ports)
        port = {name: int(ports[name].rsplit(":", 1)[1]) for name in ("https", "xmpp", "xmpps")}
        self.https, self.xmpp, self.xmpps = port["https"], port["xmpp"], port["xmpps"]
        self.lines, self.has_line = [], threading.Condition()
        threading.Thread(target=self.read_log, daemon=True).start()
        self.ca = Path(self.home.name) / "ca.pem"
        self.ca.write_text(ssl.get_server_certificate(("127.0.0.1", self.https)))

    def read_log(self):
        for line in self.program.stderr:
            with self.has_line:
                self.lines.append(json.loads(line))
                self.has_line.notify_all()

    def logins(self, user, count=1):
        """How a user logged in, `count` times: each mechanism, with its channel binding or None."""

        def seen():
            mine = [line for line in self.lines if line.get("name") == user]
            mine = [line for line in mine if line.get("message") == "logged in"]
            return [(line["mechanism"], line.get("binding")) for line in mine]

        with self.has_line:
            assert self.has_line.wait_for(lambda: len(seen()) >= count, WAIT_SECS), seen()
            return seen()

    def put_state(self, user, state, request_id):
        """Changes an agent's state over REST, as the agent; 202 is expected."""
        body = f"<User><state>{state}</state><extension>{user}</extension></User>"
        url = f"https://localhost:{self.https}/finesse/api/User/{user}"
        key = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        headers = {
            "Authorization": f"Basic {key}",
            "Content-Type": "application/xml",
            "requestId": request_id,
        }
        request = urllib.request.Request(url, body.encode(), headers, method="PUT")
        trust = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(request, timeout=WAIT_SECS, context=trust) as answer:
            assert answer.status == 202, answer.status

    def stop(self):
        self.program.send_signal(signal.SIGTERM)
        assert self.program.wait(WAIT_SECS) == 0, "the server did not end well"


def run(tests, *flags):
    """Runs functions that take a lab, and ends the program with their result."""
    lab, failed = Lab(*flags), 0
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test(lab)
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # A test's failure is its report.
            failed += 1
            print(f"not ok {number} - {name}\n  {type(error).__name__}: {error}", flush=True)
    lab.stop()
    print(f"1..{len(tests)}\n# pass {len(tests) - failed}\n# fail {failed}")
    sys.exit(1 if failed else 0)
