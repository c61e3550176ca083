// The golden run (tests/golden/golden.c) with nothing but P/Invoke and the facts of mpt.h.
// usage: mono Train.exe, with "libmpt" where the run time finds it (run_cs.sh maps it to the library)
using System;
using System.Runtime.InteropServices;
using Handle = System.IntPtr;
using C = System.Runtime.InteropServices.DllImportAttribute;
using Size = System.UIntPtr;

static class Train {
    const string Mpt = "libmpt";
    const int F32 = 2, F16 = 3, BF16 = 4, I64 = 19, Write = 0; // mpt_dtype, mpt_grad_mode

    [StructLayout(LayoutKind.Sequential)] struct ContextDesc { public uint size; public int device, index, threads; public ulong seed;
        public Handle alloc, free, allocData, log, logData, error, errorData; public int level; public uint reserved; }
    [StructLayout(LayoutKind.Sequential)] struct LinearDesc { public uint size; public int noBias; public long fanIn, fanOut; public int init, dtype; }
    [StructLayout(LayoutKind.Sequential)] struct AdamDesc { public uint size, reserved; public double lr, beta1, beta2, eps, weightDecay; }

    [C(Mpt)] static extern int mpt_adam_desc_init(out AdamDesc desc, Size nbytes); [C(Mpt)] static extern int mpt_autocast_begin(Handle ctx, Handle policy);
    [C(Mpt)] static extern int mpt_autocast_end(Handle ctx); [C(Mpt)] static extern int mpt_backward(Handle loss, Handle scaler, int mode);
    [C(Mpt)] static extern int mpt_capture_begin(Handle ctx); [C(Mpt)] static extern int mpt_capture_end(Handle ctx, Handle[] outputs, int n, out Handle made);
    [C(Mpt)] static extern int mpt_context_create(ref ContextDesc desc, out Handle made); [C(Mpt)] static extern Handle mpt_last_error();
    [C(Mpt)] static extern int mpt_context_desc_init(out ContextDesc desc, Size nbytes); [C(Mpt)] static extern int mpt_layer_relu(Handle ctx, out Handle made);
    [C(Mpt)] static extern int mpt_cross_entropy(Handle logits, Handle target, Handle options, out Handle made);
    [C(Mpt)] static extern int mpt_layer_add(Handle container, Handle name, Handle child); [C(Mpt)] static extern int mpt_program_run(Handle program);
    [C(Mpt)] static extern int mpt_layer_forward(Handle layer, Handle[] inputs, int n, [Out] Handle[] outputs, int nOutputs);
    [C(Mpt)] static extern int mpt_layer_linear(Handle ctx, ref LinearDesc desc, out Handle made); [C(Mpt)] static extern int mpt_scaler_update(Handle scaler);
    [C(Mpt)] static extern int mpt_layer_parameter(Handle layer, int index, out Handle parameter);
    [C(Mpt)] static extern int mpt_layer_parameter_count(Handle layer, out int n); [C(Mpt)] static extern int mpt_layer_sequential(Handle ctx, out Handle made);
    [C(Mpt)] static extern int mpt_linear_desc_init(out LinearDesc desc, Size nbytes); [C(Mpt)] static extern int mpt_tensor_numel(Handle tensor, out long n);
    [C(Mpt)] static extern int mpt_optimizer_adam(Handle ctx, ref AdamDesc desc, out Handle made);
    [C(Mpt)] static extern int mpt_optimizer_add_layer(Handle optimizer, Handle layer); [C(Mpt)] static extern void mpt_tensor_release(Handle tensor);
    [C(Mpt)] static extern int mpt_optimizer_step(Handle optimizer, Handle scaler); [C(Mpt)] static extern int mpt_policy_set_fp8(Handle policy, Handle desc);
    [C(Mpt)] static extern int mpt_policy_create(Handle ctx, int dtype, out Handle made);
    [C(Mpt)] static extern int mpt_scaler_create(Handle ctx, Handle desc, out Handle made);
    [C(Mpt)] static extern int mpt_tensor_create(Handle ctx, int dtype, int ndim, long[] shape, out Handle made);
    [C(Mpt)] static extern int mpt_tensor_item(Handle tensor, out double value);
    [C(Mpt)] static extern int mpt_tensor_read(Handle tensor, byte[] data, Size nbytes);
    [C(Mpt)] static extern int mpt_tensor_write(Handle tensor, float[] data, Size nbytes);
    [C(Mpt)] static extern int mpt_tensor_write(Handle tensor, long[] data, Size nbytes);

