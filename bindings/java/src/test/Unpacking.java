import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.mpt.*;

/** How processes find the libraries of the jar, and how they end. Each case is some processes of this program. usage: Unpacking, with org.mpt.cache set */
final class Unpacking {
    private static final Path CACHE = Path.of(System.getProperty("org.mpt.cache")).resolveSibling("unpacking");

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            child(args[0]);
            return;
        }
        Check.that("four processes and one empty folder", () -> {
            clear();
            List<Process> all = new ArrayList<>();
            for (int i = 0; i < 4; ++i) all.add(start("sum", CACHE));
            for (Process p : all) Check.equal("0: 3.0", ended(p));
            Check.equal(List.of("lock"), files().stream().map(f -> f.getFileName().toString()).filter(n -> !n.startsWith("lib")).toList());
        });
        Check.that("a library that is cut short or gone", () -> {
            for (Path file : files()) {
                if (file.endsWith("libmpt_cpu.so")) Files.write(file, new byte[100]);
                if (file.endsWith("libmpt_java.so")) Files.delete(file);
                if (file.endsWith("libmpt.so.0")) Files.write(file.resolveSibling("libmpt.so.0.part"), new byte[7]);
            }
            Check.equal("0: 3.0", ended(start("sum", CACHE)));
        });
        Check.that("a folder that others can write to", () -> {
            Path folder = files().get(0).getParent();
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
            refused(CACHE, "others can write to " + folder);
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            Check.equal("0: 3.0", ended(start("sum", CACHE)));
        });
        Check.that("a folder of another user", () -> {
            if (!System.getProperty("user.name").equals("root")) return; // nobody else can give files away
            Path folder = files().get(0).getParent();
            Files.setOwner(folder, folder.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
            refused(CACHE, folder + " belongs to nobody");
        });
        Check.that("no folder can be made", () -> {
            clear();
            Files.writeString(CACHE, "a file");
            refused(CACHE, CACHE.toString());
            clear();
            refused(Path.of("/proc/mpt"), "/proc/mpt");
        });
        Check.that("libraries from a folder of one's own", () -> {
            clear();
            Check.equal("0: 3.0", ended(start("sum", CACHE)));
            String folder = files().get(0).getParent().toString();
            Check.equal("0: 3.0", ended(start("sum", Path.of("/proc/mpt"), "-Dorg.mpt.library.path=" + folder)));
        });
        Check.that("the end of a process in the middle of everything", () -> {
            for (int i = 0; i < 4; ++i) Check.equal("7: running", ended(start("exit", CACHE)));
            Check.equal("0: running", ended(start("return", CACHE)));
        });
        clear();
        Check.end();
    }

    private static void child(String what) {
        Context ctx = Context.create(new ContextOptions().threads(2));
        Tensor x = ctx.tensor(new float[] {1, 2}, 2);
        if (what.equals("sum")) {
            System.out.println(x.sum().item());
            return;
        }
        Tensor large = Tensor.create(ctx, DType.F32, 256, 256);
        Program program = ctx.capture(() -> List.of(large.matmul(large)));
        Thread busy = new Thread(() -> {
            while (true) program.run();
        });
        busy.setDaemon(true);
        busy.start();
        for (int i = 0; i < 1000; ++i) ctx.tensor(new float[100], 100);
        System.out.println("running");
        if (what.equals("exit")) System.exit(7);
    }

    private static Process start(String what, Path cache, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xcheck:jni", "-Xmx128m", "-Dorg.mpt.cache=" + cache));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "Unpacking", what));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String ended(Process p) throws Exception {
        String said = new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).strip();
        if (!p.waitFor(60, TimeUnit.SECONDS)) {
            p.destroyForcibly();
            throw new AssertionError("a process that does not end: " + said);
        }
        return p.exitValue() + ": " + said;
    }

    private static void refused(Path cache, String why) throws Exception {
        String said = ended(start("sum", cache));
        Check.isTrue(said.startsWith("1: ") && said.contains("UnsatisfiedLinkError") && said.contains("org.mpt.cache") && said.contains(why), said);
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(CACHE)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static void clear() throws IOException {
        if (!Files.exists(CACHE)) return;
        try (Stream<Path> all = Files.walk(CACHE)) {
            for (Path one : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(one);
        }
    }
}
