import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The cases of the programs beside this folder as tests of JUnit, for Maven. test.sh runs the same ones under -Xcheck:jni, and what needs processes of its own. */
class AllTest {
    @TestFactory
    List<DynamicTest> ops() throws Exception {
        return tests(() -> Ops.main(new String[0]));
    }

    @TestFactory
    List<DynamicTest> lifetimes() throws Exception {
        return tests(() -> Lifetimes.main(new String[0]));
    }

    @TestFactory
    List<DynamicTest> edges() throws Exception {
        return tests(() -> Edges.main(new String[0]));
    }

    private static List<DynamicTest> tests(Check.Case program) throws Exception {
        List<DynamicTest> made = new ArrayList<>();
        Check.gather(program, (name, body) -> made.add(DynamicTest.dynamicTest(name, body::run)));
        Assertions.assertFalse(made.isEmpty(), "a program without cases");
        return made;
    }
}