    static void Call(int status) { if (status != 0) throw new Exception("status " + status + ": " + Marshal.PtrToStringAnsi(mpt_last_error())); }
    static Size Bytes<T>() { return (Size)(ulong)Marshal.SizeOf(typeof(T)); }

    static void Run(string precision, int dtype, bool captured) {
        ContextDesc options; LinearDesc linear; AdamDesc adam;
        Handle ctx, x, y, model, child, optimizer, scaler, policy, loss = Handle.Zero, program = Handle.Zero, parameter, none = Handle.Zero;
        Call(mpt_context_desc_init(out options, Bytes<ContextDesc>())); options.seed = 1;
        Call(mpt_context_create(ref options, out ctx));
        var points = new float[512]; var classes = new long[256]; uint s = 1;
        for (int i = 0; i < 512; ++i) {
            s = s * 1664525 + 1013904223;
            points[i] = ((int)(s >> 24) - 128) / 128f;
            if (i % 2 == 1) classes[i / 2] = (points[i - 1] >= 0) == (points[i] >= 0) ? 1 : 0;
        }
        Call(mpt_tensor_create(ctx, F32, 2, new long[] {256, 2}, out x)); Call(mpt_tensor_write(x, points, (Size)2048));
        Call(mpt_tensor_create(ctx, I64, 1, new long[] {256}, out y)); Call(mpt_tensor_write(y, classes, (Size)2048));
        Call(mpt_layer_sequential(ctx, out model)); Call(mpt_linear_desc_init(out linear, Bytes<LinearDesc>()));
        linear.fanIn = 2; linear.fanOut = 64;
        Call(mpt_layer_linear(ctx, ref linear, out child)); Call(mpt_layer_add(model, none, child));
        Call(mpt_layer_relu(ctx, out child)); Call(mpt_layer_add(model, none, child));
        linear.fanIn = 64; linear.fanOut = 2;
        Call(mpt_layer_linear(ctx, ref linear, out child)); Call(mpt_layer_add(model, none, child));
        Call(mpt_adam_desc_init(out adam, Bytes<AdamDesc>())); adam.lr = 0.02;
        Call(mpt_optimizer_adam(ctx, ref adam, out optimizer)); Call(mpt_optimizer_add_layer(optimizer, model));
        Call(mpt_scaler_create(ctx, none, out scaler)); Call(mpt_policy_create(ctx, dtype, out policy));
        if (precision == "fp8") Call(mpt_policy_set_fp8(policy, none));
        Action step = () => {
            var logits = new Handle[1];
            Call(mpt_autocast_begin(ctx, policy)); Call(mpt_layer_forward(model, new[] {x}, 1, logits, 1));
            Call(mpt_cross_entropy(logits[0], y, none, out loss)); Call(mpt_autocast_end(ctx));
            Call(mpt_backward(loss, scaler, Write)); Call(mpt_optimizer_step(optimizer, scaler)); Call(mpt_scaler_update(scaler));
            mpt_tensor_release(logits[0]);
        };
        if (captured) { Call(mpt_capture_begin(ctx)); step(); Call(mpt_capture_end(ctx, new[] {loss}, 1, out program)); }
        double first = 0, last = 0;
        for (int i = 0; i < 100; ++i) {
            if (captured) Call(mpt_program_run(program)); else step();
            Call(mpt_tensor_item(loss, out last));
            if (!captured) mpt_tensor_release(loss);
            if (i == 0) first = last;
        }
        int count; long n; ulong hash = 0xcbf29ce484222325;
        Call(mpt_layer_parameter_count(model, out count));
        for (int i = 0; i < count; ++i) {
            Call(mpt_layer_parameter(model, i, out parameter)); Call(mpt_tensor_numel(parameter, out n));
            var bytes = new byte[4 * n];
            Call(mpt_tensor_read(parameter, bytes, (Size)(ulong)bytes.Length));
            foreach (byte one in bytes) hash = (hash ^ one) * 0x100000001b3;
        }
        Console.WriteLine("{0} {1} {2:x16}", precision, captured ? "captured" : "eager", hash);
        if (!(first > 0.4 && first < 1.5 && last < 0.1 * first)) throw new Exception("the net did not learn");
    }

    static void Main() {
        foreach (bool captured in new[] {false, true}) {
            Run("f32", F32, captured); Run("f16", F16, captured); Run("bf16", BF16, captured); Run("fp8", BF16, captured);
        }
    }
}
