import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.mpt.*;

/** What the tests need instead of a framework: named cases, and what they expect. */
final class Check {
    interface Case {
        void run() throws Exception;
    }

    private static int failed, run;
    private static BiConsumer<String, Case> gatherer;

    private Check() {}

    /** Gives the cases of a program to somebody else instead of running them. */
    static void gather(Case program, BiConsumer<String, Case> to) throws Exception {
        gatherer = to;
        try {
            program.run();
        } finally {
            gatherer = null;
        }
    }

    static void that(String name, Case body) {
        if (gatherer != null) {
            gatherer.accept(name, body);
            return;
        }
        ++run;
        try {
            body.run();
            System.out.println("ok      " + name);
        } catch (Throwable e) {
            ++failed;
            System.out.println("FAILED  " + name);
            e.printStackTrace(System.out);
        }
    }

    static void isTrue(boolean condition, String said) {
        if (!condition) throw new AssertionError(said);
    }

    static void equal(Object wanted, Object got) {
        if (!java.util.Objects.deepEquals(wanted, got)) throw new AssertionError("wanted " + wanted + ", got " + got);
    }

    static void near(double wanted, double got, double most) {
        if (!(Math.abs(wanted - got) <= most)) throw new AssertionError("wanted " + wanted + ", got " + got);
    }

    static <T extends Throwable> T throwing(Class<T> kind, Callable<?> body) {
        try {
            body.call();
        } catch (Throwable e) {
            if (kind.isInstance(e)) return kind.cast(e);
            throw new AssertionError("wanted " + kind.getSimpleName() + ", got " + e, e);
        }
        throw new AssertionError("nothing was thrown where " + kind.getSimpleName() + " was wanted");
    }

    static MptException failing(Status status, Callable<?> body) {
        MptException e = throwing(MptException.class, body);
        equal(status, e.status());
        isTrue(!e.getMessage().isEmpty(), "an exception without a message");
        return e;
    }

    static void end() {
        if (gatherer != null) return;
        System.out.println(run + " cases, " + failed + " failed");
        System.exit(failed == 0 && run > 0 ? 0 : 1);
    }
}
