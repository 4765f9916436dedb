import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The real program on free ports, and REST to it. */
public final class Server {
    public static final String PASSWORD = "opensesame";
    public static final int WAIT_SECS = 15;
    /** Without a variable that names it, the program that cargo built in this project. */
    public static final String PROGRAM = System.getenv().getOrDefault(
        "INTEROP_PROGRAM", Path.of("target/debug/aplomb").toAbsolutePath().toString());
    public final File home;
    private final Process program;
    private final String listening;
    private final HttpClient http;
    /** What it logs, until somebody asks. */
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    public Server(String... more) throws Exception {
        home = Files.createTempDirectory("aplomb-interop-").toFile();
        List<String> command = new ArrayList<>(List.of(
            PROGRAM, "serve", "--lab", "--lab-password", PASSWORD,
            "--log", "json", "--https", "127.0.0.1:0", "--insecure-http", "127.0.0.1:0",
            "--xmpp", "127.0.0.1:0", "--xmpps", "127.0.0.1:0"));
        command.addAll(List.of(more));
        program = new ProcessBuilder(command)
            .directory(home)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
        // A test that breaks off leaves no server behind.
        Runtime.getRuntime().addShutdownHook(new Thread(program::destroyForcibly));
        BufferedReader log = new BufferedReader(new InputStreamReader(program.getErrorStream()));
        String line = log.readLine();
        while (line != null && !line.contains("\"listening\"")) {
            line = log.readLine();
        }
        Tap.check(line != null, "the server ended before it listened");
        listening = line;
        CompletableFuture.runAsync(() -> log.lines().forEach(lines::add));
        http = HttpClient.newBuilder().sslContext(Trust.all()).build();
    }

    /** The port of a listener by its setting's name, such as {@code xmpp}. */
    public int port(String name) {
        var field = Pattern.compile("\"" + name + "\":\"[^\"]*:(\\d+)\"").matcher(listening);
        Tap.check(field.find(), name + " is not in " + listening);
        return Integer.parseInt(field.group(1));
    }

    /** The line of the log that tells of the next login of a user. */
    public String login(String user) throws Exception {
        String wanted = "\"name\":\"" + user + "\"";
        for (;;) {
            String line = lines.poll(WAIT_SECS, TimeUnit.SECONDS);
            Tap.check(line != null, "no login of " + user);
            if (line.contains("\"logged in\"") && line.contains(wanted)) {
                return line;
            }
        }
    }

    public void putState(String user, String state, String requestId) throws Exception {
        String extension = state.equals("LOGIN") ? "<extension>" + user + "</extension>" : "";
        String body = "<User><state>" + state + "</state>" + extension + "</User>";
        String key = Base64.getEncoder().encodeToString((user + ":" + PASSWORD).getBytes());
        URI uri = URI.create("https://localhost:" + port("https") + "/finesse/api/User/" + user);
        var request = HttpRequest.newBuilder(uri)
            .timeout(Duration.ofSeconds(WAIT_SECS))
            .header("Authorization", "Basic " + key)
            .header("Content-Type", "application/xml")
            .header("requestId", requestId)
            .PUT(HttpRequest.BodyPublishers.ofString(body))
            .build();
        var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        Tap.check(answer.statusCode() == 202, answer.statusCode() + " " + answer.body());
    }

    public void stop() throws Exception {
        program.destroy();
        Tap.check(program.waitFor(WAIT_SECS, TimeUnit.SECONDS), "the server does not end");
        Tap.check(program.exitValue() == 0, "the server ended with " + program.exitValue());
        try (Stream<Path> all = Files.walk(home.toPath())) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }
}
