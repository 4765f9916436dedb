import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jivesoftware.smack.ConnectionConfiguration.SecurityMode;
import org.jivesoftware.smack.ConnectionListener;
import org.jivesoftware.smack.SmackConfiguration;
import org.jivesoftware.smack.XMPPException.StreamErrorException;
import org.jivesoftware.smack.XMPPException.XMPPErrorException;
import org.jivesoftware.smack.packet.StreamError;
import org.jivesoftware.smack.sasl.SASLErrorException;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smackx.ping.PingManager;
import org.jivesoftware.smackx.pubsub.AccessModel;
import org.jivesoftware.smackx.pubsub.Affiliation;
import org.jivesoftware.smackx.pubsub.LeafNode;
import org.jivesoftware.smackx.pubsub.PayloadItem;
import org.jivesoftware.smackx.pubsub.PubSubManager;
import org.jivesoftware.smackx.pubsub.PublishModel;
import org.jivesoftware.smackx.pubsub.SimplePayload;
import org.jxmpp.jid.impl.JidCreate;

/** Smack, the library of Cisco's own sample, walks the whole connection over TCP. Prints TAP. */
public final class Smack {
    private static final String PASSWORD = "opensesame";
    private static final int WAIT_SECS = 15;

    /** The real program on free ports. */
    private static final class Server {
        private final Process program;
        private final File home;
        private final String listening;
        private final HttpClient http;
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

        Server(String... more) throws Exception {
            home = Files.createTempDirectory("aplomb-interop-").toFile();
            String path = System.getenv("INTEROP_PROGRAM");
            List<String> command = new ArrayList<>(List.of(
                path, "serve", "--lab", "--lab-password", PASSWORD, "--log", "json",
                "--https", "127.0.0.1:0", "--xmpp", "127.0.0.1:0", "--xmpps", "127.0.0.1:0"));
            command.addAll(List.of(more));
            program = new ProcessBuilder(command)
                .directory(home)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
            BufferedReader log = new BufferedReader(new InputStreamReader(program.getErrorStream()));
            String line = log.readLine();
            while (line != null && !line.contains("\"listening\"")) {
                line = log.readLine();
            }
            check(line != null, "the server ended before it listened");
            listening = line;
            CompletableFuture.runAsync(() -> log.lines().forEach(lines::add));
            http = HttpClient.newBuilder().sslContext(trustingAll()).build();
        }

        int port(String name) {
            var field = Pattern.compile("\"" + name + "\":\"[^\"]*:(\\d+)\"").matcher(listening);
            check(field.find(), name + " is not in " + listening);
            return Integer.parseInt(field.group(1));
        }

        /** The line of the log that tells of the next login of a user. */
        String login(String user) throws Exception {
            String wanted = "\"name\":\"" + user + "\"";
            return await(lines, line -> line.contains("\"logged in\"") && line.contains(wanted));
        }

        void putState(String user, String state, String requestId) throws Exception {
            String extension = state.equals("LOGIN") ? "<extension>" + user + "</extension>" : "";
            String body = "<User><state>" + state + "</state>" + extension + "</User>";
            String key = Base64.getEncoder().encodeToString((user + ":" + PASSWORD).getBytes());
            URI uri = URI.create(
                "https://localhost:" + port("https") + "/finesse/api/User/" + user);
            var request = HttpRequest.newBuilder(uri)
                .timeout(Duration.ofSeconds(WAIT_SECS))
                .header("Authorization", "Basic " + key)
                .header("Content-Type", "application/xml")
                .header("requestId", requestId)
                .PUT(HttpRequest.BodyPublishers.ofString(body))
                .build();
            var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            check(answer.statusCode() == 202, answer.statusCode() + " " + answer.body());
        }

        void stop() throws Exception {
            program.destroy();
            check(program.waitFor(WAIT_SECS, TimeUnit.SECONDS), "the server does not end");
            check(program.exitValue() == 0, "the server ended with " + program.exitValue());
            home.delete();
        }
    }

    private static XMPPTCPConnection connect(
            Server server, String user, String password, String resource, boolean direct)
            throws Exception {
        var config = XMPPTCPConnectionConfiguration.builder()
            .setXmppDomain("localhost")
            .setHostAddress(InetAddress.getByName("127.0.0.1"))
            .setPort(server.port(direct ? "xmpps" : "xmpp"))
            .setUsernameAndPassword(user, password)
            .setResource(resource)
            .setHostnameVerifier((host, session) -> host.equals("localhost"))
            .setCustomX509TrustManager(new TrustingAll());
        if (direct) {
            config.setSocketFactory(trustingAll().getSocketFactory());
            config.setSecurityMode(SecurityMode.disabled);
        } else {
            config.setSecurityMode(SecurityMode.required);
        }
        var connection = new XMPPTCPConnection(config.build());
        connection.setReplyTimeout(WAIT_SECS * 1000L);
        connection.connect();
        connection.login();
        return connection;
    }

