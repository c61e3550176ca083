// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link State} that follow from the header. */
abstract sealed class StateMethods extends Handle permits State {
    StateMethods(Context context, long address) {
        super(context, address, Handle.Kind.STATE);
    }

    /**
     * An empty list of things to save or load. It keeps what is added alive. Where a function takes a prefix, null and "" mean none:
     * "name" instead of "prefix.name".
     *
     * @param ctx the context
     * @return a new object, to be closed
     */
    public static State create(Context ctx) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_state_create(s.of(ctx), s.longs);
            return new State(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Adds a tensor under its name, which is unique in the state.
     *
     * @param name the name
     * @param tensor the tensor
     */
    public void addTensor(String name, Tensor tensor) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_add_tensor(s.of(this), Text.utf8(name), s.of(tensor));
        } finally {
            s.leave();
        }
    }

    /**
     * Adds the parameters and buffers of a layer as "prefix.name".
     *
     * @param prefix goes before the names; null: none
     * @param layer the layer
     */
    public void addLayer(String prefix, Layer layer) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_add_layer(s.of(this), Text.utf8(prefix), s.of(layer));
        } finally {
            s.leave();
        }
    }

    /**
     * Adds masters, moments, step counts and rates as "prefix.group.index.slot". Not inside a capture.
     *
     * @param prefix goes before the names; null: none
     * @param optimizer the optimizer
     */
    public void addOptimizer(String prefix, Optimizer optimizer) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_add_optimizer(s.of(this), Text.utf8(prefix), s.of(optimizer));
        } finally {
            s.leave();
        }
    }

    /**
     * Adds scale and counters as "prefix.slot".
     *
     * @param prefix goes before the names; null: none
     * @param scaler the loss scaler, or null
     */
    public void addScaler(String prefix, Scaler scaler) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_add_scaler(s.of(this), Text.utf8(prefix), s.of(scaler));
        } finally {
            s.leave();
        }
    }

    /**
     * Adds the averages as "prefix.group.index".
     *
     * @param prefix goes before the names; null: none
     * @param average the average
     */
    public void addAverage(String prefix, Average average) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_add_average(s.of(this), Text.utf8(prefix), s.of(average));
        } finally {
            s.leave();
        }
    }

    /**
     * Adds the scales and histories of fp8 products of a layer's weights under the policy, as "prefix.parameter.slot"; made here where
     * they are not there yet.
     *
     * @param prefix goes before the names; null: none
     * @param policy the policy, or null
     * @param layer the layer
     */
    public void addFp8(String prefix, Policy policy, Layer layer) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_add_fp8(s.of(this), Text.utf8(prefix), s.of(policy), s.of(layer));
        } finally {
            s.leave();
        }
    }

    /**
     * Adds the context's random counter as "prefix.state".
     *
     * @param prefix goes before the names; null: none
     */
    public void addRandom(String prefix) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_add_random(s.of(this), Text.utf8(prefix));
        } finally {
            s.leave();
        }
    }

    /**
     * A number of the host's own, such as the epoch, kept as an i64 tensor: set before saving, get after loading.
     *
     * @param name the name
     * @param value the value
     */
    public void setNumber(String name, long value) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_set_number(s.of(this), Text.utf8(name), value);
        } finally {
            s.leave();
        }
    }

    /**
     * A number of the host's own, after loading.
     *
     * @param name the name
     * @return the value
     */
    public long number(String name) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_number(s.of(this), Text.utf8(name), s.longs);
            return s.longs[0];
        } finally {
            s.leave();
        }
    }

    /**
     * Writes a file: to a new file beside it first, then renamed, so that a crash leaves the old or the new. Synchronises. Not inside a
     * capture.
     *
     * @param path the file
     */
    public void save(String path) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_save(s.of(this), Text.utf8(path));
        } finally {
            s.leave();
        }
    }

    /**
     * Reads a file back into everything that was added. Every name must be there with its shape and dtype, else nothing is changed; names
     * in the file that were not added are left alone. Where model and optimizer are in two files, load the model first: f32 masters
     * belong to the parameters that are there when they come. Synchronises. Not inside a capture.
     *
     * @param path the file
     */
    public void load(String path) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_state_load(s.of(this), Text.utf8(path));
        } finally {
            s.leave();
        }
    }
}
