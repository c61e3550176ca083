// Trains a small net with nothing but P/Invoke and the facts of mpt.h, in f32 and in bf16, as captured programs.
// usage: mono Train.exe, with "libmpt" where the run time finds it (train_cs.sh maps it to the library)
using System;
using System.Runtime.InteropServices;
using Handle = System.IntPtr;
using Size = System.UIntPtr;

static class Train {
    const string Library = "libmpt";
    const int F32 = 2, BF16 = 4, I64 = 19, Write = 0; // mpt_dtype, mpt_grad_mode

    [StructLayout(LayoutKind.Sequential)] struct ContextDesc { public uint size; public int device, index, threads; public ulong seed;
        public Handle alloc, free, allocData, log, logData, error, errorData; public int level; public uint reserved; }
    [StructLayout(LayoutKind.Sequential)] struct LinearDesc { public uint size; public int noBias; public long inFeatures, outFeatures; public int init, dtype; }
    [StructLayout(LayoutKind.Sequential)] struct AdamDesc { public uint size, reserved; public double lr, beta1, beta2, eps, decay; }

    [DllImport(Library)] static extern Handle mpt_last_error();
    [DllImport(Library)] static extern int mpt_context_desc_init(out ContextDesc desc, Size nbytes);
    [DllImport(Library)] static extern int mpt_context_create(ref ContextDesc desc, out Handle made);
    [DllImport(Library)] static extern int mpt_tensor_create(Handle ctx, int dtype, int ndim, long[] shape, out Handle made);
    [DllImport(Library)] static extern int mpt_tensor_write(Handle tensor, float[] data, Size nbytes);
    [DllImport(Library)] static extern int mpt_tensor_write(Handle tensor, long[] data, Size nbytes);
    [DllImport(Library)] static extern int mpt_tensor_item(Handle tensor, out double value);
    [DllImport(Library)] static extern int mpt_layer_sequential(Handle ctx, out Handle made);
    [DllImport(Library)] static extern int mpt_layer_relu(Handle ctx, out Handle made);
    [DllImport(Library)] static extern int mpt_linear_desc_init(out LinearDesc desc, Size nbytes);
    [DllImport(Library)] static extern int mpt_layer_linear(Handle ctx, ref LinearDesc desc, out Handle made);
    [DllImport(Library)] static extern int mpt_layer_add(Handle container, Handle name, Handle child);
    [DllImport(Library)] static extern int mpt_layer_forward(Handle layer, Handle[] inputs, int n, [Out] Handle[] outputs, int nOutputs);
    [DllImport(Library)] static extern int mpt_adam_desc_init(out AdamDesc desc, Size nbytes);
    [DllImport(Library)] static extern int mpt_optimizer_adam(Handle ctx, ref AdamDesc desc, out Handle made);
    [DllImport(Library)] static extern int mpt_optimizer_add_layer(Handle optimizer, Handle layer);
    [DllImport(Library)] static extern int mpt_optimizer_step(Handle optimizer, Handle scaler);
    [DllImport(Library)] static extern int mpt_scaler_create(Handle ctx, Handle desc, out Handle made);
    [DllImport(Library)] static extern int mpt_scaler_update(Handle scaler);
    [DllImport(Library)] static extern int mpt_policy_create(Handle ctx, int dtype, out Handle made);
    [DllImport(Library)] static extern int mpt_autocast_begin(Handle ctx, Handle policy);
    [DllImport(Library)] static extern int mpt_autocast_end(Handle ctx);
    [DllImport(Library)] static extern int mpt_cross_entropy(Handle logits, Handle target, Handle options, out Handle made);
    [DllImport(Library)] static extern int mpt_backward(Handle loss, Handle scaler, int mode);
    [DllImport(Library)] static extern int mpt_capture_begin(Handle ctx);
    [DllImport(Library)] static extern int mpt_capture_end(Handle ctx, Handle[] outputs, int n, out Handle made);
    [DllImport(Library)] static extern int mpt_program_run(Handle program);

    static void Call(int status) {
        if (status != 0) throw new Exception("status " + status + ": " + Marshal.PtrToStringAnsi(mpt_last_error()));
    }

    static Size Bytes<T>() { return (Size)(ulong)Marshal.SizeOf(typeof(T)); }

    static double Run(int dtype, int steps) {
        ContextDesc options; LinearDesc linear; AdamDesc adam;
        Handle ctx, x, y, model, child, optimizer, scaler, policy, loss, program, none = Handle.Zero;
        Call(mpt_context_desc_init(out options, Bytes<ContextDesc>()));
        options.seed = 1;
        Call(mpt_context_create(ref options, out ctx));
        var points = new float[512];
        var classes = new long[256];
        for (int i = 0; i < 256; ++i) { // two interleaved spirals: no straight line separates them
            double radius = (i / 2 + 1) / 128.0, angle = 4.5 * radius + Math.PI * (i % 2);
            points[2 * i] = (float)(radius * Math.Cos(angle)); points[2 * i + 1] = (float)(radius * Math.Sin(angle)); classes[i] = i % 2;
        }
        Call(mpt_tensor_create(ctx, F32, 2, new long[] {256, 2}, out x)); Call(mpt_tensor_write(x, points, (Size)2048));
        Call(mpt_tensor_create(ctx, I64, 1, new long[] {256}, out y)); Call(mpt_tensor_write(y, classes, (Size)2048));
        Call(mpt_layer_sequential(ctx, out model));
        Call(mpt_linear_desc_init(out linear, Bytes<LinearDesc>()));
        linear.inFeatures = 2; linear.outFeatures = 64;
        Call(mpt_layer_linear(ctx, ref linear, out child)); Call(mpt_layer_add(model, none, child));
        Call(mpt_layer_relu(ctx, out child)); Call(mpt_layer_add(model, none, child));
        linear.inFeatures = 64; linear.outFeatures = 2;
        Call(mpt_layer_linear(ctx, ref linear, out child)); Call(mpt_layer_add(model, none, child));
        Call(mpt_adam_desc_init(out adam, Bytes<AdamDesc>()));
        adam.lr = 0.02;
        Call(mpt_optimizer_adam(ctx, ref adam, out optimizer)); Call(mpt_optimizer_add_layer(optimizer, model));
        Call(mpt_scaler_create(ctx, none, out scaler)); Call(mpt_policy_create(ctx, dtype, out policy));
        var logits = new Handle[1];
        Call(mpt_capture_begin(ctx)); Call(mpt_autocast_begin(ctx, policy));
        Call(mpt_layer_forward(model, new[] {x}, 1, logits, 1)); Call(mpt_autocast_end(ctx));
        Call(mpt_cross_entropy(logits[0], y, none, out loss)); Call(mpt_backward(loss, scaler, Write));
        Call(mpt_optimizer_step(optimizer, scaler)); Call(mpt_scaler_update(scaler));
        Call(mpt_capture_end(ctx, new[] {loss}, 1, out program));
        double first = 0, last = 0;
        for (int i = 0; i < steps; ++i) { Call(mpt_program_run(program)); Call(mpt_tensor_item(loss, out last)); if (i == 0) first = last; }
        Console.WriteLine("dtype {0}: loss {1:F4} -> {2:F4} in {3} steps", dtype, first, last, steps);
        if (!(first > 0.4 && first < 1.5 && last < 0.1 * first)) throw new Exception("the net did not learn the spirals");
        return last;
    }

    static void Main() { if (Run(F32, 400) == Run(BF16, 400)) throw new Exception("the policy changed nothing"); }
}
