import java.io.DataInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Every function of mpt.h is called by the classes of org.mpt, or not-covered.txt says why not; and that has no line too many. A call is found in
 * the class files themselves. usage: Coverage JAR API_JSON NOT_COVERED
 */
final class Coverage {
    public static void main(String[] args) throws Exception {
        Set<String> functions = new TreeSet<>();
        String json = Files.readString(Path.of(args[1]));
        Matcher m = Pattern.compile("\"name\": \"(mpt_\\w+)\",\\s*\"returns\"").matcher(json.substring(json.indexOf("\"functions\"")));
        while (m.find()) functions.add(m.group(1));
        Set<String> called = new HashSet<>();
        try (JarFile jar = new JarFile(args[0])) {
            for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                if (!entry.getName().matches("org/mpt/[^/]*\\.class")) continue;
                try (InputStream in = jar.getInputStream(entry)) {
                    names(new DataInputStream(in), called);
                }
            }
        }
        // A descriptor's defaults are where its options are made; handwritten glue stands for two functions with callbacks.
        if (called.contains("mpt_java_custom_op")) called.add("mpt_custom_op");
        if (called.contains("mpt_java_layer_custom")) called.add("mpt_layer_custom");
        Map<String, String> reasons = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of(args[2]))) {
            if (line.isBlank() || line.startsWith("#")) continue;
            String[] parts = line.split(":\\s*", 2);
            if (parts.length < 2 || parts[1].isBlank()) throw new IllegalArgumentException("without a reason: " + line);
            reasons.put(parts[0].trim(), parts[1]);
        }
        int failed = 0;
        for (String name : functions) {
            String key = reasons.containsKey(name) ? name : name.endsWith("_retain") ? "*_retain" : name;
            boolean excused = reasons.containsKey(key);
            if (called.contains(name) || excused) continue;
            System.out.println("missing in org.mpt: " + name);
            ++failed;
        }
        for (String name : reasons.keySet()) {
            if (name.startsWith("*") || functions.contains(name) && !called.contains(name)) continue;
            System.out.println("needs no reason: " + name);
            ++failed;
        }
        System.out.println(functions.size() + " functions, " + reasons.size() + " reasons, " + failed + " failures");
        if (failed > 0 || functions.size() < 300) System.exit(1);
    }

    /** All names of a class file's constant pool. */
    private static void names(DataInputStream in, Set<String> into) throws Exception {
        in.readInt();
        in.readInt();
        int n = in.readUnsignedShort();
        for (int i = 1; i < n; ++i) {
            switch (in.readUnsignedByte()) {
                case 1 -> into.add(in.readUTF());
                case 3, 4, 9, 10, 11, 12, 17, 18 -> in.readInt();
                case 5, 6 -> {
                    in.readLong();
                    ++i;
                }
                case 15 -> in.skipBytes(3);
                default -> in.readUnsignedShort();
            }
        }
    }
}
