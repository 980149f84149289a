package dev.elman.arch;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import org.junit.jupiter.api.Test;

/** The library keeps to the drawing. */
class ArchitectureTest {

    private static final ArchitectureRules RULES = new ArchitectureRules("dev.elman");
    private static final JavaClasses MAIN =
            new ClassFileImporter().withImportOption(new DoNotIncludeTests()).importPackages(RULES.root());

    @Test
    void thereIsSomethingToJudge() {
        assertTrue(MAIN.contain("dev.elman.backend.Backend"), "no rule means anything without classes");
    }

    @Test
    void packagesFollowTheArrows() {
        RULES.arrows().check(MAIN);
    }

    @Test
    void packagesHaveNoCycles() {
        RULES.noCycles().check(MAIN);
    }

    @Test
    void theThreeBackendsNeverMeet() {
        RULES.siblingsNeverMeet().check(MAIN);
    }

    @Test
    void onlyBackendsNamesAnImplementation() {
        RULES.onlyBackendsNamesAnImplementation().check(MAIN);
    }

    @Test
    void onlyCudaImportsJcuda() {
        RULES.confined("jcuda", "cuda").check(MAIN);
    }

    @Test
    void onlyCpuImportsBytedeco() {
        RULES.confined("org.bytedeco", "cpu").check(MAIN);
    }

    @Test
    void onlyCliImportsPicocliAndXchart() {
        RULES.confined("picocli", "cli").check(MAIN);
        RULES.confined("org.knowm", "cli").check(MAIN);
    }

    @Test
    void onlyIoImportsJhdf() {
        RULES.confined("io.jhdf", "io").check(MAIN);
    }

    @Test
    void onlyCliSpeaksToTheConsole() {
        RULES.onlyCliSpeaksToTheConsole().check(MAIN);
    }

    @Test
    void nothingStaticChanges() {
        RULES.noMutableStatics().check(MAIN);
    }

    @Test
    void onlySystemLoggerLogs() {
        RULES.onlySystemLogger().check(MAIN);
    }
}
