import java.util.Locale;
import java.util.Map;
import org.mpt.*;

/** The command line of FashionMnist: that of the C sample. */
final class Options {
    static final String HELP = """
            Trains a small convolutional network on Fashion-MNIST with mpt.

              --epochs N                how often to go over the training images (default 10)
              --batch N                 images per step (default 128)
              --limit N                 use only the first N images of each set (default 0: all)
              --precision f32|f16|bf16|fp8
                                        what products compute in (default f32); f16 scales the loss
              --recipe current|delayed|unscaled
                                        how fp8 finds its scales (default current)
              --keep PATTERNS           layers that fp8 leaves in bf16, for example 'conv1,*head'; a pattern that
                                        matches none is refused with the list of layers
              --seed N                  of weights, order and noise (default 0)
              --device auto|cpu|cuda    where to compute (default auto: the GPU when it works)
              --threads N               threads of the CPU (default 0: one per core)
              --eager                   run each operation at once instead of a captured program
              --data DIR                the folder of the data
              --out DIR                 where checkpoint, log and plot go (default demo-output)
              --resume FILE             go on from a checkpoint
              --stop N                  end after row N of the table, to be resumed (default 0: the last)
              --help                    this text

            NO_COLOR switches colours off. Exit codes: 0 done, 1 failed, 2 wrong options.
            """;

    DType precision = DType.F32;
    Fp8Recipe recipe = Fp8Recipe.CURRENT;
    String keep = "", data = "/usr/share/datasets/fashion-mnist", out = "demo-output", resume;
    Device device = Device.AUTO;
    long epochs = 10, batch = 128, limit, stop, seed, threads;
    boolean eager;

    /** Ends the process with a message. */
    static RuntimeException end(int code, String message) {
        System.out.flush();
        System.err.println(message);
        System.exit(code);
        throw new IllegalStateException();
    }

    static Options parse(String[] args) {
        Options o = new Options();
        for (int i = 0; i < args.length; ++i) {
            int equals = args[i].indexOf('=');
            String word = equals < 0 ? args[i] : args[i].substring(0, equals);
            String name = word.startsWith("--") ? word.substring(2) : "";
            if (equals < 0 && (name.equals("help") || word.equals("-h"))) {
                System.out.print(HELP);
                System.exit(0);
            }
            if (equals < 0 && name.equals("eager")) {
                o.eager = true;
                continue;
            }
            if (!java.util.List.of("precision", "recipe", "keep", "device", "limit", "stop", "seed", "threads", "data", "out", "resume", "epochs", "batch").contains(name))
                throw end(2, args[i] + ": no such option; --help lists them");
            if (equals < 0 && i + 1 == args.length) throw end(2, "--" + name + " needs a value; --help shows which");
            o.set(name, equals < 0 ? args[++i] : args[i].substring(equals + 1));
        }
        return o;
    }

    private void set(String name, String text) {
        switch (name) {
            case "precision" -> precision = choice(name, text, "f32 f16 bf16 fp8", Map.of("f32", DType.F32, "f16", DType.F16, "bf16", DType.BF16, "fp8", DType.F8E4M3));
            case "recipe" -> recipe = choice(name, text, "current delayed unscaled",
                    Map.of("current", Fp8Recipe.CURRENT, "delayed", Fp8Recipe.DELAYED, "unscaled", Fp8Recipe.UNSCALED));
            case "device" -> device = choice(name, text, "auto cpu cuda", Map.of("auto", Device.AUTO, "cpu", Device.CPU, "cuda", Device.CUDA));
            case "keep" -> keep = text;
            case "data" -> data = path(name, text);
            case "out" -> out = path(name, text);
            case "resume" -> resume = path(name, text);
            case "epochs" -> epochs = number(name, text, 1, 1000);
            case "batch" -> batch = number(name, text, 1, 60000);
            case "limit" -> limit = number(name, text, 0, Integer.MAX_VALUE);
            case "stop" -> stop = number(name, text, 0, 1000);
            case "seed" -> seed = number(name, text, 0, Long.MAX_VALUE);
            case "threads" -> threads = number(name, text, 0, 1024);
            default -> throw new IllegalArgumentException(name);
        }
    }

    private static <T> T choice(String name, String text, String names, Map<String, T> choices) {
        if (!choices.containsKey(text)) throw end(2, "--" + name + " " + text + ": the choices are " + names);
        return choices.get(text);
    }

    private static String path(String name, String text) {
        if (text.isEmpty()) throw end(2, "--" + name + " needs a path");
        return text;
    }

    private static long number(String name, String text, long least, long most) {
        try {
            long value = Long.parseLong(text);
            if (value >= least && value <= most) return value;
        } catch (NumberFormatException e) {
            // said below
        }
        throw end(2, "--" + name + " " + text + ": a whole number from " + least + " to " + most + " is needed");
    }

    static String name(DType precision) {
        return precision == DType.F8E4M3 ? "fp8" : precision.name().toLowerCase(Locale.ROOT);
    }
}
