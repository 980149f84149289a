package dev.elman.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The rules can fail: each one finds exactly the classes in {@code bad} that break it. */
class ArchitectureRulesTest {

    private static final ArchitectureRules RULES = new ArchitectureRules("dev.elman.arch.bad");
    private static final JavaClasses BAD = new ClassFileImporter().importPackages(RULES.root());

    @Test
    void arrowsAgainstTheDrawingAreFound() {
        assertCulprits(RULES.arrows(), "cpu.MeetsReference", "extra.Unplanned", "reference.MeetsCpu", "train.NamesCpu");
    }

    @Test
    void cyclesAreFound() {
        assertCulprits(RULES.noCycles(), "cpu.MeetsReference", "reference.MeetsCpu");
    }

    @Test
    void siblingsThatMeetAreFound() {
        assertCulprits(RULES.siblingsNeverMeet(), "cpu.MeetsReference", "reference.MeetsCpu");
    }

    @Test
    void namingAnImplementationIsFound() {
        assertCulprits(RULES.onlyBackendsNamesAnImplementation(), "train.NamesCpu");
    }

    @Test
    void aLibraryOutsideItsPackageIsFound() {
        assertCulprits(RULES.confined("org.bytedeco", "cpu"), "backend.Talker");
        assertCulprits(RULES.confined("picocli", "cli"), "backend.Talker");
    }

    @Test
    void printingIsFound() {
        assertCulprits(RULES.onlyCliSpeaksToTheConsole(), "backend.Talker");
    }

    @Test
    void mutableStaticsAreFound() {
        assertCulprits(RULES.noMutableStatics(), "backend.Talker");
    }

    @Test
    void foreignLoggingIsFound() {
        assertCulprits(RULES.onlySystemLogger(), "backend.Talker");
    }

    /** The culprit is the class that a violation names first, after the root. */
    private static void assertCulprits(ArchRule rule, String... expected) {
        Pattern name = Pattern.compile("<" + Pattern.quote(RULES.root()) + "\\.([a-z]+\\.[A-Z][A-Za-z]*)");
        Set<String> culprits = new TreeSet<>();
        for (String violation : rule.evaluate(BAD).getFailureReport().getDetails()) {
            violation.lines().map(name::matcher).filter(m -> m.find()).forEach(m -> culprits.add(m.group(1)));
        }
        assertEquals(new TreeSet<>(Set.of(expected)), culprits, rule.getDescription());
    }
}
