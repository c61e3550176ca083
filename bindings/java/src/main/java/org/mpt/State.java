package org.mpt;

import java.io.EOFException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import org.mpt.internal.MptNative;

/** Named tensors on their way to or from a checkpoint, a safetensors file. */
public final class State extends StateMethods {
    private static final int PIECE = 1 << 16;

    State(Context context, long address) {
        super(context, address);
    }

    /**
     * Writes a file: to a new file beside it first, then renamed.
     *
     * @param path the file
     */
    public void save(Path path) {
        save(path.toString());
    }

    /**
     * Reads a file back into everything that was added.
     *
     * @param path the file
     */
    public void load(Path path) {
        load(path.toString());
    }

    /**
     * Writes to a stream. What the stream throws is the cause of the exception.
     *
     * @param to the stream, which stays open
     */
    public void save(OutputStream to) {
        session.enter();
        try {
            byte[] bytes = new byte[PIECE];
            MptNative.mpt_state_save_to(session.of(this), piece -> {
                while (piece.hasRemaining()) {
                    int n = Math.min(piece.remaining(), bytes.length);
                    piece.get(bytes, 0, n);
                    to.write(bytes, 0, n);
                }
            });
        } finally {
            session.leave();
        }
    }

    /**
     * Reads from a stream. What the stream throws is the cause of the exception.
     *
     * @param from the stream, which stays open
     */
    public void load(InputStream from) {
        session.enter();
        try {
            byte[] bytes = new byte[PIECE];
            MptNative.mpt_state_load_from(session.of(this), piece -> {
                while (piece.hasRemaining()) {
                    int n = from.read(bytes, 0, Math.min(piece.remaining(), bytes.length));
                    if (n < 0) throw new EOFException("the stream ends early");
                    piece.put(bytes, 0, n);
                }
            });
        } finally {
            session.leave();
        }
    }
}
