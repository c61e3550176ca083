package org.mpt.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;

/**
 * Loads the native libraries: from the folder that the property org.mpt.library.path names, else from this jar, out of which they are
 * unpacked once into a cache (org.mpt.cache, else $XDG_CACHE_HOME/mpt, else ~/.cache/mpt).
 */
final class Library {
    private static final String GLUE = "libmpt_java.so";
    private static boolean loaded;

    private Library() {}

    static synchronized void load() {
        if (loaded) return;
        String folder = System.getProperty("org.mpt.library.path");
        try {
            Path from = folder != null && !folder.isEmpty() ? Path.of(folder).toAbsolutePath() : unpack();
            System.load(from.resolve(GLUE).toString());
        } catch (IOException e) {
            throw new UncheckedLinkError("the native libraries of mpt cannot be unpacked: " + e.getMessage(), e);
        }
        loaded = true;
    }

    private static final class UncheckedLinkError extends UnsatisfiedLinkError {
        private static final long serialVersionUID = 1;

        UncheckedLinkError(String message, Throwable cause) {
            super(message);
            initCause(cause);
        }
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("linux") ? "linux" : System.getProperty("os.name");
        String arch = System.getProperty("os.arch");
        return os + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }

    private static InputStream open(String name) throws IOException {
        InputStream in = Library.class.getResourceAsStream("/org/mpt/natives/" + platform() + "/" + name);
        if (in == null) throw new IOException("this jar has no " + name + " for " + platform() + "; org.mpt.library.path can name a folder with it");
        return in;
    }

    /** The libraries of this jar in a folder of their own: its name is made from what they contain. */
    @SuppressWarnings("try")
    private static Path unpack() throws IOException {
        List<String> lines;
        try (InputStream in = open("list")) {
            lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
        Path cache = cache();
        Path folder = cache.resolve(lines.get(0));
        Path done = folder.resolve("done");
        if (Files.exists(done)) return folder;
        Files.createDirectories(folder);
        // One process unpacks, others wait for it; a file appears whole or not at all, should one end in the middle.
        try (FileChannel lock = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var held = lock.lock()) {
            if (Files.exists(done)) return folder;
            for (String name : lines.subList(1, lines.size())) {
                Path draft = Files.createTempFile(folder, name, ".part");
                try (InputStream in = open(name)) {
                    Files.copy(in, draft, StandardCopyOption.REPLACE_EXISTING);
                }
                move(draft, folder.resolve(name));
            }
            Files.writeString(done, "");
        }
        return folder;
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static Path cache() {
        String set = System.getProperty("org.mpt.cache");
        if (set != null && !set.isEmpty()) return Path.of(set).toAbsolutePath();
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path root = xdg != null && !xdg.isEmpty() ? Path.of(xdg) : Path.of(System.getProperty("user.home"), ".cache");
        return root.resolve("mpt").resolve("java").toAbsolutePath();
    }
}
