import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jivesoftware.smack.ConnectionListener;
import org.jivesoftware.smack.SmackConfiguration;
import org.jivesoftware.smack.XMPPException.StreamErrorException;
import org.jivesoftware.smack.packet.StreamError;
import org.jivesoftware.smack.provider.ProviderManager;
import org.jivesoftware.smack.sasl.SASLErrorException;
import org.jivesoftware.smackx.ping.PingManager;
import org.jivesoftware.smackx.pubsub.LeafNode;
import org.jivesoftware.smackx.pubsub.PayloadItem;
import org.jivesoftware.smackx.pubsub.SimplePayload;

/** Smack, the library of Cisco's own sample, walks the whole connection. Prints TAP. */
public final class Smack {
    public static void main(String[] arguments) throws Exception {
        SmackConfiguration.setDefaultReplyTimeout(Server.WAIT_SECS * 1000);
        // It warns of every end, and most tests bring one about.
        Logger.getLogger("org.jivesoftware.smack").setLevel(Level.OFF);
        Logger.getLogger("org.igniterealtime.jbosh").setLevel(Level.OFF);
        // Its experiments take every message of rights for one of push notifications (4.4.8).
        ProviderManager.removeExtensionProvider("pubsub", "http://jabber.org/protocol/pubsub");
        Server server = new Server(
            "--ping-after", "1s", "--dead-after", "3s", "--stream-management", "offered");
        new Tap()
            .test("the event of a REST change, by STARTTLS", () -> getsTheEvent(server, false))
            .test("the event of a REST change, over TLS", () -> getsTheEvent(server, true))
            .test("it logs in by the hash that it has", () -> itLogsInByTheHashThatItHas(server))
            .test("a supervisor subscribes to a team", () -> aSupervisorSubscribes(server))
            .test("a publisher publishes and reads", () -> aPublisherPublishes(server))
            .test("an owner configures a node", () -> Nodes.anOwnerConfiguresANodeAndGivesRights(server))
            .test("both sides ping", () -> bothSidesPing(server))
            .test("two people come to see each other", () -> People.comeToSeeEachOther(server))
            .test("a wrong password is refused", () -> aWrongPasswordIsRefused(server))
            .test("a second desk ends the first", () -> aSecondDeskEndsTheFirst(server))
            .test("a stream that is cut goes on, by STARTTLS", () -> Resumption.goesOn(server, false))
            .test("a stream that is cut goes on, over TLS", () -> Resumption.goesOn(server, true))
            .test("the event of a REST change, over BOSH", () -> OverBosh.getsTheEvent(server))
            .test("a wrong password over BOSH", () -> OverBosh.aWrongPasswordIsRefused(server))
            .test("agents talk, with carbons", () -> Messages.agentsTalkAndEveryDeviceSeesIt(server))
            .test("what nobody reads comes back", () -> Messages.whatNobodyReadsComesBack(server))
            .test("who looks away is spared", () -> Messages.whoLooksAwayIsSparedPresences(server))
            .run(server);
    }

    /** Cisco's sample: log in, get the node, listen; it never subscribes. */
    private static void getsTheEvent(Server server, boolean direct) throws Exception {
        String requestId = direct ? "smack-direct" : "smack-starttls";
        var connection = Desk.connect(server, "1001", Server.PASSWORD, "smack", direct);
        Tap.check(direct || connection.isSecureConnection(), "no TLS");
        LeafNode node = Desk.pubsub(connection).getLeafNode("/finesse/api/User/1001");
        var events = Desk.listen(node);
        server.putState("1001", "LOGIN", requestId);
        String event = Desk.await(events, text -> text.contains(requestId));
        Tap.check(event.contains("NOT_READY"), event);
        server.putState("1001", "LOGOUT", requestId);
        connection.disconnect();
    }

    private static void itLogsInByTheHashThatItHas(Server server) throws Exception {
        for (boolean direct : List.of(false, true)) {
            Desk.connect(server, "1005", Server.PASSWORD, "smack", direct).disconnect();
            String login = server.login("1005");
            Tap.check(login.contains("\"mechanism\":\"SCRAM-SHA-1\""), login);
        }
    }

    private static void aSupervisorSubscribes(Server server) throws Exception {
        var connection = Desk.connect(server, "sup1", Server.PASSWORD, "smack", false);
        LeafNode node = Desk.pubsub(connection).getLeafNode("/finesse/api/Team/1/Users");
        var events = Desk.listen(node);
        var subscription = node.subscribe(connection.getUser());
        Tap.check(subscription.getState().name().equals("subscribed"), subscription.toString());
        server.putState("1001", "LOGIN", "smack-team");
        Desk.await(events, text -> text.contains("smack-team"));
        node.unsubscribe(connection.getUser().toString());
        connection.disconnect();
    }

    private static void aPublisherPublishes(Server server) throws Exception {
        var connection = Desk.connect(server, "publisher", Server.PASSWORD, "smack", true);
        LeafNode node = Desk.pubsub(connection).createNode("/crm/smack");
        var payload = new SimplePayload("<alert xmlns='urn:example:crm'>a &lt; b</alert>");
        node.publish(new PayloadItem<>("one", payload));
        List<PayloadItem<SimplePayload>> items = node.getItems();
        Tap.check(items.size() == 1 && items.get(0).getId().equals("one"), items.toString());
        Tap.check(items.get(0).getPayload().toXML().toString().contains("a &lt; b"), items.toString());
        connection.disconnect();
    }

    private static void bothSidesPing(Server server) throws Exception {
        var connection = Desk.connect(server, "1004", Server.PASSWORD, "smack", false);
        Tap.check(PingManager.getInstanceFor(connection).pingMyServer(), "no pong");
        // The server asks after a second of silence, and hangs up after three.
        Thread.sleep(4000);
        Tap.check(connection.isConnected(), "the server did not take Smack's answers for life");
        Tap.check(PingManager.getInstanceFor(connection).pingMyServer(), "no pong");
        connection.disconnect();
    }

    private static void aWrongPasswordIsRefused(Server server) throws Exception {
        try {
            Desk.connect(server, "1002", "wrong", "smack", false);
        } catch (SASLErrorException error) {
            String failure = error.getSASLFailure().getSASLErrorString();
            Tap.check(failure.equals("not-authorized"), failure);
            return;
        }
        Tap.check(false, "it was let in");
    }

    private static void aSecondDeskEndsTheFirst(Server server) throws Exception {
        var first = Desk.connect(server, "1003", Server.PASSWORD, "smack", false);
        var end = new CompletableFuture<Exception>();
        first.addConnectionListener(new ConnectionListener() {
            @Override
            public void connectionClosedOnError(Exception error) {
                end.complete(error);
            }
        });
        var second = Desk.connect(server, "1003", Server.PASSWORD, "smack", false);
        Exception error = end.get(Server.WAIT_SECS, TimeUnit.SECONDS);
        Tap.check(error instanceof StreamErrorException, error.toString());
        var condition = ((StreamErrorException) error).getStreamError().getCondition();
        Tap.check(condition == StreamError.Condition.conflict, condition.toString());
        second.disconnect();
    }
}
