// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Tensor} that follow from the header. */
abstract sealed class TensorMethods extends Handle permits TensorMemory {
    TensorMethods(Context context, long address) {
        super(context, address, Handle.Kind.TENSOR);
    }

    /**
     * Makes a contiguous tensor with undefined contents. no extents: a scalar; extents may be 0.
     *
     * @param ctx the context
     * @param dtype the element type
     * @param shape the extents
     * @return the result
     */
    public static Tensor create(Context ctx, DType dtype, long... shape) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_tensor_create(s.of(ctx), dtype.number, shape.length, shape, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The element type.
     *
     * @return the value
     */
    public DType dtype() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_dtype(s.of(this), s.ints);
            return DType.of(s.ints[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The number of dimensions.
     *
     * @return the value
     */
    public int rank() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_ndim(s.of(this), s.ints);
            return s.ints[0];
        } finally {
            s.leave();
        }
    }

    /**
     * The number of elements.
     *
     * @return the value
     */
    public long numel() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_numel(s.of(this), s.longs);
            return s.longs[0];
        } finally {
            s.leave();
        }
    }

    /**
     * The one element of a tensor as a double. Synchronises. Not inside a capture.
     *
     * @return the value
     */
    public double item() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_item(s.of(this), s.doubles);
            return s.doubles[0];
        } finally {
            s.leave();
        }
    }

    /**
     * Sets every element to value, rounded to the tensor's dtype.
     *
     * @param value the value
     */
    public void fill(double value) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_fill(s.of(this), value);
        } finally {
            s.leave();
        }
    }

    /**
     * Fills with uniform numbers from [low, high), rounded to the dtype (which can give high): the same numbers on every device, for any
     * thread count. Floating dtypes.
     *
     * @param low the least
     * @param high the largest
     */
    public void randomUniform(double low, double high) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_random_uniform(s.of(this), low, high);
        } finally {
            s.leave();
        }
    }

    /**
     * Fills with normal numbers [Box and Muller 1958]. Floating dtypes.
     *
     * @param mean the middle
     * @param std the standard deviation
     */
    public void randomNormal(double mean, double std) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_random_normal(s.of(this), mean, std);
        } finally {
            s.leave();
        }
    }

    /**
     * Fills a weight as a layer would; fan_in and fan_out are read from the shape [out, in, ...]. Floating dtypes, at least 2 dimensions.
     *
     * @param init which init
     */
    public void initialize(Init init) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_init(s.of(this), init.number);
        } finally {
            s.leave();
        }
    }

    /**
     * Sets element i, in logical order, to start + i * step. Floating and integer dtypes.
     *
     * @param start the first
     * @param step the difference of neighbours
     */
    public void fillRange(double start, double step) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_fill_range(s.of(this), start, step);
        } finally {
            s.leave();
        }
    }

    /**
     * Copies src into tensor, converting the dtype (round to nearest even); src is broadcast to tensor's shape.
     *
     * @param src where the elements come from
     */
    public void copy(Tensor src) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_copy(s.of(this), s.of(src));
        } finally {
            s.leave();
        }
    }

    /**
     * Says that the host has written to memory behind mpt's back: low-precision copies are refreshed before their next use. Not inside a
     * capture.
     */
    public void markModified() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_mark_modified(s.of(this));
        } finally {
            s.leave();
        }
    }

    /**
     * A view of the same elements, cut from the gradient's graph.
     *
     * @return the result
     */
    public Tensor detach() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_detach(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Asks for (true) or refuses (false) gradients. Floating leaf tensors only.
     *
     * @param requiresGrad true: asks for them
     */
    public void setRequiresGrad(boolean requiresGrad) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_set_requires_grad(s.of(this), requiresGrad ? 1 : 0);
        } finally {
            s.leave();
        }
    }

    /**
     * Whether gradients are asked for.
     *
     * @return the value
     */
    public boolean requiresGrad() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_requires_grad(s.of(this), s.ints);
            return s.ints[0] != 0;
        } finally {
            s.leave();
        }
    }

    /**
     * The gradient of a leaf, an ordinary tensor of its shape and dtype, made (zero) when first asked for; its address never changes.
     * After {@link Tensor#backward} with a scaler it is scaled until {@link Optimizer#unscale}.
     *
     * @return the result
     */
    public Tensor grad() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tensor_grad(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a + b, with broadcasting as NumPy's. Floating and integer dtypes.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor add(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_add(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a - b, with broadcasting. Floating and integer dtypes.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor sub(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_sub(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a * b, element by element, with broadcasting. Floating and integer dtypes.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor mul(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_mul(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a / b, element by element, with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor div(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_div(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * scale * x + shift.
     *
     * @param scale what is multiplied by
     * @param shift what is added
     * @return the result
     */
    public Tensor affine(double scale, double shift) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_affine(s.of(this), scale, shift, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * -x.
     *
     * @return the result
     */
    public Tensor neg() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_neg(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * e to the x.
     *
     * @return the result
     */
    public Tensor exp() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_exp(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The natural logarithm.
     *
     * @return the result
     */
    public Tensor log() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_log(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The square root.
     *
     * @return the result
     */
    public Tensor sqrt() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_sqrt(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * max(x, 0); NaN stays NaN; the gradient at 0 is 0.
     *
     * @return the result
     */
    public Tensor relu() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_relu(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * |x|; the gradient at 0 is 0.
     *
     * @return the result
     */
    public Tensor abs() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_abs(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * -1, 0 or 1; NaN stays; the gradient is 0.
     *
     * @return the result
     */
    public Tensor sign() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_sign(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x * x.
     *
     * @return the result
     */
    public Tensor square() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_square(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * 1 / sqrt(x).
     *
     * @return the result
     */
    public Tensor rsqrt() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_rsqrt(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * 1 / x.
     *
     * @return the result
     */
    public Tensor reciprocal() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_reciprocal(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * 2 to the x.
     *
     * @return the result
     */
    public Tensor exp2() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_exp2(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * exp(x) - 1, exact near 0.
     *
     * @return the result
     */
    public Tensor expm1() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_expm1(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The logarithm to base 2.
     *
     * @return the result
     */
    public Tensor log2() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_log2(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The logarithm to base 10.
     *
     * @return the result
     */
    public Tensor log10() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_log10(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * log(1 + x), exact near 0.
     *
     * @return the result
     */
    public Tensor log1p() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_log1p(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The sine of x in radians.
     *
     * @return the result
     */
    public Tensor sin() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_sin(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The cosine of x in radians.
     *
     * @return the result
     */
    public Tensor cos() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_cos(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The tangent of x in radians.
     *
     * @return the result
     */
    public Tensor tan() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tan(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The arc sine.
     *
     * @return the result
     */
    public Tensor asin() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_asin(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The arc cosine.
     *
     * @return the result
     */
    public Tensor acos() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_acos(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The arc tangent.
     *
     * @return the result
     */
    public Tensor atan() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_atan(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The hyperbolic sine.
     *
     * @return the result
     */
    public Tensor sinh() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_sinh(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The hyperbolic cosine.
     *
     * @return the result
     */
    public Tensor cosh() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_cosh(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The hyperbolic tangent.
     *
     * @return the result
     */
    public Tensor tanh() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tanh(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The inverse hyperbolic sine.
     *
     * @return the result
     */
    public Tensor asinh() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_asinh(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The inverse hyperbolic cosine.
     *
     * @return the result
     */
    public Tensor acosh() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_acosh(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The inverse hyperbolic tangent.
     *
     * @return the result
     */
    public Tensor atanh() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_atanh(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The error function.
     *
     * @return the result
     */
    public Tensor erf() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_erf(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The largest integer not above x; the gradient is 0.
     *
     * @return the result
     */
    public Tensor floor() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_floor(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The smallest integer not below x; the gradient is 0.
     *
     * @return the result
     */
    public Tensor ceil() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_ceil(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The nearest integer, halves to even; the gradient is 0.
     *
     * @return the result
     */
    public Tensor round() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_round(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x without its fraction; the gradient is 0.
     *
     * @return the result
     */
    public Tensor trunc() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_trunc(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * 1 / (1 + exp(-x)).
     *
     * @return the result
     */
    public Tensor sigmoid() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_sigmoid(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x * sigmoid(x) [Elfwing et al. 2018].
     *
     * @return the result
     */
    public Tensor silu() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_silu(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * log(1 + exp(x)).
     *
     * @return the result
     */
    public Tensor softplus() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_softplus(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Is x NaN? BOOL.
     *
     * @return the result
     */
    public Tensor isnan() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_isnan(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Is x infinite? BOOL.
     *
     * @return the result
     */
    public Tensor isinf() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_isinf(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Is x neither NaN nor infinite? BOOL.
     *
     * @return the result
     */
    public Tensor isfinite() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_isfinite(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * 1 where x is 0, else 0. Every dtype but fp8; BOOL.
     *
     * @return the result
     */
    public Tensor logicalNot() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_logical_not(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x where x &gt; 0, else slope * x.
     *
     * @param slope of the negative side
     * @return the result
     */
    public Tensor leakyRelu(double slope) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_leaky_relu(s.of(this), slope, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x where x &gt; 0, else alpha * (exp(x) - 1) [Clevert et al. 2016].
     *
     * @param alpha of the negative side
     * @return the result
     */
    public Tensor elu(double alpha) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_elu(s.of(this), alpha, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x times the normal distribution's function of x, exact or approximate.
     *
     * @param kind which gelu kind
     * @return the result
     */
    public Tensor gelu(GeluKind kind) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_gelu(s.of(this), kind.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * min(max(x, low), high); low and high may be infinite; NaN stays; no gradient outside and at the limits, as torch.clamp.
     *
     * @param low the least
     * @param high the largest
     * @return the result
     */
    public Tensor clamp(double low, double high) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_clamp(s.of(this), low, high, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x to the exponent.
     *
     * @param exponent the power
     * @return the result
     */
    public Tensor pow(double exponent) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_pow_scalar(s.of(this), exponent, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a to the b, element by element, with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor pow(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_pow(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The larger of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer dtypes.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor maximum(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_maximum(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The smaller of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer dtypes.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor minimum(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_minimum(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The remainder of a / b with the sign of a [C fmod], with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor fmod(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_fmod(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The remainder of a / b with the sign of b [NumPy remainder], with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor remainder(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_remainder(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * floor(a / b) of the exact quotient, with broadcasting: -1 for -5 and infinity [NumPy floor_divide]; the gradient is 0.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor floorDivide(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_floor_divide(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The angle of the point (b, a) in radians [C atan2], with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor atan2(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_atan2(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a == b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor equalTo(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_equal(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a != b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor notEqual(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_not_equal(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a &lt; b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor less(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_less(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a &lt;= b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor lessEqual(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_less_equal(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a &gt; b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor greater(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_greater(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a &gt;= b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor greaterEqual(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_greater_equal(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Logical and of BOOL tensors, with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor logicalAnd(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_logical_and(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Logical or of BOOL tensors, with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor logicalOr(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_logical_or(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Logical xor of BOOL tensors, with broadcasting.
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor logicalXor(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_logical_xor(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a where condition (BOOL) is true, else b, with broadcasting of all three. a and b of every dtype but fp8.
     *
     * @param a the first operand
     * @param b the second operand
     * @return the result
     */
    public Tensor where(Tensor a, Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_where(s.of(this), s.of(a), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Sum over dims (none named: over all). keepDims leaves extents of 1. Accumulates in f32 (f64 for f64).
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor sum(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_sum(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor sum(int... dims) {
        return sum(false, dims);
    }

    /**
     * Mean over dimensions; conventions as {@link Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor mean(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_mean(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor mean(int... dims) {
        return mean(false, dims);
    }

    /**
     * Largest element over dimensions (NaN wins); equal maxima share the gradient [torch.amax]. Conventions as {@link Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor max(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_max(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor max(int... dims) {
        return max(false, dims);
    }

    /**
     * Smallest element over dimensions; conventions as {@link Tensor#max}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor min(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_min(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor min(int... dims) {
        return min(false, dims);
    }

    /**
     * Product over dimensions, accumulated in f32 (f64 for f64); conventions as {@link Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor prod(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_prod(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor prod(int... dims) {
        return prod(false, dims);
    }

    /**
     * Variance over dimensions: the sum of squared distances from the mean divided by (count - correction); conventions as {@link
     * Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param correction is taken from the count
     * @param dims the dimensions
     * @return the result
     */
    public Tensor var(boolean keepDims, double correction, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_var(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, correction, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Euclidean norm over dimensions; the gradient of a norm of 0 is 0; conventions as {@link Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor norm(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_norm(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor norm(int... dims) {
        return norm(false, dims);
    }

    /**
     * log(sum(exp(x))) over dimensions without overflow; conventions as {@link Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor logsumexp(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_logsumexp(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor logsumexp(int... dims) {
        return logsumexp(false, dims);
    }

    /**
     * Is any element of a BOOL tensor true? Conventions as {@link Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor any(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_any(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor any(int... dims) {
        return any(false, dims);
    }

    /**
     * Are all elements of a BOOL tensor true? Conventions as {@link Tensor#sum}.
     *
     * @param keepDims leaves extents of 1
     * @param dims the dimensions
     * @return the result
     */
    public Tensor all(boolean keepDims, int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_all(s.of(this), dims.length, dims.length == 0 ? null : dims, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same without keeping dimensions; none named: over all.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor all(int... dims) {
        return all(false, dims);
    }

    /**
     * The index (I64) of the largest element along dim, the first of equals; NaN wins. keepDims as in {@link Tensor#sum}. No gradient.
     *
     * @param dim the dimension; negative: from the end
     * @param keepDims leaves extents of 1
     * @return the result
     */
    public Tensor argmax(int dim, boolean keepDims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_argmax(s.of(this), dim, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The index (I64) of the smallest element along dim; conventions as {@link Tensor#argmax}.
     *
     * @param dim the dimension; negative: from the end
     * @param keepDims leaves extents of 1
     * @return the result
     */
    public Tensor argmin(int dim, boolean keepDims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_argmin(s.of(this), dim, keepDims ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Running sum along dim, accumulated in f32 (f64 for f64).
     *
     * @param dim the dimension; negative: from the end
     * @return the result
     */
    public Tensor cumsum(int dim) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_cumsum(s.of(this), dim, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Another shape for the same elements in logical order; one extent may be -1. A view where strides allow, else a copy. Every dtype.
     *
     * @param shape the extents
     * @return the result
     */
    public Tensor reshape(long... shape) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_reshape(s.of(this), shape.length, shape, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * A view with dimensions reordered: dimension i of out is dims[i] of x. none named: the last two exchanged. Every dtype.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor transpose(int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_transpose(s.of(this), dims.length, dims.length == 0 ? null : dims, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * A view of length elements from start along dim. Every dtype.
     *
     * @param dim the dimension; negative: from the end
     * @param start the first
     * @param length how many
     * @return the result
     */
    public Tensor slice(int dim, long start, long length) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_slice(s.of(this), dim, start, length, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Another dtype, rounding to nearest even; x itself (retained) when it has that dtype. Every dtype.
     *
     * @param dtype the element type
     * @return the result
     */
    public Tensor cast(DType dtype) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_cast(s.of(this), dtype.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x with broadcasting to shape: a view with strides of 0. Every dtype.
     *
     * @param shape the extents
     * @return the result
     */
    public Tensor expand(long... shape) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_expand(s.of(this), shape.length, shape, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * A view without dimension dim, whose extent is 1. Every dtype.
     *
     * @param dim the dimension; negative: from the end
     * @return the result
     */
    public Tensor squeeze(int dim) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_squeeze(s.of(this), dim, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * A view with an extent of 1 in front of dimension dim. Every dtype.
     *
     * @param dim the dimension; negative: from the end
     * @return the result
     */
    public Tensor unsqueeze(int dim) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_unsqueeze(s.of(this), dim, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * A contiguous copy; x itself (retained) where it is contiguous. Every dtype.
     *
     * @return the result
     */
    public Tensor contiguous() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_contiguous(s.of(this), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The order of elements reversed along ndims dimensions. Every dtype but fp8.
     *
     * @param dims the dimensions
     * @return the result
     */
    public Tensor flip(int... dims) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_flip(s.of(this), dims.length, dims.length == 0 ? null : dims, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x repeated repeats[i] times along dimension i; ndim may be larger than x's [numpy.tile]. Every dtype but fp8.
     *
     * @param repeats how often along each dimension
     * @return the result
     */
    public Tensor tile(long... repeats) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tile(s.of(this), repeats.length, repeats, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The lower triangle of the last two dimensions, up to that diagonal; 0 above.
     *
     * @param diagonal 0: the main one; above it positive
     * @return the result
     */
    public Tensor tril(long diagonal) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_tril(s.of(this), diagonal, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The upper triangle of the last two dimensions, from that diagonal on; 0 below.
     *
     * @param diagonal 0: the main one; above it positive
     * @return the result
     */
    public Tensor triu(long diagonal) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_triu(s.of(this), diagonal, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * out[..., i, ...] = x[..., index[i], ...] along dim; index [K]. Every dtype but fp8.
     *
     * @param dim the dimension; negative: from the end
     * @param index where the elements are, I32 or I64
     * @return the result
     */
    public Tensor indexSelect(int dim, Tensor index) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_index_select(s.of(this), dim, s.of(index), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * out[i][j][k] = x[index[i][j][k]][j][k] for dim 0, and so on [torch.gather]. Every dtype but fp8.
     *
     * @param dim the dimension; negative: from the end
     * @param index where the elements are, I32 or I64
     * @return the result
     */
    public Tensor gather(int dim, Tensor index) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_gather(s.of(this), dim, s.of(index), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x with src added at the places that index names, the reverse of {@link Tensor#gather} [torch.scatter_add]; the order of additions
     * is fixed.
     *
     * @param dim the dimension; negative: from the end
     * @param index where the elements are, I32 or I64
     * @param src where the elements come from
     * @return the result
     */
    public Tensor scatterAdd(int dim, Tensor index, Tensor src) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_scatter_add(s.of(this), dim, s.of(index), s.of(src), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * [...] -&gt; [..., classes] of dtype: 1 at the index, else 0; all 0 for an index outside.
     *
     * @param classes how many
     * @param dtype the element type
     * @return the result
     */
    public Tensor oneHot(long classes, DType dtype) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_one_hot(s.of(this), classes, dtype.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Rows of weight [count, dim] by index [...] -&gt; [..., dim]; the row paddingIndex (-1: none) receives no gradient
     * [torch.nn.Embedding].
     *
     * @param weight the weight
     * @param paddingIndex its row is left alone; negative: none
     * @return the result
     */
    public Tensor embedding(Tensor weight, long paddingIndex) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_embedding(s.of(this), s.of(weight), paddingIndex, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Matrix product [..., M, K] x [..., K, N] -&gt; [..., M, N]; leading dimensions broadcast. Accumulates in f32 (f64 for f64).
     * Contiguous, but for large results in f16 and bf16 on a GPU: their rows start at multiples of 16 bytes (see {@link Tensor#strides},
     * {@link Tensor#contiguous}).
     *
     * @param b the second operand
     * @return the result
     */
    public Tensor matmul(Tensor b) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_matmul(s.of(this), s.of(b), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x W^T + bias: [..., in] x [out, in] -&gt; [..., out]; bias [out] or null. Strides as of {@link Tensor#matmul}.
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @return the result
     */
    public Tensor linear(Tensor weight, Tensor bias) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_linear(s.of(this), s.of(weight), s.of(bias), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Cross-correlation [N,C,H,W] with [O,C/groups,KH,KW] -&gt; [N,O,H',W'], H' = (H + 2 pad - dil (KH-1) - 1) / stride + 1
     * [torch.nn.Conv2d]. bias [O] or null; params null: the defaults. The result is dense with C innermost in memory.
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor conv2d(Tensor weight, Tensor bias, Conv2dParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv2d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_conv2d(s.of(this), s.of(weight), s.of(bias), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @return the result
     */
    public Tensor conv2d(Tensor weight, Tensor bias) {
        return conv2d(weight, bias, null);
    }

    /**
     * The transposed convolution, the input gradient of {@link Tensor#conv2d}: [N,C,H,W] with [C,O/groups,KH,KW] -&gt; [N,O,H',W'], H' =
     * (H - 1) stride - 2 pad + dil (KH - 1) + outputPadding + 1 [torch.nn.ConvTranspose2d]. bias [O] or null; params null: the defaults.
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor convTranspose2d(Tensor weight, Tensor bias, Conv2dParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv2d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_conv_transpose2d(s.of(this), s.of(weight), s.of(bias), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @return the result
     */
    public Tensor convTranspose2d(Tensor weight, Tensor bias) {
        return convTranspose2d(weight, bias, null);
    }

    /**
     * {@link Tensor#conv2d} in one dimension: [N,C,L] with [O,C/groups,K] -&gt; [N,O,L'].
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor conv1d(Tensor weight, Tensor bias, Conv1dParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv1d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_conv1d(s.of(this), s.of(weight), s.of(bias), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#convTranspose2d} in one dimension: [N,C,L] with [C,O/groups,K] -&gt; [N,O,L'].
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor convTranspose1d(Tensor weight, Tensor bias, Conv1dParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_conv1d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_conv_transpose1d(s.of(this), s.of(weight), s.of(bias), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Largest element of each window, [N,C,H,W] -&gt; [N,C,H',W'], rounding H' down; the first maximum takes the gradient. params null:
     * the defaults.
     *
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor maxPool2d(Pool2dParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_pool2d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_max_pool2d(s.of(this), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @return the result
     */
    public Tensor maxPool2d() {
        return maxPool2d(null);
    }

    /**
     * Mean of each window, zeros of the padding included unless excludePadding; forms as {@link Tensor#maxPool2d}.
     *
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor avgPool2d(Pool2dParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_pool2d_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_avg_pool2d(s.of(this), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Means of windows that divide the image evenly: window i is [floor(i H / h), ceil((i + 1) H / h)) [torch.nn.AdaptiveAvgPool2d].
     *
     * @param height in pixels
     * @param width in pixels
     * @return the result
     */
    public Tensor adaptiveAvgPool2d(long height, long width) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_adaptive_avg_pool2d(s.of(this), height, width, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Largest elements of such windows; the first maximum takes the gradient.
     *
     * @param height in pixels
     * @param width in pixels
     * @return the result
     */
    public Tensor adaptiveMaxPool2d(long height, long width) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_adaptive_max_pool2d(s.of(this), height, width, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#maxPool2d} in one dimension: [N,C,L] -&gt; [N,C,L']. stride 0: the kernel's.
     *
     * @param kernel the extent of a window
     * @param stride between windows; 0: the kernel
     * @param padding at both ends
     * @return the result
     */
    public Tensor maxPool1d(int kernel, int stride, int padding) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_max_pool1d(s.of(this), kernel, stride, padding, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#avgPool2d} in one dimension, padding counted. stride 0: the kernel's.
     *
     * @param kernel the extent of a window
     * @param stride between windows; 0: the kernel
     * @param padding at both ends
     * @return the result
     */
    public Tensor avgPool1d(int kernel, int stride, int padding) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_avg_pool1d(s.of(this), kernel, stride, padding, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * [N,C,H,W] -&gt; [N,C,height,width] by the nearest pixel (floor(i H / height)) or between pixels.
     *
     * @param height in pixels
     * @param width in pixels
     * @param mode which upsample mode
     * @return the result
     */
    public Tensor upsample2d(long height, long width, UpsampleMode mode) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_upsample2d(s.of(this), height, width, mode.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * (x - mean) / sqrt(variance + eps) * weight + bias per channel of [N,C,...] [Ioffe and Szegedy 2015]. training 1: statistics of the
     * batch (more than one element per channel), and running = (1 - momentum) running + momentum batch, with the unbiased variance; 0:
     * running statistics. runningMean and runningVar [C], f32 (f64 for f64), both or none; written in place, whatever the loss scaler
     * finds later.
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @param runningMean the statistics, or null
     * @param runningVar the statistics, or null
     * @param training true: training
     * @param momentum the share of the new statistics
     * @param eps keeps the divisor from 0
     * @return the result
     */
    public Tensor batchNorm(Tensor weight, Tensor bias, Tensor runningMean, Tensor runningVar, boolean training, double momentum, double eps) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_batch_norm(s.of(this), s.of(weight), s.of(bias), s.of(runningMean), s.of(runningVar), training ? 1 : 0, momentum, eps, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same over the last ndims dimensions, whose shape weight and bias have [Ba et al. 2016].
     *
     * @param ndims how many, the last ones
     * @param weight the weight
     * @param bias the bias, or null
     * @param eps keeps the divisor from 0
     * @return the result
     */
    public Tensor layerNorm(int ndims, Tensor weight, Tensor bias, double eps) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_layer_norm(s.of(this), ndims, s.of(weight), s.of(bias), eps, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * x / sqrt(mean(x^2) + eps) * weight over the last dimension [Zhang and Sennrich 2019].
     *
     * @param weight the weight
     * @param eps keeps the divisor from 0
     * @return the result
     */
    public Tensor rmsNorm(Tensor weight, double eps) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_rms_norm(s.of(this), s.of(weight), eps, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same over each image's groups of C / groups channels of [N,C,...]; weight and bias [C] [Wu and He 2018].
     *
     * @param groups of channels
     * @param weight the weight
     * @param bias the bias, or null
     * @param eps keeps the divisor from 0
     * @return the result
     */
    public Tensor groupNorm(long groups, Tensor weight, Tensor bias, double eps) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_group_norm(s.of(this), groups, s.of(weight), s.of(bias), eps, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * {@link Tensor#groupNorm} with a group per channel [Ulyanov et al. 2016].
     *
     * @param weight the weight
     * @param bias the bias, or null
     * @param eps keeps the divisor from 0
     * @return the result
     */
    public Tensor instanceNorm(Tensor weight, Tensor bias, double eps) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_instance_norm(s.of(this), s.of(weight), s.of(bias), eps, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * 0 with probability p (from [0, 1)), else x / (1 - p) [Srivastava et al. 2014], by the context's random numbers: the same for any
     * thread count.
     *
     * @param p the probability
     * @return the result
     */
    public Tensor dropout(double p) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_dropout(s.of(this), p, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * exp(x) / sum(exp(x)) along dim (negative: from the end), computed in f32 or wider.
     *
     * @param dim the dimension; negative: from the end
     * @return the result
     */
    public Tensor softmax(int dim) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_softmax(s.of(this), dim, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * log(softmax(x)) along dim.
     *
     * @param dim the dimension; negative: from the end
     * @return the result
     */
    public Tensor logSoftmax(int dim) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_log_softmax(s.of(this), dim, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * softmax(scale q k^T + mask) v: q [B,H,T,D], k [B,H,S,D], v [B,H,S,E] -&gt; [B,H,T,E] [Vaswani et al. 2017]. mask null, BOOL (true:
     * seen) or floating (added), broadcast to [B,H,T,S]; it receives no gradient. Softmax in f32 (f64 for f64). A row that sees nothing
     * gives 0. params null: the defaults.
     *
     * @param k the diagonal: 0 the main one, above it positive
     * @param v the second vector
     * @param mask the mask, or null
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor attention(Tensor k, Tensor v, Tensor mask, AttentionParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_attention_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_attention(s.of(this), s.of(k), s.of(v), s.of(mask), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param k the diagonal: 0 the main one, above it positive
     * @param v the second vector
     * @param mask the mask, or null
     * @return the result
     */
    public Tensor attention(Tensor k, Tensor v, Tensor mask) {
        return attention(k, v, mask, null);
    }

    /**
     * One GRU step behind the products: from input and hidden state [N,3H] each (reset, update, new), hidden [N,H] -&gt; new hidden
     * [N,H].
     *
     * @param hiddenGates the products of the state
     * @param hidden the state before
     * @return the result
     */
    public Tensor gruCell(Tensor hiddenGates, Tensor hidden) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_gru_cell(s.of(this), s.of(hiddenGates), s.of(hidden), s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Cross-entropy of logits [N,C] against class indices [N] (U8, I32 or I64) or probabilities [N,C]
     * [torch.nn.functional.cross_entropy]; params null: the defaults. An index outside [0, C) that is not ignoreIndex gives NaN for its
     * row and no gradient.
     *
     * @param target what should have come
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor crossEntropy(Tensor target, CrossEntropyParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_cross_entropy_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_cross_entropy(s.of(this), s.of(target), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param target what should have come
     * @return the result
     */
    public Tensor crossEntropy(Tensor target) {
        return crossEntropy(target, null);
    }

    /**
     * The same of log-probabilities [N,C] against class indices; labelSmoothing must be 0 [torch.nn.functional.nll_loss].
     *
     * @param target what should have come
     * @param params what differs from the defaults; null: nothing
     * @return the result
     */
    public Tensor nll(Tensor target, CrossEntropyParams params) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_cross_entropy_params core = params == null ? null : params.core(s);
            try {
                MptNative.mpt_nll(s.of(this), s.of(target), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param target what should have come
     * @return the result
     */
    public Tensor nll(Tensor target) {
        return nll(target, null);
    }

    /**
     * (prediction - target)^2; shapes equal, here and below.
     *
     * @param target what should have come
     * @param reduction how the loss comes from its elements
     * @return the result
     */
    public Tensor mse(Tensor target, Reduction reduction) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_mse(s.of(this), s.of(target), reduction.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * |prediction - target|; the gradient at 0 is 0.
     *
     * @param target what should have come
     * @param reduction how the loss comes from its elements
     * @return the result
     */
    public Tensor l1(Tensor target, Reduction reduction) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_l1(s.of(this), s.of(target), reduction.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * d^2/2 for |d| &lt;= delta, else delta (|d| - delta/2) [Huber 1964].
     *
     * @param target what should have come
     * @param delta where the line begins
     * @param reduction how the loss comes from its elements
     * @return the result
     */
    public Tensor huber(Tensor target, double delta, Reduction reduction) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_huber(s.of(this), s.of(target), delta, reduction.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * -(w t log s + (1 - t) log(1 - s)), s = sigmoid(logits), without overflow; w: positiveWeight, 1 for none.
     *
     * @param target what should have come
     * @param positiveWeight the weight of the positive class, or null
     * @param reduction how the loss comes from its elements
     * @return the result
     */
    public Tensor bceWithLogits(Tensor target, double positiveWeight, Reduction reduction) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_bce_with_logits(s.of(this), s.of(target), positiveWeight, reduction.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * target (log target - logPrediction), 0 where target is 0 [torch.nn.functional.kl_div].
     *
     * @param target what should have come
     * @param reduction how the loss comes from its elements
     * @return the result
     */
    public Tensor klDiv(Tensor target, Reduction reduction) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_kl_div(s.of(this), s.of(target), reduction.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * max(0, margin - prediction * target) for targets of 1 and -1.
     *
     * @param target what should have come
     * @param margin the distance that is asked for
     * @param reduction how the loss comes from its elements
     * @return the result
     */
    public Tensor hinge(Tensor target, double margin, Reduction reduction) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_hinge(s.of(this), s.of(target), margin, reduction.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * a.b / max(|a| |b|, eps) along dim, which goes; gradients to both.
     *
     * @param b the second operand
     * @param dim the dimension; negative: from the end
     * @param eps keeps the divisor from 0
     * @return the result
     */
    public Tensor cosineSimilarity(Tensor b, int dim, double eps) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_cosine_similarity(s.of(this), s.of(b), dim, eps, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Of rows of a and b [N,D]: 1 - cosine for target 1, max(0, cosine - margin) for -1; gradients to a and b
     * [torch.nn.CosineEmbeddingLoss].
     *
     * @param b the second operand
     * @param target what should have come
     * @param margin the distance that is asked for
     * @param reduction how the loss comes from its elements
     * @return the result
     */
    public Tensor cosineEmbedding(Tensor b, Tensor target, double margin, Reduction reduction) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_cosine_embedding(s.of(this), s.of(b), s.of(target), margin, reduction.number, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * -log of the probability of all alignments of targets [N,S] (I32 or I64) to logProbabilities [T,N,C] [Graves et al. 2006, as
     * torch.nn.CTCLoss]. inputLengths and targetLengths [N] (I32 or I64). MEAN divides each by its target length first. zeroInfinity 1:
     * impossible ones give 0. A target that is no class or the blank, and a length that does not fit, give NaN without a gradient,
     * whatever zeroInfinity says.
     *
     * @param targets what should have come
     * @param inputLengths of each sequence, or null
     * @param targetLengths of each target
     * @param blank the class that says nothing
     * @param reduction how the loss comes from its elements
     * @param zeroInfinity true: 0 instead of infinite losses
     * @return the result
     */
    public Tensor ctc(Tensor targets, Tensor inputLengths, Tensor targetLengths, long blank, Reduction reduction, boolean zeroInfinity) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_ctc(s.of(this), s.of(targets), s.of(inputLengths), s.of(targetLengths), blank, reduction.number, zeroInfinity ? 1 : 0, s.longs);
            return new Tensor(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }
}
