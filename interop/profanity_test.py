"""profanity, a client for the terminal, in a terminal: tmux keeps its screen, which is read as text.

Prints TAP.
"""

import atexit
import os
import re
import subprocess
import tempfile
import time

from lab import PASSWORD, WAIT_SECS, run

TMUX = f"aplomb-{os.getpid()}"
# A test that fails leaves no terminal behind.
atexit.register(subprocess.run, ["tmux", "-L", TMUX, "kill-server"], stderr=subprocess.DEVNULL)


class Terminal:
    """One profanity with a home of its own."""

    def __init__(self, lab, user):
        self.user, self.home = user, tempfile.TemporaryDirectory(prefix="aplomb-interop-")
        home = self.home.name
        shown = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/c", "XDG_DATA_HOME": f"{home}/d"}
        shown |= {"LANG": "C.UTF-8", "TERM": "screen-256color"}
        command = ["env", *(f"{name}={value}" for name, value in shown.items()), "profanity"]
        self.tmux("new-session", "-d", "-s", user, "-x", "160", "-y", "50", *command)
        self.until("Type '/help'")
        self.type(f"/connect {user}@localhost server 127.0.0.1 port {lab.xmpp} tls trust")
        self.until("Enter password")
        self.type(PASSWORD)
        self.until(f"{user}@localhost/profanity\\S* logged in successfully")

    def tmux(self, *arguments):
        done = subprocess.run(
            ["tmux", "-L", TMUX, "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def type(self, line):
        self.tmux("send-keys", "-t", self.user, "-l", line)
        self.tmux("send-keys", "-t", self.user, "Enter")

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", self.user)

    def until(self, pattern):
        """Waits until the screen shows something, and gives the screen."""
        late = time.monotonic() + WAIT_SECS
        while not re.search(pattern, screen := self.screen()):
            assert time.monotonic() < late, f"no {pattern} on the screen of {self.user}:\n{screen}"
            time.sleep(0.1)
        return screen

    def is_open(self):
        look = ["tmux", "-L", TMUX, "has-session", "-t", f"={self.user}"]
        return subprocess.run(look, capture_output=True).returncode == 0

    def close(self):
        """Quits, and waits for the end: profanity writes to its home until then."""
        self.type("/quit")
        late = time.monotonic() + WAIT_SECS
        while self.is_open():
            assert time.monotonic() < late, f"the profanity of {self.user} does not quit"
            time.sleep(0.1)
        self.home.cleanup()


def it_logs_in_over_tls_and_pings(lab):
    desk = Terminal(lab, "1001")
    desk.until(r"\[TLS\].*\[online\]")
    desk.type("/ping")
    desk.until("Ping response from server: \\d+ms")
    desk.type("/disco info localhost")
    desk.until("urn:xmpp:ping")
    desk.close()


def it_keeps_a_roster_and_sees_who_comes_and_goes(lab):
    one, other = Terminal(lab, "1002"), Terminal(lab, "1005")
    one.type("/roster add 1005@localhost Ada")
    one.type("/sub request 1005@localhost")
    other.until("subscription request|Received authorization request|/sub allow")
    other.type("/sub allow 1002@localhost")
    one.until("Subscription received from 1005@localhost")
    one.until("\\+\\+ Ada .* is online")
    one.type("/roster")
    one.until("1005@localhost \\(Ada\\) - to")
    other.type("/status set away lunch")
    one.until("Ada .* is away.*lunch")
    other.close()
    one.until("-- Ada .* is offline")
    one.close()


def a_line_of_text_comes_from_one_to_the_other(lab):
    one, other = Terminal(lab, "1003"), Terminal(lab, "1006")
    one.type("/msg 1006@localhost can you take this call?")
    other.until("chat message: 1003@localhost")
    other.type("/msg 1003@localhost the next one")
    one.until("1006@localhost: the next one|\\S+: the next one")
    other.until("can you take this call\\?")
    one.close()
    other.close()


run(
    [
        it_logs_in_over_tls_and_pings,
        it_keeps_a_roster_and_sees_who_comes_and_goes,
        a_line_of_text_comes_from_one_to_the_other,
    ],
    "--stream-management",
    "offered",
)
