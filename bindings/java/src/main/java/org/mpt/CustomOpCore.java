package org.mpt;

import java.nio.ByteBuffer;
import org.mpt.internal.Callbacks;

/** What the library calls for a custom op. */
final class CustomOpCore implements Callbacks.Op {
    private final CustomOp op;

    CustomOpCore(CustomOp op) {
        this.op = op;
    }

    private static CustomOp.Buffer[] buffers(long[] forms, ByteBuffer[] data) {
        CustomOp.Buffer[] made = new CustomOp.Buffer[forms.length / 18];
        for (int i = 0; i < made.length; ++i) made[i] = new CustomOp.Buffer(forms, i, data == null ? null : data[i]);
        return made;
    }

    @Override
    public void shape(long[] in, long[] out) throws Exception {
        op.shape(buffers(in, null), buffers(out, null));
    }

    @Override
    public void run(boolean backward, long[] in, ByteBuffer[] inData, long[] out, ByteBuffer[] outData) throws Exception {
        if (backward) op.backward(buffers(in, inData), buffers(out, outData));
        else op.forward(buffers(in, inData), buffers(out, outData));
    }
}
