import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jivesoftware.smack.SmackConfiguration;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnection;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnectionConfiguration;
import org.jivesoftware.smack.sasl.SASLErrorException;
import org.jivesoftware.smack.websocket.XmppWebSocketTransportModuleDescriptor;
import org.jivesoftware.smack.websocket.java11.Java11WebSocketFactory;
import org.jivesoftware.smack.websocket.okhttp.OkHttpWebSocketFactory;
import org.jivesoftware.smack.websocket.impl.WebSocketFactory;
import org.jivesoftware.smackx.ping.PingManager;
import org.jivesoftware.smackx.pubsub.LeafNode;
import org.jivesoftware.smackx.pubsub.PayloadItem;
import org.jivesoftware.smackx.pubsub.PubSubManager;
import org.jxmpp.jid.impl.JidCreate;

/** Smack's WebSocket module, on Java's own WebSocket and on OkHttp. Prints TAP. */
public final class OverWebSocket {
    public static void main(String[] arguments) throws Exception {
        SmackConfiguration.setDefaultReplyTimeout(Server.WAIT_SECS * 1000);
        Logger.getLogger("").setLevel(Level.OFF);
        Server server = new Server();
        new Tap()
            .test("the event of a REST change, by Java's WebSocket",
                () -> getsTheEvent(server, "1001", new Java11WebSocketFactory()))
            .test("the event of a REST change, by OkHttp's",
                () -> getsTheEvent(server, "1002", new OkHttpWebSocketFactory()))
            .test("a wrong password is refused", () -> aWrongPasswordIsRefused(server))
            .run(server);
    }

    private static ModularXmppClientToServerConnection connect(
            Server server, String user, String password, WebSocketFactory factory)
            throws Exception {
        // Over clear text: neither of them can be told to trust the laboratory's certificate.
        URI uri = URI.create("ws://localhost:" + server.port("insecure_http") + "/ws/");
        var builder = ModularXmppClientToServerConnectionConfiguration.builder();
        builder.removeAllModules()
            .setXmppDomain("localhost")
            .setUsernameAndPassword(user, password)
            .setResource("smack-ws")
            .setSecurityMode(
                org.jivesoftware.smack.ConnectionConfiguration.SecurityMode.disabled);
        var module = XmppWebSocketTransportModuleDescriptor.getBuilder(builder);
        module.explicitlySetWebSocketEndpointAndDiscovery(uri, false)
            .setWebSocketFactory(factory);
        builder.addModule(module.build());
        var connection = new ModularXmppClientToServerConnection(builder.build());
        connection.connect();
        connection.login();
        return connection;
    }

    private static void getsTheEvent(Server server, String user, WebSocketFactory factory)
            throws Exception {
        var connection = connect(server, user, Server.PASSWORD, factory);
        var service = JidCreate.bareFrom("pubsub.localhost");
        LeafNode node = PubSubManager.getInstanceFor(connection, service)
            .getLeafNode("/finesse/api/User/" + user);
        List<String> events = new CopyOnWriteArrayList<>();
        node.addItemEventListener(event -> event.getItems().forEach(
            item -> events.add(((PayloadItem<?>) item).toXML().toString())));
        Tap.check(PingManager.getInstanceFor(connection).pingMyServer(), "no pong");
        server.putState(user, "LOGIN", "over-a-websocket");
        for (int at = 0; events.isEmpty() && at < Server.WAIT_SECS * 20; at++) {
            Thread.sleep(50);
        }
        Tap.check(events.size() == 1 && events.get(0).contains("over-a-websocket"), "" + events);
        connection.disconnect();
    }

    private static void aWrongPasswordIsRefused(Server server) throws Exception {
        try {
            connect(server, "1003", "wrong", new Java11WebSocketFactory());
        } catch (SASLErrorException error) {
            String failure = error.getSASLFailure().getSASLErrorString();
            Tap.check(failure.equals("not-authorized"), failure);
            return;
        }
        Tap.check(false, "it was let in");
    }

    private OverWebSocket() { }
}
