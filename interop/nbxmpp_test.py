"""nbxmpp, the library under Gajim, walks the whole connection over WebSocket. Prints TAP.

Of Python's XMPP libraries it is the one that speaks WebSocket; slixmpp and aioxmpp speak TCP only.
It comes from Debian (python3-nbxmpp), not from PyPI, because it needs GLib and libsoup.
"""

import base64
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib  # noqa: E402
from nbxmpp.client import Client  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType  # noqa: E402
from nbxmpp.protocol import Iq, Node, Presence  # noqa: E402

PASSWORD = "opensesame"
WAIT_SECS = 15
PROGRAM = os.environ.get("INTEROP_PROGRAM") or Path(__file__).parent.parent / "target/debug/aplomb"
PUBSUB = "http://jabber.org/protocol/pubsub"


class Server:
    """The real program on a free port."""

    def __init__(self):
        flags = ["serve", "--lab", "--lab-password", PASSWORD, "--https", "127.0.0.1:0"]
        flags += ["--log", "json"]
        self.home = tempfile.TemporaryDirectory(prefix="aplomb-interop-")
        self.program = subprocess.Popen(
            [PROGRAM, *flags],
            cwd=self.home.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.program.stderr:
            if '"listening"' in line:
                self.port = int(json.loads(line)["https"].rsplit(":", 1)[1])
                break
        else:
            raise RuntimeError("the server ended before it listened")
        # Its further lines go nowhere, but the pipe must not fill.
        GLib.io_add_watch(self.program.stderr, GLib.IO_IN, self._drain)

    @staticmethod
    def _drain(pipe, _condition):
        os.read(pipe.fileno(), 65536)
        return True

    def put_state(self, user, state, request_id):
        body = f"<User><state>{state}</state><extension>{user}</extension></User>"
        request = urllib.request.Request(
            f"https://localhost:{self.port}/finesse/api/User/{user}", body.encode(), method="PUT"
        )
        key = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {key}")
        request.add_header("Content-Type", "application/xml")
        request.add_header("requestId", request_id)
        trusting = ssl._create_unverified_context()
        with urllib.request.urlopen(request, timeout=WAIT_SECS, context=trusting) as answer:
            assert answer.status == 202, answer.status

    def stop(self):
        self.program.send_signal(signal.SIGTERM)
        assert self.program.wait(WAIT_SECS) == 0, "the server did not end well"


class Desk:
    """A client and everything that happened to it."""

    def __init__(self, server, user, resource="gajim", password=PASSWORD):
        self.seen = []
        self.client = client = Client()
        client.set_domain("localhost")
        client.set_username(user)
        client.set_resource(resource)
        client.set_password(password)
        client.set_ignore_tls_errors(True)
        uri = f"wss://localhost:{server.port}/ws/"
        client.set_custom_host(uri, ConnectionProtocol.WEBSOCKET, ConnectionType.DIRECT_TLS)
        for name in ("connected", "disconnected", "connection-failed"):
            client.subscribe(name, lambda _client, name, *_rest: self.seen.append(name))
        keep = lambda _client, _name, text: self.seen.append(str(text))  # noqa: E731
        client.subscribe("stanza-received", keep)
        client.connect()

    def until(self, what, is_it, since=0):
        """Turns the main loop until something seen fits."""
        context, is_late = GLib.MainContext.default(), []
        timer = GLib.timeout_add_seconds(WAIT_SECS, lambda: is_late.append(True))
        while True:
            for thing in self.seen[since:]:
                if is_it(thing):
                    if not is_late:
                        GLib.source_remove(timer)
                    return thing
            assert not is_late, f"no {what}; seen: {self.seen[-8:]}"
            context.iteration(True)

    def online(self):
        self.until("login", lambda thing: thing in ("connected", "disconnected"))
        assert "connected" in self.seen, self.client.get_error()
        self.client.send_stanza(Presence())
        gate = re.compile(r"<presence[^>]*from=.finesse@")
        self.until("presence of finesse", gate.search)
        return self

    def ask(self, kind, child):
        iq = Iq(kind, to="pubsub.localhost")
        iq.setID(f"ask-{len(self.seen)}")
        iq.addChild("pubsub", namespace=PUBSUB).addChild(node=child)
        since = len(self.seen)
        self.client.send_stanza(iq)
        id_ = re.compile(f"<iq[^>]*id=.{iq.getID()}[\"']")
        return self.until("answer", lambda thing: id_.search(thing), since)

    def end(self):
        self.client.disconnect()
        self.until("end", lambda thing: thing == "disconnected")


def an_agent_gets_the_event_of_a_rest_change(server):
    desk = Desk(server, "1001").online()
    node = "/finesse/api/User/1001"
    jid = str(desk.client.get_bound_jid())
    answer = desk.ask("set", Node("subscribe", {"node": node, "jid": jid}))
    assert "subscribed" in answer and "error" not in answer, answer
    since = len(desk.seen)
    server.put_state("1001", "LOGIN", "nb1")
    event = desk.until("event", lambda thing: node in thing and "nb1" in thing, since)
    assert "NOT_READY" in event, event
    desk.end()


def a_supervisor_subscribes_to_a_team(server):
    desk = Desk(server, "sup3").online()
    node = "/finesse/api/Team/3/Users"
    jid = str(desk.client.get_bound_jid())
    answer = desk.ask("set", Node("subscribe", {"node": node, "jid": jid}))
    assert "subscribed" in answer and "error" not in answer, answer
    desk.end()


def a_publisher_publishes_and_a_reader_reads(server):
    bridge = Desk(server, "publisher").online()
    node = "/crm/alerts"
    pubsub = bridge.client.get_module("PubSub")
    done = []
    created = bridge.ask("set", Node("create", {"node": node}))
    assert "result" in created, created

    def keep(task):
        try:
            done.append(task.finish())
        except Exception as error:  # It would be lost in the main loop.
            done.append(error)

    text = Node("alert", {"xmlns": "urn:example:crm"}, ["a < b & c"])
    pubsub.publish(node, text, id_="one", jid="pubsub.localhost", callback=keep)
    bridge.until("answer to publish", lambda _: done)
    pubsub.request_items(node, jid="pubsub.localhost", callback=keep)
    bridge.until("answer to items", lambda _: len(done) == 2)
    items = done[1]
    assert getattr(done[0], "id", None) == "one", done
    assert [item.getAttr("id") for item in items] == ["one"], items
    assert items[0].getTag("alert").getData() == "a < b & c", items[0]
    bridge.end()


def a_wrong_password_is_refused(server):
    desk = Desk(server, "1002", password="wrong")
    desk.until("end", lambda thing: thing in ("connected", "disconnected"))
    assert "connected" not in desk.seen
    assert "not-authorized" in str(desk.client.get_error()), desk.client.get_error()


def a_second_desk_ends_the_first_with_a_conflict(server):
    first = Desk(server, "1003").online()
    second = Desk(server, "1003").online()
    first.until("conflict", lambda thing: "<conflict" in thing)
    first.until("end", lambda thing: thing == "disconnected")
    second.end()


def main():
    tests = [
        an_agent_gets_the_event_of_a_rest_change,
        a_supervisor_subscribes_to_a_team,
        a_publisher_publishes_and_a_reader_reads,
        a_wrong_password_is_refused,
        a_second_desk_ends_the_first_with_a_conflict,
    ]
    server, failed = Server(), 0
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test(server)
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # A test's failure is its report.
            failed += 1
            print(f"not ok {number} - {name}\n  {type(error).__name__}: {error}", flush=True)
    server.stop()
    print(f"1..{len(tests)}\n# pass {len(tests) - failed}\n# fail {failed}")
    sys.exit(1 if failed else 0)


main()
