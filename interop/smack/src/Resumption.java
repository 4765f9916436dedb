import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jivesoftware.smack.ConnectionListener;
import org.jivesoftware.smack.XMPPConnection;
import org.jivesoftware.smackx.pubsub.LeafNode;
import org.jivesoftware.smackx.pubsub.PayloadItem;

/** Smack resumes a stream whose connection was lost (XEP-0198). */
final class Resumption {
    /** What happens while the line is cut comes once, and in order, when the stream goes on. */
    static void goesOn(Server server, boolean direct) throws Exception {
        String user = direct ? "1006" : "1005";
        var connection = Desk.connect(server, user, Server.PASSWORD, "managed", direct);
        Tap.check(connection.isSmEnabled(), "the stream is not managed");
        Tap.check(connection.isSmResumptionPossible(), "the stream cannot be resumed");
        LeafNode node = Desk.pubsub(connection).getLeafNode("/finesse/api/User/" + user);
        List<String> events = new CopyOnWriteArrayList<>();
        node.addItemEventListener(event -> event.getItems().forEach(
            item -> events.add(((PayloadItem<?>) item).toXML().toString())));
        server.putState(user, "LOGIN", "before-the-cut");
        until(events, "before-the-cut");
        var resumed = new CompletableFuture<Boolean>();
        connection.addConnectionListener(new ConnectionListener() {
            @Override
            public void authenticated(XMPPConnection which, boolean isResumed) {
                resumed.complete(isResumed);
            }
        });
        connection.instantShutdown();
        server.putState(user, "READY", "while-away-1");
        server.putState(user, "NOT_READY", "while-away-2");
        connection.connect();
        connection.login();
        Tap.check(resumed.get(Server.WAIT_SECS, TimeUnit.SECONDS), "it logged in anew");
        Tap.check(connection.streamWasResumed(), "it logged in anew");
        until(events, "while-away-2");
        server.putState(user, "READY", "after-the-cut");
        until(events, "after-the-cut");
        for (String id : List.of("before-the-cut", "while-away-1", "while-away-2", "after-the-cut")) {
            long count = events.stream().filter(event -> event.contains(id)).count();
            Tap.check(count == 1, id + " came " + count + " times");
        }
        connection.disconnect();
    }

    private static void until(List<String> events, String id) throws Exception {
        for (int at = 0; at < Server.WAIT_SECS * 20; at++) {
            if (events.stream().anyMatch(event -> event.contains(id))) {
                return;
            }
            Thread.sleep(50);
        }
        Tap.check(false, "no " + id + " in " + events);
    }

    private Resumption() { }
}
