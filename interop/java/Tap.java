import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tests that are run one after another and told as TAP. */
public final class Tap {
    private final Map<String, Test> tests = new LinkedHashMap<>();

    public interface Test {
        void run() throws Exception;
    }

    public Tap test(String name, Test test) {
        tests.put(name, test);
        return this;
    }

    /** Runs everything and ends the program: libraries' threads would keep it for a while. */
    public void run(Server server) throws Exception {
        List<String> failed = new ArrayList<>();
        int at = 0;
        for (var test : tests.entrySet()) {
            at++;
            try {
                test.getValue().run();
                System.out.println("ok " + at + " - " + test.getKey());
            } catch (Exception | AssertionError error) {
                failed.add(test.getKey());
                System.out.println("not ok " + at + " - " + test.getKey());
                System.out.println("  " + error);
                error.printStackTrace();
            }
        }
        server.stop();
        System.out.println("1.." + tests.size());
        System.out.println("# pass " + (tests.size() - failed.size()));
        System.out.println("# fail " + failed.size());
        System.exit(failed.isEmpty() ? 0 : 1);
    }

    public static void check(boolean isTrue, String otherwise) {
        if (!isTrue) {
            throw new AssertionError(otherwise);
        }
    }
}
