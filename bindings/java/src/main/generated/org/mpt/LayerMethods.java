// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Layer} that follow from the header. */
abstract sealed class LayerMethods extends Handle permits Layer {
    LayerMethods(Context context, long address) {
        super(context, address, Handle.Kind.LAYER);
    }

    /**
     * Parameters "weight" [out, in] and "bias" [out], initialised from the context's random numbers.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer linear(Context ctx, LinearOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_linear_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_linear(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Parameters "weight" [out, in/groups, kh, kw] and "bias" [out]. On a GPU the weight's channels lie beside each other in memory: see
     * {@link Tensor#strides}. Files and initial values are in logical order. Likewise in the other convolutions.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer conv2d(Context ctx, Conv2dOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv2d_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_conv2d(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#convTranspose2d}. Parameters "weight" [in, out/groups, kh, kw] and "bias" [out].
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer convTranspose2d(Context ctx, Conv2dOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv2d_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_conv_transpose2d(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Parameters "weight" [out, in/groups, k] and "bias" [out].
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer conv1d(Context ctx, Conv1dOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv1d_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_conv1d(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#convTranspose1d}. Parameters "weight" [in, out/groups, k] and "bias" [out].
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer convTranspose1d(Context ctx, Conv1dOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv1d_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_conv_transpose1d(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#batchNorm}. Parameters "weight" and "bias" [features], buffers "running_mean" and "running_var". In a program each
     * run moves the statistics.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer batchNorm(Context ctx, NormOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_norm_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_batch_norm(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#layerNorm} over the last dimension. Parameters "weight" and "bias". (The op has the name {@link Tensor#layerNorm}.)
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer layerNorm(Context ctx, NormOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_norm_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_layer_norm(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#rmsNorm}. Parameter "weight".
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer rmsNorm(Context ctx, NormOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_norm_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_rms_norm(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#groupNorm}. Parameters "weight" and "bias".
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer groupNorm(Context ctx, NormOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_norm_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_group_norm(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#instanceNorm}. Parameters "weight" and "bias".
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer instanceNorm(Context ctx, NormOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_norm_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_instance_norm(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#embedding} of integers. Parameter "weight" [count, dim].
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer embedding(Context ctx, EmbeddingOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_embedding_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_embedding(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Inputs x, or x and the first state (h [layers * directions, N, hidden]; LSTM: and c). Outputs y, or y and the last state (1, 2 or 3
     * tensors). Parameters as torch.nn.LSTM names them: "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "..._reverse".
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer recurrent(Context ctx, RecurrentOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_recurrent_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_recurrent(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Multi-head attention [Vaswani et al. 2017]. Inputs x [N,T,E] (self-attention), or query, key, value, or these and a mask as {@link
     * Tensor#attention}'s; one output [N,T,E]. Parameters as torch.nn.MultiheadAttention: "in_proj_weight" [3E,E], "in_proj_bias",
     * "out_proj.weight", "out_proj.bias"; biases start at 0.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer attention(Context ctx, AttentionOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_attention_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_layer_attention(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#maxPool2d} as a layer; params null: the defaults.
     *
     * @param ctx the context
     * @param params what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer maxPool2d(Context ctx, Pool2dParams params) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_pool2d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_layer_max_pool2d(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param ctx the context
     * @return a new object, to be closed
     */
    public static Layer maxPool2d(Context ctx) {
        return maxPool2d(ctx, null);
    }

    /**
     * {@link Tensor#avgPool2d} as a layer; params null: the defaults.
     *
     * @param ctx the context
     * @param params what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Layer avgPool2d(Context ctx, Pool2dParams params) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_pool2d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_layer_avg_pool2d(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param ctx the context
     * @return a new object, to be closed
     */
    public static Layer avgPool2d(Context ctx) {
        return avgPool2d(ctx, null);
    }

