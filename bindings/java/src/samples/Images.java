import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Fashion-MNIST [Xiao et al. 2017], batch by batch, in the order that a seed decides. */
final class Images {
    static final int SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10;

    final long count;
    final int size;
    /** The batch at hand: [n, 1, 28, 28], normalised, and its labels. */
    final ByteBuffer pixels, labels;
    private final byte[] allPixels, allLabels;
    private final float[] normalised = new float[256];
    private final int[] order;
    private int next;

    Images(String folder, String part, long limit, long batch) {
        byte[] images, answers;
        try {
            images = read(folder, part + "-images-idx3-ubyte.gz", 3);
            answers = read(folder, part + "-labels-idx1-ubyte.gz", 1);
        } catch (NoSuchFileException e) {
            throw Options.end(1, "the Fashion-MNIST data set is not there (" + e.getMessage() + ": No such file or directory)\n"
                    + "install it with:  sudo apt-get install dataset-fashion-mnist\nor name the folder that holds it with --data");
        } catch (IOException e) {
            throw Options.end(1, "the Fashion-MNIST data set cannot be used: " + e.getMessage());
        }
        if (images.length != (long) answers.length * PIXELS) throw Options.end(1, "the data set's part " + part + " has other numbers of images and labels");
        allPixels = images;
        allLabels = answers;
        count = limit > 0 && limit < answers.length ? limit : answers.length;
        size = (int) Math.min(batch, count);
        order = new int[(int) count];
        pixels = ByteBuffer.allocateDirect(size * PIXELS * 4).order(ByteOrder.nativeOrder());
        labels = ByteBuffer.allocateDirect(size);
        for (int i = 0; i < 256; ++i) normalised[i] = (i / 255.0f - 0.2860f) / 0.3530f;
        inOrder();
    }

    private static byte[] read(String folder, String name, int dims) throws IOException {
        Path path = Path.of(folder, name);
        try (DataInputStream in = new DataInputStream(new GZIPInputStream(Files.newInputStream(path), 1 << 18))) {
            if (in.readInt() != (8 << 8 | dims)) throw new IOException(path + ": not the file that is expected");
            long n = 1;
            for (int i = 0; i < dims; ++i) n *= in.readInt();
            byte[] bytes = in.readAllBytes();
            if (bytes.length != n) throw new IOException(path + ": " + bytes.length + " of " + n + " elements");
            return bytes;
        }
    }

    long steps() {
        return (count + size - 1) / size;
    }

    void inOrder() {
        for (int i = 0; i < order.length; ++i) order[i] = i;
        next = 0;
    }

    /** An order of its own for each seed and epoch; the same as in the C sample: SplitMix64 [Steele et al. 2014]. */
    void shuffle(long seed, long epoch) {
        inOrder();
        long[] state = {seed};
        state[0] = random(state) + epoch;
        for (int i = order.length - 1; i > 0; --i) {
            int j = (int) Long.remainderUnsigned(random(state), i + 1);
            int held = order[i];
            order[i] = order[j];
            order[j] = held;
        }
    }

    private static long random(long[] state) {
        long z = state[0] += 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** Puts the next batch into pixels and labels and gives its size; 0 at the end, which starts over with the images as stored. */
    int next() {
        int n = Math.min(size, order.length - next);
        if (n == 0) {
            inOrder();
            return 0;
        }
        FloatBuffer to = pixels.clear().asFloatBuffer();
        float[] row = new float[PIXELS];
        for (int i = 0; i < n; ++i) {
            int from = order[next + i];
            for (int k = 0; k < PIXELS; ++k) row[k] = normalised[allPixels[from * PIXELS + k] & 255];
            to.put(row);
            labels.put(i, allLabels[from]);
        }
        pixels.limit(n * PIXELS * 4);
        labels.clear().limit(n);
        next += n;
        return n;
    }
}
