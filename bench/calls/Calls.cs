// What a call costs through P/Invoke on Mono: see calls.c. "libmpt" is where the run time finds it (tests/dlopen/run_cs.sh maps it to the library).
using System;
using System.Runtime.InteropServices;
using Handle = System.IntPtr;
using Import = System.Runtime.InteropServices.DllImportAttribute;
using Size = System.UIntPtr;

static class Calls {
    const string Mpt = "libmpt";
    const int F32 = 2, BF16 = 4, I64 = 19, Batch = 128, Pixels = 784;

    [StructLayout(LayoutKind.Sequential)] struct ContextDesc { public uint size; public int device, index, threads; }
    [StructLayout(LayoutKind.Sequential)] struct LinearDesc { public uint size; public int noBias; public long inFeatures, outFeatures; }

    [Import(Mpt)] static extern Handle mpt_last_error();
    [Import(Mpt)] static extern int mpt_context_desc_init(out ContextDesc desc, Size nbytes);
    [Import(Mpt)] static extern int mpt_context_create(ref ContextDesc desc, out Handle made);
    [Import(Mpt)] static extern int mpt_tensor_create(Handle ctx, int dtype, int ndim, long[] shape, out Handle made);
    [Import(Mpt)] static extern int mpt_tensor_fill(Handle tensor, double value);
    [Import(Mpt)] static extern int mpt_tensor_ndim(Handle tensor, out int ndim);
    [Import(Mpt)] static extern int mpt_tensor_item(Handle tensor, out double value);
    [Import(Mpt)] static extern void mpt_tensor_release(Handle tensor);
    [Import(Mpt)] static extern int mpt_add(Handle a, Handle b, out Handle made);
    [Import(Mpt)] static extern int mpt_layer_sequential(Handle ctx, out Handle made);
    [Import(Mpt)] static extern int mpt_layer_relu(Handle ctx, out Handle made);
    [Import(Mpt)] static extern int mpt_linear_desc_init(out LinearDesc desc, Size nbytes);
    [Import(Mpt)] static extern int mpt_layer_linear(Handle ctx, ref LinearDesc desc, out Handle made);
    [Import(Mpt)] static extern int mpt_layer_add(Handle container, Handle name, Handle child);
    [Import(Mpt)] static extern int mpt_layer_forward(Handle layer, Handle[] inputs, int n, [Out] Handle[] outputs, int nOutputs);
    [Import(Mpt)] static extern int mpt_optimizer_adam(Handle ctx, Handle desc, out Handle made);
    [Import(Mpt)] static extern int mpt_optimizer_add_layer(Handle optimizer, Handle layer);
    [Import(Mpt)] static extern int mpt_optimizer_step(Handle optimizer, Handle scaler);
    [Import(Mpt)] static extern int mpt_policy_create(Handle ctx, int dtype, out Handle made);
    [Import(Mpt)] static extern int mpt_autocast_begin(Handle ctx, Handle policy);
    [Import(Mpt)] static extern int mpt_autocast_end(Handle ctx);
    [Import(Mpt)] static extern int mpt_cross_entropy(Handle logits, Handle target, Handle options, out Handle made);
    [Import(Mpt)] static extern int mpt_backward(Handle loss, Handle scaler, int mode);
    [Import(Mpt)] static extern int mpt_capture_begin(Handle ctx);
    [Import(Mpt)] static extern int mpt_capture_end(Handle ctx, Handle[] outputs, int n, out Handle made);
    [Import(Mpt)] static extern int mpt_program_feed(Handle program, Handle input, float[] data, Size nbytes);
    [Import(Mpt)] static extern int mpt_program_feed(Handle program, Handle input, long[] data, Size nbytes);
    [Import(Mpt)] static extern int mpt_program_run(Handle program);

    static Handle ctx, one, x, y, program, none = Handle.Zero;
    static float[] images = new float[Batch * Pixels];
    static long[] labels = new long[Batch];

