import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import javassist.ClassClassPath;
import javassist.ClassPool;
import javassist.CtClass;
import org.igniterealtime.smack.inttest.AbstractSmackIntegrationTest;
import org.igniterealtime.smack.inttest.AbstractSmackLowLevelIntegrationTest;
import org.igniterealtime.smack.inttest.Configuration;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework;
import org.igniterealtime.smack.inttest.XmppConnectionDescriptor;
import org.igniterealtime.smack.inttest.XmppConnectionManager;
import org.igniterealtime.smack.inttest.annotations.SmackIntegrationTest;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.reflections.Reflections;

/**
 * Runs Smack's integration tests, which are the ground of the XMPP interop test suite, against the
 * real program, and holds the outcome against a list of what is expected. Prints TAP.
 *
 * <p>usage: Sint EXPECTED [CLASS]
 */
public final class Sint {
    private static final String DOMAIN = "localhost";
    private static Server server;

    public static void main(String[] arguments) throws Exception {
        Logger.getLogger("").setLevel(Level.OFF);
        makeAccountsOurWay();
        Expected expected = Expected.read(Path.of(arguments[0]));
        server = new Server("--stream-management", "offered", "--data-dir", "data");
        String only = arguments.length > 1 ? arguments[1] : null;
        Map<String, String> outcomes = outcomes(only, expected.notRun);
        server.stop();
        boolean isGood = expected.tell(outcomes, arguments.length == 1);
        System.exit(isGood ? 0 : 1);
    }

    /**
     * What became of each test: {@code passed}, or why it did not. Each has accounts and connections
     * of its own: what one leaves behind, or still says, is not the next one's matter.
     */
    private static Map<String, String> outcomes(String only, List<String> notRun) throws Exception {
        int port = server.port("xmpp");
        // The framework's own connections know of no port but 5222.
        XmppConnectionManager.removeConnectionDescriptor("tcp");
        XmppConnectionManager.addConnectionDescriptor(
            XmppConnectionDescriptor
                .<XMPPTCPConnection, XMPPTCPConnectionConfiguration,
                    XMPPTCPConnectionConfiguration.Builder>buildWith(
                    XMPPTCPConnection.class,
                    XMPPTCPConnectionConfiguration.class,
                    XMPPTCPConnectionConfiguration.Builder.class)
                .withNickname("lab")
                .applyExtraConfiguration(builder -> builder
                    .setHostAddress(InetAddress.getLoopbackAddress())
                    .setPort(port))
                .build());
        Map<String, String> outcomes = new TreeMap<>();
        for (Class<?> kind : testClasses()) {
            String name = kind.getSimpleName();
            if (notRun.contains(name) || only != null && !only.equals(name)) {
                continue;
            }
            for (Method method : kind.getMethods()) {
                if (method.isAnnotationPresent(SmackIntegrationTest.class)) {
                    outcomes.putAll(outcomesOf(name + "." + method.getName()));
                }
            }
        }
        return outcomes;
    }

    private static List<Class<?>> testClasses() {
        var all = new Reflections("org.jivesoftware", "org.igniterealtime.smack");
        List<Class<?>> classes = new ArrayList<>();
        for (var kind : List.of(
                AbstractSmackIntegrationTest.class, AbstractSmackLowLevelIntegrationTest.class)) {
            all.getSubTypesOf(kind).stream()
                .filter(test -> !Modifier.isAbstract(test.getModifiers()))
                .forEach(classes::add);
        }
        classes.sort(Comparator.comparing(Class::getName));
        return classes;
    }