    private static PubSubManager pubsub(XMPPTCPConnection connection) throws Exception {
        return PubSubManager.getInstanceFor(connection, JidCreate.bareFrom("pubsub.localhost"));
    }

    /** The events of a node, as text. */
    private static BlockingQueue<String> listen(LeafNode node) {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        node.addItemEventListener(event -> {
            for (Object item : event.getItems()) {
                events.add(((PayloadItem<?>) item).toXML().toString());
            }
        });
        return events;
    }

    private static String await(BlockingQueue<String> events, Predicate<String> isIt)
            throws Exception {
        for (;;) {
            String event = events.poll(WAIT_SECS, TimeUnit.SECONDS);
            check(event != null, "no event");
            if (isIt.test(event)) {
                return event;
            }
        }
    }

    /** Cisco's sample: log in, get the node, listen; it never subscribes. */
    private static void getsTheEvent(Server server, boolean direct) throws Exception {
        String requestId = direct ? "smack-direct" : "smack-starttls";
        var connection = connect(server, "1001", PASSWORD, "smack", direct);
        check(direct || connection.isSecureConnection(), "no TLS");
        LeafNode node = pubsub(connection).getLeafNode("/finesse/api/User/1001");
        var events = listen(node);
        server.putState("1001", "LOGIN", requestId);
        String event = await(events, text -> text.contains(requestId));
        check(event.contains("NOT_READY"), event);
        server.putState("1001", "LOGOUT", requestId);
        connection.disconnect();
    }

    /**
     * Smack has a bound form too, and leaves it out unless it is told not to: rightly so, for up to
     * 4.4.8 it takes the name of the certificate's key for that of a hash.
     */
    private static void itLogsInByTheHashThatItHas(Server server) throws Exception {
        for (boolean direct : List.of(false, true)) {
            connect(server, "1005", PASSWORD, "smack", direct).disconnect();
            String login = server.login("1005");
            check(login.contains("\"mechanism\":\"SCRAM-SHA-1\""), login);
        }
    }

    private static void aSupervisorSubscribesToATeam(Server server) throws Exception {
        var connection = connect(server, "sup1", PASSWORD, "smack", false);
        LeafNode node = pubsub(connection).getLeafNode("/finesse/api/Team/1/Users");
        var events = listen(node);
        var subscription = node.subscribe(connection.getUser());
        check(subscription.getState().name().equals("subscribed"), subscription.toString());
        server.putState("1001", "LOGIN", "smack-team");
        await(events, text -> text.contains("smack-team"));
        node.unsubscribe(connection.getUser().toString());
        connection.disconnect();
    }

    private static void aPublisherPublishesAndReads(Server server) throws Exception {
        var connection = connect(server, "publisher", PASSWORD, "smack", true);
        LeafNode node = pubsub(connection).createNode("/crm/smack");
        var payload = new SimplePayload("<alert xmlns='urn:example:crm'>a &lt; b</alert>");
        node.publish(new PayloadItem<>("one", payload));
        List<PayloadItem<SimplePayload>> items = node.getItems();
        check(items.size() == 1 && items.get(0).getId().equals("one"), items.toString());
        check(items.get(0).getPayload().toXML().toString().contains("a &lt; b"), items.toString());
        connection.disconnect();
    }

    private static void anOwnerConfiguresANodeAndGivesRights(Server server) throws Exception {
        var owner = connect(server, "publisher", PASSWORD, "smack", true);
        var agent = connect(server, "1001", PASSWORD, "smack", true);
        var form = pubsub(owner).getDefaultConfiguration().getFillableForm();
        form.setAccessModel(AccessModel.authorize);
        form.setTitle("Desk");
        form.setMaxItems(3);
        var node = (LeafNode) pubsub(owner).createNode("/crm/desk", form);
        check(node.getNodeConfiguration().getAccessModel() == AccessModel.authorize, "model");
        LeafNode seen = pubsub(agent).getLeafNode("/crm/desk");
        var subscription = seen.subscribe(agent.getUser());
        check(subscription.getState().name().equals("pending"), subscription.toString());
        var person = agent.getUser().asBareJid();
        node.modifyAffiliationAsOwner(
            List.of(new Affiliation(person, Affiliation.Type.publisher)));
        var mine = pubsub(agent).getSubscriptions();
        check(mine.stream().anyMatch(s -> s.getNode().equals("/crm/desk")
            && s.getState().name().equals("subscribed")), mine.toString());
        check(node.getSubscriptionsAsOwner().size() == 1, "subscribers");
        seen.publish(new PayloadItem<>("one", new SimplePayload("<a xmlns='urn:example:crm'/>")));

        var change = node.getNodeConfiguration().getFillableForm();
        change.setAccessModel(AccessModel.open);
        change.setPublishModel(PublishModel.open);
        node.sendConfigurationForm(change);
        node.modifyAffiliationAsOwner(List.of(new Affiliation(person, Affiliation.Type.outcast)));
        try {
            seen.getItems();
            check(false, "an outcast reads");
        } catch (XMPPErrorException error) {
            check(error.getStanzaError().getCondition().name().equals("forbidden"), error.toString());
        }
        check(pubsub(owner).deleteNode("/crm/desk"), "it was not deleted");
        agent.disconnect();
        owner.disconnect();
    }