    static void Ok(int status) {
        if (status != 0) throw new Exception("status " + status + ": " + Marshal.PtrToStringAnsi(mpt_last_error()));
    }

    static Handle Tensor(int dtype, params long[] shape) {
        Handle made;
        Ok(mpt_tensor_create(ctx, dtype, shape.Length, shape, out made));
        Ok(mpt_tensor_fill(made, 1));
        return made;
    }

    static Handle Perceptron() {
        Handle model, child;
        LinearDesc desc;
        var widths = new long[] {Pixels, 1024, 1024, 10};
        Ok(mpt_layer_sequential(ctx, out model));
        for (int i = 0; i < 3; ++i) {
            Ok(mpt_linear_desc_init(out desc, (Size)(ulong)Marshal.SizeOf(typeof(LinearDesc))));
            desc.inFeatures = widths[i];
            desc.outFeatures = widths[i + 1];
            Ok(mpt_layer_linear(ctx, ref desc, out child));
            Ok(mpt_layer_add(model, none, child));
            if (i == 2) break;
            Ok(mpt_layer_relu(ctx, out child));
            Ok(mpt_layer_add(model, none, child));
        }
        return model;
    }

    static void Capture() {
        Handle model = Perceptron(), policy, optimizer, loss;
        var logits = new Handle[1];
        Ok(mpt_policy_create(ctx, BF16, out policy));
        Ok(mpt_optimizer_adam(ctx, none, out optimizer));
        Ok(mpt_optimizer_add_layer(optimizer, model));
        Ok(mpt_capture_begin(ctx));
        Ok(mpt_autocast_begin(ctx, policy));
        Ok(mpt_layer_forward(model, new[] {x}, 1, logits, 1));
        Ok(mpt_cross_entropy(logits[0], y, none, out loss));
        Ok(mpt_autocast_end(ctx));
        Ok(mpt_backward(loss, none, 0));
        Ok(mpt_optimizer_step(optimizer, none));
        Ok(mpt_capture_end(ctx, new[] {loss}, 1, out program));
    }

    static void Ndim(int n) {
        int ndim;
        for (int i = 0; i < n; ++i) Ok(mpt_tensor_ndim(one, out ndim));
    }

    static void Add(int n) {
        Handle sum;
        for (int i = 0; i < n; ++i) {
            Ok(mpt_add(one, one, out sum));
            mpt_tensor_release(sum);
        }
    }

    static void Item(int n) {
        double value;
        for (int i = 0; i < n; ++i) Ok(mpt_tensor_item(one, out value));
    }

    static void Step(int n) {
        for (int i = 0; i < n; ++i) {
            Ok(mpt_program_feed(program, x, images, (Size)(ulong)(4 * images.Length)));
            Ok(mpt_program_feed(program, y, labels, (Size)(ulong)(8 * labels.Length)));
            Ok(mpt_program_run(program));
        }
    }

    static void Main() {
        ContextDesc options;
        Ok(mpt_context_desc_init(out options, (Size)(ulong)Marshal.SizeOf(typeof(ContextDesc))));
        options.threads = 1;
        Ok(mpt_context_create(ref options, out ctx));
        for (int i = 0; i < images.Length; ++i) images[i] = i % 251 / 251f;
        for (int i = 0; i < labels.Length; ++i) labels[i] = i % 10;
        one = Tensor(F32, 1);
        x = Tensor(F32, Batch, Pixels);
        y = Tensor(I64, Batch);
        Capture();
        for (string line = Console.ReadLine(); line != null; line = Console.ReadLine()) {
            var words = line.Split(' ');
            int n = int.Parse(words[1]);
            switch (words[0]) {
                case "ndim": Ndim(n); break;
                case "add": Add(n); break;
                case "item": Item(n); break;
                default: Step(n); break;
            }
            Console.WriteLine("done");
        }
    }
}