    /**
     * {@link Tensor#adaptiveAvgPool2d} as a layer.
     *
     * @param ctx the context
     * @param height in pixels
     * @param width in pixels
     * @return a new object, to be closed
     */
    public static Layer adaptiveAvgPool2d(Context ctx, long height, long width) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_adaptive_avg_pool2d(s.of(ctx), height, width, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#adaptiveMaxPool2d} as a layer.
     *
     * @param ctx the context
     * @param height in pixels
     * @param width in pixels
     * @return a new object, to be closed
     */
    public static Layer adaptiveMaxPool2d(Context ctx, long height, long width) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_adaptive_max_pool2d(s.of(ctx), height, width, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#maxPool1d} as a layer.
     *
     * @param ctx the context
     * @param kernel the extent of a window
     * @param stride between windows; 0: the kernel
     * @param padding at both ends
     * @return a new object, to be closed
     */
    public static Layer maxPool1d(Context ctx, int kernel, int stride, int padding) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_max_pool1d(s.of(ctx), kernel, stride, padding, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#avgPool1d} as a layer.
     *
     * @param ctx the context
     * @param kernel the extent of a window
     * @param stride between windows; 0: the kernel
     * @param padding at both ends
     * @return a new object, to be closed
     */
    public static Layer avgPool1d(Context ctx, int kernel, int stride, int padding) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_avg_pool1d(s.of(ctx), kernel, stride, padding, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#upsample2d} by whole factors as a layer.
     *
     * @param ctx the context
     * @param factorH of the height
     * @param factorW of the width
     * @param mode which upsample mode
     * @return a new object, to be closed
     */
    public static Layer upsample2d(Context ctx, int factorH, int factorW, UpsampleMode mode) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_upsample2d(s.of(ctx), factorH, factorW, mode.number, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#dropout} in training, nothing in evaluation.
     *
     * @param ctx the context
     * @param p the probability
     * @return a new object, to be closed
     */
    public static Layer dropout(Context ctx, double p) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_dropout(s.of(ctx), p, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * An activation function as a layer. parameter: as {@link Activation} says, else ignored.
     *
     * @param ctx the context
     * @param kind which activation
     * @param parameter of the function, where it has one
     * @return a new object, to be closed
     */
    public static Layer activation(Context ctx, Activation kind, double parameter) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_activation(s.of(ctx), kind.number, parameter, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#relu} as a layer.
     *
     * @param ctx the context
     * @return a new object, to be closed
     */
    public static Layer relu(Context ctx) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_relu(s.of(ctx), s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#softmax} as a layer.
     *
     * @param ctx the context
     * @param dim the dimension; negative: from the end
     * @return a new object, to be closed
     */
    public static Layer softmax(Context ctx, int dim) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_softmax(s.of(ctx), dim, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * [N, ...] -&gt; [N, product of the rest].
     *
     * @param ctx the context
     * @return a new object, to be closed
     */
    public static Layer flatten(Context ctx) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_flatten(s.of(ctx), s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * An empty chain of layers; each gets the one output of the layer before.
     *
     * @param ctx the context
     * @return a new object, to be closed
     */
    public static Layer sequential(Context ctx) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_sequential(s.of(ctx), s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * y = body(x) + shortcut(x), shapes equal. shortcut null: x itself. Both stay the caller's to close; their names are "body" and
     * "shortcut" [He et al. 2016].
     *
     * @param ctx the context
     * @param body a layer
     * @param shortcut a layer; null: the input itself
     * @return a new object, to be closed
     */
    public static Layer residual(Context ctx, Layer body, Layer shortcut) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_residual(s.of(ctx), s.of(body), s.of(shortcut), s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * An empty set of layers that all get the same inputs, each with one output; join and dim say what comes of those.
     *
     * @param ctx the context
     * @param join which join
     * @param dim the dimension; negative: from the end
     * @return a new object, to be closed
     */
    public static Layer parallel(Context ctx, Join join, int dim) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_layer_parallel(s.of(ctx), join.number, dim, s.longs);
            return new Layer(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Gives a custom layer a parameter: a dense floating leaf, which asks for gradients from now on.
     *
     * @param name the name
     * @param tensor the tensor
     */
    public void addParameter(String name, Tensor tensor) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_add_parameter(s.of(this), Text.utf8(name), s.of(tensor));
        } finally {
            s.leave();
        }
    }

    /**
     * Appends child to a sequential, parallel or custom layer; it stays the caller's to close. name null: its index. A name is unique
     * here and has no '.' or '/'. A layer may be there more than once: its parameters count once, by their first name.
     *
     * @param name the name
     * @param child a layer
     */
    public void add(String name, Layer child) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_add(s.of(this), Text.utf8(name), s.of(child));
        } finally {
            s.leave();
        }
    }

    /**
     * Training (true, the start) or evaluation (false), for the layer and all below it.
     *
     * @param training true: training
     */
    public void setTraining(boolean training) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_set_training(s.of(this), training ? 1 : 0);
        } finally {
            s.leave();
        }
    }

    /**
     * Frozen (true): no parameter below asks for gradients; false: all do. Not inside a capture.
     *
     * @param frozen true: no gradients
     */
    public void freeze(boolean frozen) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_freeze(s.of(this), frozen ? 1 : 0);
        } finally {
            s.leave();
        }
    }

    /**
     * A parameter by name. {@link Status#NOT_FOUND} names the ones there are.
     *
     * @param name the name
     * @return the result
     */
    public Tensor parameterByName(String name) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_parameter_by_name(s.of(this), Text.utf8(name), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Is the layer in training (true) or in evaluation (false)? For a custom layer's callback, which asks its own layer; a program keeps
     * the answer that it had while recording.
     *
     * @return the value
     */
    public boolean training() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_training(s.of(this), s.ints);
            return s.ints[0] != 0;
        } finally {
            s.leave();
        }
    }

    /**
     * Gives a custom layer a buffer: a tensor of any dtype that asks for no gradients, such as a running mean. It is saved with the layer
     * and not trained; the callback finds it with {@link Layer#buffers} and changes it with {@link Tensor#copy}, which a program does at
     * each run. Names as those of parameters. Not inside a capture.
     *
     * @param name the name
     * @param tensor the tensor
     */
    public void addBuffer(String name, Tensor tensor) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_add_buffer(s.of(this), Text.utf8(name), s.of(tensor));
        } finally {
            s.leave();
        }
    }
}
