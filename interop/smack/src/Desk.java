import java.net.InetAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jivesoftware.smack.ConnectionConfiguration.SecurityMode;
import org.jivesoftware.smack.XMPPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smackx.pubsub.LeafNode;
import org.jivesoftware.smackx.pubsub.PayloadItem;
import org.jivesoftware.smackx.pubsub.PubSubManager;
import org.jxmpp.jid.impl.JidCreate;

/** A desk that runs Smack: logs in over TCP, and listens to nodes over whatever it has. */
public final class Desk {
    public static XMPPTCPConnection connect(
            Server server, String user, String password, String resource, boolean direct)
            throws Exception {
        var config = XMPPTCPConnectionConfiguration.builder()
            .setXmppDomain("localhost")
            .setHostAddress(InetAddress.getByName("127.0.0.1"))
            .setPort(server.port(direct ? "xmpps" : "xmpp"))
            .setUsernameAndPassword(user, password)
            .setResource(resource)
            .setHostnameVerifier((host, session) -> host.equals("localhost"))
            .setCustomX509TrustManager(new Trust());
        if (direct) {
            config.setSocketFactory(Trust.all().getSocketFactory());
            config.setSecurityMode(SecurityMode.disabled);
        } else {
            config.setSecurityMode(SecurityMode.required);
        }
        var connection = new XMPPTCPConnection(config.build());
        connection.setReplyTimeout(Server.WAIT_SECS * 1000L);
        connection.connect();
        connection.login();
        return connection;
    }

    public static PubSubManager pubsub(XMPPConnection connection) throws Exception {
        return PubSubManager.getInstanceFor(connection, JidCreate.bareFrom("pubsub.localhost"));
    }

    /** The events of a node, as text. */
    public static BlockingQueue<String> listen(LeafNode node) {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        node.addItemEventListener(event -> {
            for (Object item : event.getItems()) {
                events.add(((PayloadItem<?>) item).toXML().toString());
            }
        });
        return events;
    }

    public static String await(BlockingQueue<String> events, Predicate<String> isIt)
            throws Exception {
        for (;;) {
            String event = events.poll(Server.WAIT_SECS, TimeUnit.SECONDS);
            Tap.check(event != null, "no event");
            if (isIt.test(event)) {
                return event;
            }
        }
    }
}
