package org.mpt;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mpt.internal.MptNative;

/** Parameters and a forward rule. */
public final class Layer extends LayerMethods {
    Layer(Context context, long address) {
        super(context, address);
    }

    /**
     * A linear layer with all defaults.
     *
     * @param ctx the context
     * @param inFeatures the last extent of its input
     * @param outFeatures the last extent of its output
     * @return a new object, to be closed
     */
    public static Layer linear(Context ctx, long inFeatures, long outFeatures) {
        return linear(ctx, new LinearOptions().inFeatures(inFeatures).outFeatures(outFeatures));
    }

    /**
     * A convolution with all other defaults.
     *
     * @param ctx the context
     * @param inChannels of its input
     * @param outChannels of its output
     * @param kernel height and width of the filter
     * @return a new object, to be closed
     */
    public static Layer conv2d(Context ctx, long inChannels, long outChannels, int kernel) {
        return conv2d(ctx, new Conv2dOptions().inChannels(inChannels).outChannels(outChannels).kernel(kernel));
    }

    /**
     * A chain of layers, named by their index. The given layers are closed: the chain has them.
     *
     * @param ctx the context
     * @param layers each gets the output of the one before
     * @return a new object, to be closed
     */
    public static Layer sequential(Context ctx, Layer... layers) {
        Layer made = sequential(ctx);
        for (Layer layer : layers) made.append(null, layer);
        return made;
    }

    /**
     * A layer whose rule is the host's. Inside a capture it is called once, while recording. The rule is kept as long as the library has the
     * layer: where it refers to the layer or the context, close them.
     *
     * @param ctx the context
     * @param rule what the layer does
     * @return a new object, to be closed
     */
    public static Layer custom(Context ctx, CustomLayer rule) {
        ctx.session.enter();
        try {
            MptNative.mpt_java_layer_custom(ctx.session.of(ctx), (layer, in, out) -> forward(ctx, rule, layer, in, out), ctx.session.longs);
            return new Layer(ctx, ctx.session.longs[0]);
        } finally {
            ctx.session.leave();
        }
    }

    private static void forward(Context context, CustomLayer rule, long address, long[] in, long[] out) throws Exception {
        List<Tensor> inputs = new ArrayList<>();
        MptNative.mpt_layer_retain(address);
        try (Layer layer = new Layer(context, address)) {
            for (long input : in) {
                MptNative.mpt_tensor_retain(input);
                inputs.add(new Tensor(context, input));
            }
            List<Tensor> results = rule.forward(layer, List.copyOf(inputs));
            if (results.size() != out.length) throw new IllegalStateException("the rule gave " + results.size() + " tensors where " + out.length + " were asked for");
            long[] addresses = context.session.of(results.toArray(new Tensor[0]));
            for (long result : addresses) {
                if (result == 0) throw new NullPointerException("the rule gave null for a tensor");
            }
            for (int i = 0; i < out.length; ++i) {
                MptNative.mpt_tensor_retain(addresses[i]);
                out[i] = addresses[i];
            }
            for (Tensor result : results) result.close();
        } finally {
            for (Tensor input : inputs) input.close();
        }
    }

    /**
     * Appends a child and closes it: the container has it.
     *
     * @param name unique here and without '.' or '/'; null: its index
     * @param child the child
     * @return this
     */
    public Layer append(String name, Layer child) {
        add(name, child);
        child.close();
        return this;
    }

    /**
     * Runs a layer that takes and gives one tensor.
     *
     * @param input the input
     * @return the output
     */
    public Tensor forward(Tensor input) {
        return forward(1, input).get(0);
    }

    /**
     * Runs the layer.
     *
     * @param outputs how many tensors it is to give
     * @param inputs what it is given
     * @return the outputs
     */
    public List<Tensor> forward(int outputs, Tensor... inputs) {
        session.enter();
        try {
            long[] made = new long[outputs];
            MptNative.mpt_layer_forward(session.of(this), session.of(inputs), inputs.length, made, outputs);
            return Tensor.list(context, made);
        } finally {
            session.leave();
        }
    }

    /**
     * The parameters by name, children's included, in a fixed order. Each is a new object.
     *
     * @return names and tensors
     */
    public Map<String, Tensor> parameters() {
        session.enter();
        try {
            MptNative.mpt_layer_parameter_count(session.of(this), session.ints);
            Map<String, Tensor> made = new LinkedHashMap<>();
            int count = session.ints[0];
            for (int i = 0; i < count; ++i) {
                int index = i;
                String name = Text.read(session, (text, needed) -> MptNative.mpt_layer_parameter_name(session.of(this), index, text, needed));
                MptNative.mpt_layer_parameter(session.of(this), i, session.longs);
                made.put(name, new Tensor(context, session.longs[0]));
            }
            return made;
        } finally {
            session.leave();
        }
    }

    /**
     * The tensors by name that belong to the layer and are no parameters, children's included. Each is a new object.
     *
     * @return names and tensors
     */
    public Map<String, Tensor> buffers() {
        session.enter();
        try {
            MptNative.mpt_layer_buffer_count(session.of(this), session.ints);
            Map<String, Tensor> made = new LinkedHashMap<>();
            int count = session.ints[0];
            for (int i = 0; i < count; ++i) {
                int index = i;
                String name = Text.read(session, (text, needed) -> MptNative.mpt_layer_buffer_name(session.of(this), index, text, needed));
                MptNative.mpt_layer_buffer(session.of(this), i, session.longs);
                made.put(name, new Tensor(context, session.longs[0]));
            }
            return made;
        } finally {
            session.leave();
        }
    }
}
