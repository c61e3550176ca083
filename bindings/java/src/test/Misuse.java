import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.mpt.*;

/** Every public method of every handle with null, closed and foreign objects and wild numbers: an exception or a result, never a crash. */
final class Misuse {
    private static final Random RANDOM = new Random(Long.getLong("seed", 1));
    private static final List<Object> OBJECTS = new ArrayList<>();
    private static Context ctx, other;

    public static void main(String[] args) throws Exception {
        int calls = args.length > 0 ? Integer.parseInt(args[0]) : 40000, thrown = 0;
        List<Method> methods = new ArrayList<>();
        for (Class<?> c : new Class<?>[] {Context.class, Tensor.class, Layer.class, Policy.class, Scaler.class, Optimizer.class, Program.class, Average.class, State.class}) {
            for (Method m : c.getMethods()) {
                if (m.getDeclaringClass() != Object.class && !m.getName().equals("setOption")) methods.add(m);
            }
        }
        methods.sort(Comparator.comparing(Method::toString));
        for (int i = 0; i < calls; ++i) {
            if (i % 500 == 0) refill();
            Method m = methods.get(RANDOM.nextInt(methods.size()));
            Object on = Modifier.isStatic(m.getModifiers()) ? null : pick(m.getDeclaringClass());
            if (on == null && !Modifier.isStatic(m.getModifiers())) continue;
            Object[] values = Arrays.stream(m.getParameterTypes()).map(Misuse::value).toArray();
            // Few objects are closed by chance, else most calls would meet closed ones.
            if (m.getName().equals("close") && RANDOM.nextInt(4) != 0) continue;
            try {
                m.setAccessible(true);
                Object made = m.invoke(on, values);
                if (made instanceof Handle && OBJECTS.size() < 200) OBJECTS.add(made);
                if (made instanceof List<?> list) OBJECTS.addAll(list);
            } catch (InvocationTargetException e) {
                ++thrown;
                Throwable cause = e.getCause();
                if (cause instanceof RuntimeException || cause instanceof OutOfMemoryError) continue;
                throw new AssertionError(m + " " + Arrays.toString(values), cause);
            }
        }
        System.out.println(calls + " calls of " + methods.size() + " methods, " + thrown + " exceptions");
        Check.isTrue(thrown > calls / 10 && thrown < calls, "both exceptions and results are wanted");
    }

    private static void refill() {
        OBJECTS.clear();
        ctx = Context.create(new ContextOptions().threads(2));
        other = Context.create();
        OBJECTS.addAll(List.of(ctx, other));
        for (Context c : new Context[] {ctx, ctx, ctx, other}) {
            Tensor x = c.tensor(new float[] {1, 2, 3, 4}, 2, 2);
            Layer layer = Layer.linear(c, 2, 2);
            Optimizer optimizer = Optimizer.sgd(c);
            optimizer.addLayer(layer);
            Tensor closed = x.relu();
            closed.close();
            Tensor[] inside = new Tensor[1];
            Program program = c.capture(() -> {
                inside[0] = x.exp();
                return List.of(inside[0].sum());
            });
            OBJECTS.addAll(List.of(x, closed, inside[0], c.tensor(new long[] {0, 1}, 2), x.less(x), c.tensor(new float[0], 0, 2), x.transpose(), x.cast(DType.BF16), layer,
                    Layer.sequential(c), Layer.custom(c, (self, in) -> in), optimizer, program, program.outputs().get(0), Policy.create(c, DType.BF16), Scaler.create(c),
                    Average.create(optimizer, 0.5), State.create(c)));
        }
    }

    private static Object pick(Class<?> type) {
        List<Object> fitting = OBJECTS.stream().filter(type::isInstance).toList();
        return fitting.isEmpty() ? null : fitting.get(RANDOM.nextInt(fitting.size()));
    }

    private static Object value(Class<?> type) {
        if (type == int.class) return new int[] {-1, 0, 1, 1, 2, 3, 9, Integer.MIN_VALUE, Integer.MAX_VALUE}[RANDOM.nextInt(9)];
        if (type == long.class) return new long[] {-1, 0, 1, 1, 2, 4, 9, Long.MIN_VALUE, Long.MAX_VALUE}[RANDOM.nextInt(9)];
        if (type == double.class) return new double[] {0, 0.5, 1, -1, 1e300, Double.NaN, Double.NEGATIVE_INFINITY}[RANDOM.nextInt(7)];
        if (type == boolean.class) return RANDOM.nextBoolean();
        if (RANDOM.nextInt(20) == 0) return null;
        if (type.isEnum()) return type.getEnumConstants()[RANDOM.nextInt(type.getEnumConstants().length)];
        if (type == String.class) return new String[] {"x", "", "0", "weight", "a\0b", "\ud83d\ude00"}[RANDOM.nextInt(6)];
        if (type == ByteBuffer.class) return RANDOM.nextBoolean() ? ByteBuffer.allocateDirect(RANDOM.nextInt(32)) : ByteBuffer.allocate(16);
        if (type == List.class) return Arrays.asList(pick(Tensor.class), pick(Tensor.class));
        if (type.isArray()) {
            int n = RANDOM.nextInt(12) == 0 ? 12 : RANDOM.nextInt(4);
            Object made = java.lang.reflect.Array.newInstance(type.getComponentType(), n);
            for (int i = 0; i < n; ++i) java.lang.reflect.Array.set(made, i, component(type.getComponentType()));
            return made;
        }
        if (Handle.class.isAssignableFrom(type)) return pick(type);
        try {
            return type.getConstructor().newInstance(); // options
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    private static Object component(Class<?> type) {
        if (type == float.class) return 1f;
        if (type == short.class) return (short) 1;
        if (type == byte.class) return (byte) 1;
        return value(type);
    }
}