    private static void bothSidesPing(Server server) throws Exception {
        var connection = connect(server, "1004", PASSWORD, "smack", false);
        check(PingManager.getInstanceFor(connection).pingMyServer(), "no pong");
        // The server asks after a second of silence, and hangs up after three.
        Thread.sleep(4000);
        check(connection.isConnected(), "the server did not take Smack's answers for life");
        check(PingManager.getInstanceFor(connection).pingMyServer(), "no pong");
        connection.disconnect();
    }

    private static void aWrongPasswordIsRefused(Server server) throws Exception {
        try {
            connect(server, "1002", "wrong", "smack", false);
        } catch (SASLErrorException error) {
            String failure = error.getSASLFailure().getSASLErrorString();
            check(failure.equals("not-authorized"), failure);
            return;
        }
        check(false, "it was let in");
    }

    private static void aSecondDeskEndsTheFirst(Server server) throws Exception {
        var first = connect(server, "1003", PASSWORD, "smack", false);
        var end = new CompletableFuture<Exception>();
        first.addConnectionListener(new ConnectionListener() {
            @Override
            public void connectionClosedOnError(Exception error) {
                end.complete(error);
            }
        });
        var second = connect(server, "1003", PASSWORD, "smack", false);
        Exception error = end.get(WAIT_SECS, TimeUnit.SECONDS);
        check(error instanceof StreamErrorException, error.toString());
        var condition = ((StreamErrorException) error).getStreamError().getCondition();
        check(condition == StreamError.Condition.conflict, condition.toString());
        second.disconnect();
    }

    private interface Test {
        void run(Server server) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        SmackConfiguration.setDefaultReplyTimeout(WAIT_SECS * 1000);
        // It warns of every end, and most tests bring one about.
        Logger.getLogger("org.jivesoftware.smack").setLevel(Level.OFF);
        List<String> names = List.of(
            "an agent gets the event of a REST change, by STARTTLS",
            "an agent gets the event of a REST change, over TLS",
            "it logs in by the hash that it has",
            "a supervisor subscribes to a team",
            "a publisher publishes and reads",
            "an owner configures a node and gives rights",
            "both sides ping",
            "a wrong password is refused",
            "a second desk ends the first with a conflict");
        List<Test> tests = List.of(
            server -> getsTheEvent(server, false),
            server -> getsTheEvent(server, true),
            Smack::itLogsInByTheHashThatItHas,
            Smack::aSupervisorSubscribesToATeam,
            Smack::aPublisherPublishesAndReads,
            Smack::anOwnerConfiguresANodeAndGivesRights,
            Smack::bothSidesPing,
            Smack::aWrongPasswordIsRefused,
            Smack::aSecondDeskEndsTheFirst);
        Server server = new Server("--ping-after", "1s", "--dead-after", "3s");
        int failed = 0;
        for (int at = 0; at < tests.size(); at++) {
            try {
                tests.get(at).run(server);
                System.out.println("ok " + (at + 1) + " - " + names.get(at));
            } catch (Exception | AssertionError error) {
                failed++;
                System.out.println("not ok " + (at + 1) + " - " + names.get(at));
                System.out.println("  " + error);
            }
        }
        server.stop();
        System.out.println("1.." + tests.size());
        System.out.println("# pass " + (tests.size() - failed));
        System.out.println("# fail " + failed);
        // Smack's threads would keep the machine running for a while.
        System.exit(failed == 0 ? 0 : 1);
    }

    private static void check(boolean isTrue, String otherwise) {
        if (!isTrue) {
            throw new AssertionError(otherwise);
        }
    }

    private static SSLContext trustingAll() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustingAll()}, null);
        return context;
    }

    /** The laboratory's certificate is its own. */
    private static final class TrustingAll extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) { }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) { }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket s) { }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket s) { }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine e) { }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine e) { }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
