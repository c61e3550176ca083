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
 * Every function of mpt.h is called, and every field of a descriptor set, by the classes of org.mpt, or not-covered.txt says why not; and that has no line too many. A call is found in
 * the class files themselves. usage: Coverage JAR API_JSON NOT_COVERED
 */
final class Coverage {
    public static void main(String[] args) throws Exception {
        Set<String> functions = new TreeSet<>();
        String json = Files.readString(Path.of(args[1]));
        Matcher m = Pattern.compile("\"name\": \"(mpt_\\w+)\",\\s*\"returns\"").matcher(json.substring(json.indexOf("\"functions\"")));
        while (m.find()) functions.add(m.group(1));
        // Fields of descriptors count as functions do: an options class calls the setter.
        Map<String, String> setters = new TreeMap<>();
        Matcher s = Pattern.compile("\"name\": \"(mpt_\\w+)\",\\s*\"fields\": \\[([^\\]]*)\\]").matcher(json);
        while (s.find()) {
            Matcher f = Pattern.compile("\"name\": \"(\\w+)\"").matcher(s.group(2));
            while (f.find()) {
                String field = f.group(1);
                if (!field.equals("struct_size") && !field.equals("reserved"))
                    setters.put(s.group(1) + "." + field, "set" + Character.toUpperCase(field.charAt(0)) + field.substring(1));
            }
        }
        Set<String> called = new HashSet<>();
        try (JarFile jar = new JarFile(args[0])) {
            for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                if (!entry.getName().matches("org/mpt/[^/]*\\.class")) continue;
                try (InputStream in = jar.getInputStream(entry)) {
                    Set<String> here = new HashSet<>();
                    names(new DataInputStream(in), here);
                    called.addAll(here);
                    for (Map.Entry<String, String> e : setters.entrySet()) {
                        if (here.contains("org/mpt/internal/" + e.getKey().substring(0, e.getKey().indexOf('.'))) && here.contains(e.getValue())) called.add(e.getKey());
                    }
                }
            }
        }
        functions.addAll(setters.keySet());
        // Handwritten glue stands for two functions with callbacks.
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
            String group = name.endsWith("_retain") ? "*_retain" : name.replaceFirst("\\..*", ".*");
            if (called.contains(name) || reasons.containsKey(name) || reasons.containsKey(group)) continue;
            System.out.println("missing in org.mpt: " + name);
            ++failed;
        }
        for (String name : reasons.keySet()) {
            if (name.contains("*") || functions.contains(name) && !called.contains(name)) continue;
            System.out.println("needs no reason: " + name);
            ++failed;
        }
        System.out.println(functions.size() + " functions and fields, " + reasons.size() + " reasons, " + failed + " failures");
        if (failed > 0 || functions.size() < 400) System.exit(1);
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