    private static Map<String, String> outcomesOf(String test) throws Exception {
        var config = Configuration.builder()
            .setService(DOMAIN)
            .setSecurityMode("disabled")
            .setReplyTimeout("15000")
            .setDefaultConnection("lab")
            .setEnabledConnections("lab")
            .setDnsResolver("javax")
            .setEnabledTests(test)
            .build();
        Map<String, String> outcomes = new TreeMap<>();
        try {
            var run = new SmackIntegrationTestFramework(config).run();
            run.getSuccessfulTests().forEach(one -> outcomes.put(name(one.concreteTest), "passed"));
            run.getFailedTests().forEach(
                one -> outcomes.put(name(one.concreteTest), "failed: " + one.failureReason));
            run.getNotPossibleTests().forEach(
                one -> outcomes.put(
                    name(one.concreteTest),
                    "impossible: " + one.testNotPossibleException.getMessage()));
            run.getImpossibleTestClasses().forEach(
                (one, why) -> outcomes.put(one.getSimpleName(), "impossible: " + why.getMessage()));
        } catch (IllegalArgumentException nothingToRun) {
            outcomes.put(test.split("\\.")[0], "impossible: " + nothingToRun.getMessage());
        }
        return outcomes;
    }

    /** {@code Class.method}, from {@code Class.method (kind)} or the like. */
    private static String name(Object test) {
        return test.toString().split(" ")[0];
    }

    /**
     * The framework makes its accounts by in-band registration or by commands of XEP-0133. A
     * contact centre has neither: an administrator makes accounts, with {@code aplomb user}.
     */
    private static void makeAccountsOurWay() throws Exception {
        ClassPool classes = ClassPool.getDefault();
        classes.insertClassPath(new ClassClassPath(Sint.class));
        CtClass accounts = classes.get("org.igniterealtime.smack.inttest.XmppConnectionManager");
        accounts.getDeclaredMethod("registerAccount").setBody("{ Sint.addUser($1, $2); }");
        accounts.toClass(XmppConnectionDescriptor.class);
    }

    /** Adds an agent of the first team to the running server. */
    public static void addUser(String name, String password) {
        try {
            Path secret = Files.createTempFile("aplomb-interop-", "");
            Files.writeString(secret, password + "\n");
            Process program = new ProcessBuilder(
                Server.PROGRAM, "user", "add", name, "--team", "1",
                "--role", "agent", "--role", "publisher",
                "--data-dir", new File(server.home, "data").getPath(),
                "--password-file", secret.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
            boolean isAdded = program.waitFor(Server.WAIT_SECS, TimeUnit.SECONDS)
                && program.exitValue() == 0;
            Files.delete(secret);
            if (!isAdded) {
                throw new IllegalStateException("aplomb user add " + name + " failed");
            }
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    /**
     * What is expected: a comment says why the tests after it do not pass, or, with a minus, why
     * they are not run.
     */
    private static final class Expected {
        private final Map<String, String> reasons = new TreeMap<>();
        private final List<String> notRun = new ArrayList<>();

        static Expected read(Path file) throws IOException {
            Expected expected = new Expected();
            String reason = "";
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith("# ")) {
                    reason = line.substring(2);
                } else if (line.startsWith("- ")) {
                    expected.notRun.add(line.substring(2).trim());
                } else if (!line.isBlank()) {
                    expected.reasons.put(line.trim(), reason);
                }
            }
            return expected;
        }

        /** Prints TAP. A test that passes against expectation is as wrong as one that fails. */
        boolean tell(Map<String, String> outcomes, boolean isWhole) {
            List<String> wrong = new ArrayList<>();
            outcomes.forEach((test, outcome) -> {
                boolean isPassed = outcome.equals("passed");
                String reason = reasons.get(test);
                boolean isExpected = isPassed == (reason == null);
                if (!isExpected) {
                    wrong.add(test);
                }
                System.out.println((isExpected ? "ok - " : "not ok - ") + test + ": " + outcome);
                if (reason != null) {
                    System.out.println("  expected not to pass: " + reason);
                }
            });
            if (isWhole) {
                reasons.keySet().stream().filter(test -> !outcomes.containsKey(test)).forEach(
                    test -> {
                        wrong.add(test);
                        System.out.println("not ok - " + test + ": expected, and did not run");
                    });
            }
            long passed = outcomes.values().stream().filter("passed"::equals).count();
            System.out.println("# " + passed + " of " + outcomes.size() + " pass");
            System.out.println("1.." + (outcomes.size()));
            System.out.println("# pass " + (outcomes.size() - wrong.size()));
            System.out.println("# fail " + wrong.size());
            return wrong.isEmpty();
        }
    }
}
