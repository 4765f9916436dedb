import org.jivesoftware.smack.ConnectionConfiguration.SecurityMode;
import org.jivesoftware.smack.bosh.BOSHConfiguration;
import org.jivesoftware.smack.bosh.XMPPBOSHConnection;
import org.jivesoftware.smack.sasl.SASLErrorException;
import org.jivesoftware.smackx.pubsub.LeafNode;

/** Smack's BOSH module, which is jbosh, over clear text: it takes no certificates of its own. */
final class OverBosh {
    static void getsTheEvent(Server server) throws Exception {
        var connection = connect(server, "1008", Server.PASSWORD);
        LeafNode node = Desk.pubsub(connection).getLeafNode("/finesse/api/User/1008");
        var events = Desk.listen(node);
        server.putState("1008", "LOGIN", "smack-bosh");
        String event = Desk.await(events, text -> text.contains("smack-bosh"));
        Tap.check(event.contains("NOT_READY"), event);
        connection.disconnect();
    }

    static void aWrongPasswordIsRefused(Server server) throws Exception {
        try {
            connect(server, "1008", "wrong");
        } catch (SASLErrorException error) {
            String failure = error.getSASLFailure().getSASLErrorString();
            Tap.check(failure.equals("not-authorized"), failure);
            return;
        }
        Tap.check(false, "it was let in");
    }

    private static XMPPBOSHConnection connect(Server server, String user, String password)
            throws Exception {
        var config = BOSHConfiguration.builder()
            .setXmppDomain("localhost")
            // An address in place of a name makes `http:///127.0.0.1/` of it (Smack 4.4.8).
            .setHost("localhost")
            .setPort(server.port("insecure_http"))
            .setFile("/http-bind/")
            .setSecurityMode(SecurityMode.disabled)
            .setUsernameAndPassword(user, password)
            .setResource("smack-bosh")
            .build();
        var connection = new XMPPBOSHConnection(config);
        connection.connect();
        connection.login();
        return connection;
    }

    private OverBosh() { }
}
