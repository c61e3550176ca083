package org.mpt.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Loads the native libraries: from the folder that the property org.mpt.library.path names, else from this jar, out of which they are
 * unpacked once into a cache (org.mpt.cache, else $XDG_CACHE_HOME/mpt/java, else ~/.cache/mpt/java).
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
        } catch (IOException | OverlappingFileLockException e) {
            throw (Error) new UnsatisfiedLinkError("the native libraries of mpt cannot be unpacked; the property org.mpt.cache can name another folder for them: " + e)
                    .initCause(e);
        }
        loaded = true;
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

    /** A file of the jar: a line of the list that build.sh writes. */
    private record Packed(String name, long size) {
        static Packed of(String line) {
            int space = line.indexOf(' ');
            return new Packed(line.substring(space + 1), Long.parseLong(line.substring(0, space)));
        }

        boolean isIn(Path folder) throws IOException {
            Path file = folder.resolve(name);
            return Files.exists(file) && Files.size(file) == size;
        }
    }

    /** The libraries of this jar in a folder of their own: its name is made from what they contain. */
    private static Path unpack() throws IOException {
        List<String> lines;
        try (InputStream in = open("list")) {
            lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
        List<Packed> files = lines.stream().skip(1).map(Packed::of).toList();
        Path folder = cache().resolve(lines.get(0));
        Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ours(folder);
        if (missing(files, folder).isEmpty()) return folder;
        // One process unpacks, others wait for it; a file appears whole or not at all, should one end in the middle.
        try (FileChannel file = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE); FileLock lock = file.lock()) {
            for (Packed wanted : missing(files, folder)) {
                if (!lock.isValid()) throw new IOException("the lock of " + folder + " is gone");
                Path draft = folder.resolve(wanted.name + ".part");
                try (InputStream in = open(wanted.name)) {
                    Files.copy(in, draft, StandardCopyOption.REPLACE_EXISTING);
                }
                Files.move(draft, folder.resolve(wanted.name), StandardCopyOption.ATOMIC_MOVE);
            }
        }
        return folder;
    }

    private static List<Packed> missing(List<Packed> files, Path folder) throws IOException {
        List<Packed> found = new ArrayList<>();
        for (Packed file : files) if (!file.isIn(folder)) found.add(file);
        return found;
    }

    /** Code is loaded from there: nobody else may have put it. */
    private static void ours(Path folder) throws IOException {
        String owner = Files.getOwner(folder).getName(), user = System.getProperty("user.name", "?");
        if (!owner.equals(user) && !owner.equals("root") && !user.equals("?")) throw new IOException(folder + " belongs to " + owner);
        Set<PosixFilePermission> rights = Files.getPosixFilePermissions(folder);
        if (rights.contains(PosixFilePermission.GROUP_WRITE) || rights.contains(PosixFilePermission.OTHERS_WRITE))
            throw new IOException("others can write to " + folder);
    }

    private static Path cache() throws IOException {
        String set = System.getProperty("org.mpt.cache");
        if (set != null && !set.isEmpty()) return Path.of(set).toAbsolutePath();
        String xdg = System.getenv("XDG_CACHE_HOME");
        String home = System.getProperty("user.home", "?");
        if ((xdg == null || xdg.isEmpty()) && home.equals("?")) throw new IOException("this user has no home");
        Path root = xdg != null && !xdg.isEmpty() ? Path.of(xdg) : Path.of(home, ".cache");
        return root.resolve("mpt").resolve("java").toAbsolutePath();
    }
}
