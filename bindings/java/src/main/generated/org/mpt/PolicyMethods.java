// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Policy} that follow from the header. */
abstract sealed class PolicyMethods extends Handle permits Policy {
    PolicyMethods(Context context, long address) {
        super(context, address, Handle.Kind.POLICY);
    }

    /**
     * A policy that runs products, their biases included, in dtype (f32, f16 or bf16) and what needs range in f32.
     * 
     * @param ctx the context
     * @param dtype the element type
     * @return a new object, to be closed
     */
    public static Policy create(Context ctx, DType dtype) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_policy_create(s.of(ctx), dtype.number, s.longs);
            return new Policy(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The products of layers whose path matches pattern ('*' any text, dots too, '?' any character) run in dtype; the last match counts.
     * A path is the names from below the layer that the host runs down to the one with the product, joined by '.':
     * "blocks.block0.mlp.body.linear1", which "*linear1" and "blocks.*" match and "linear1" does not. Parameters' names begin with it,
     * {@code Program#dump} shows it. {@code DType.F8E4M3} stands for fp8 by the recipe of {@code Policy#setFp8}, or by its defaults;
     * {@code Status.DTYPE} for {@code DType.F8E5M2}.
     * 
     * @param pattern the pattern
     * @param dtype the element type
     */
    public void setLayer(String pattern, DType dtype) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_policy_set_layer(s.of(this), Text.utf8(pattern), dtype.number);
        } finally {
            s.leave();
        }
    }

    /**
     * Linear layers (attention's projections and the weights of recurrent layers too) and convolutions run in fp8 by this recipe, and so
     * do the products of their gradients; other products in the policy's dtype; results have the policy's dtype. A device without such
     * products, as every CPU, decodes the operands and multiplies in f32: the same numbers, but slower than bf16. A layer that must not:
     * {@code Policy#setLayer}(policy, pattern, {@code DType.BF16}). Overrides by op and role take products out as well; a gradient's can
     * be in fp8 only where its forward was. desc NULL: the defaults. Values beyond the range saturate; a gradient with non-finite
     * elements gives NaN, so that a scaler sees it. {@code Fp8Recipe.DELAYED}: scales move when an optimizer steps, from the largest
     * magnitudes since its last step; a weight keeps them for each recipe. What is only a part of a parameter, as the projections of
     * attention from different inputs, has no history: its products have the scales of {@code Fp8Recipe.CURRENT}.
     * 
     * @param options what differs from the defaults; null: nothing
     */
    public void setFp8(Fp8Options options) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_fp8_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_policy_set_fp8(s.of(this), core);
            } finally {
                if (core != null) core.delete();
            }
        } finally {
            s.leave();
        }
    }

    /** The same with the defaults. */
    public void setFp8() {
        setFp8(null);
    }

    /**
     * The op of that name (see {@code Policy#describe}) runs in dtype, whatever its class; not for ops that only move data. "custom": all
     * custom ops.
     * 
     * @param op the op
     * @param dtype the element type
     */
    public void setOp(String op, DType dtype) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_policy_set_op(s.of(this), Text.utf8(op), dtype.number);
        } finally {
            s.leave();
        }
    }

    /**
     * Products in that role run in dtype. A layer's override counts more than a role's, an op's more than both.
     * 
     * @param role the role
     * @param dtype the element type
     */
    public void setRole(Role role, DType dtype) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_policy_set_role(s.of(this), role.number, dtype.number);
        } finally {
            s.leave();
        }
    }

    /**
     * The class lists with their version and the overrides, as text. Writes at most nbytes bytes, the closing zero included; needed_out
     * (may be NULL) gets the bytes of the whole text. text may be NULL when nbytes is 0.
     * 
     * @return the text
     */
    public String describe() {
        Session s = session;
        s.enter();
        try {
            return Text.read(s, (text, needed) -> MptNative.mpt_policy_describe(s.of(this), text, needed));
        } finally {
            s.leave();
        }
    }
}
