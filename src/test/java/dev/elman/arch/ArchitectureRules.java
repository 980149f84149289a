package dev.elman.arch;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.lang.ArchRule;
import java.util.regex.Pattern;

/**
 * What may know what, as rules about the packages under {@code root}.
 *
 * <p>The root is an argument so that the rules can be shown to fail on the classes in {@code bad}. A package that does
 * not exist yet breaks no rule; a package that no rule names breaks {@link #arrows()}.
 */
record ArchitectureRules(String root) {

    /** The arrows between the packages; a package may use itself and what is listed, and nothing else of ours. */
    ArchRule arrows() {
        return layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("Backends")
                .definedBy(root)
                .layer("backend")
                .definedBy(within("backend"))
                .layer("reference")
                .definedBy(within("reference"))
                .layer("cpu")
                .definedBy(within("cpu"))
                .layer("cuda")
                .definedBy(within("cuda"))
                .layer("verify")
                .definedBy(within("verify"))
                .layer("rnn")
                .definedBy(within("rnn"))
                .layer("train")
                .definedBy(within("train"))
                .layer("text")
                .definedBy(within("text"))
                .layer("data")
                .definedBy(within("data"))
                .layer("io")
                .definedBy(within("io"))
                .layer("convert")
                .definedBy(within("convert"))
                .layer("cli")
                .definedBy(within("cli"))
                .whereLayer("Backends")
                .mayOnlyAccessLayers("backend", "reference", "cpu", "cuda")
                .whereLayer("backend")
                .mayNotAccessAnyLayer()
                .whereLayer("reference")
                .mayOnlyAccessLayers("backend")
                .whereLayer("cpu")
                .mayOnlyAccessLayers("backend")
                .whereLayer("cuda")
                .mayOnlyAccessLayers("backend")
                .whereLayer("verify")
                .mayOnlyAccessLayers("backend")
                .whereLayer("rnn")
                .mayOnlyAccessLayers("backend")
                .whereLayer("train")
                .mayOnlyAccessLayers("rnn", "text", "backend", "io")
                .whereLayer("text")
                .mayNotAccessAnyLayer()
                .whereLayer("data")
                .mayNotAccessAnyLayer()
                .whereLayer("io")
                .mayNotAccessAnyLayer()
                .whereLayer("convert")
                .mayOnlyAccessLayers("train", "rnn", "text", "io", "backend")
                .whereLayer("cli")
                .mayOnlyAccessLayers("Backends", "verify", "convert", "train", "rnn", "data", "text", "io", "backend")
                .ensureAllClassesAreContainedInArchitecture()
                .because("a reader should learn a package from itself and the few it uses");
    }

    ArchRule noCycles() {
        return slices().matching(root + ".(*)..")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true)
                .because("packages that need each other are one package");
    }

    ArchRule siblingsNeverMeet() {
        return slices().matching(root + ".(reference|cpu|cuda)..")
                .should()
                .notDependOnEachOther()
                .allowEmptyShould(true)
                .because("a backend that borrows from another cannot be judged by it");
    }

    ArchRule onlyBackendsNamesAnImplementation() {
        String[] implementations = {within("reference"), within("cpu"), within("cuda")};
        return noClasses()
                .that(not(resideInAnyPackage(implementations))
                        .and(not(nameMatching(Pattern.quote(root + ".Backends") + "(\\$.*)?"))))
                .should()
                .dependOnClassesThat(resideInAnyPackage(implementations))
                .allowEmptyShould(true)
                .because("everything else works on any backend");
    }

    /** Only the package {@code owner} may depend on {@code library}. */
    ArchRule confined(String library, String owner) {
        return noClasses()
                .that()
                .resideOutsideOfPackage(within(owner))
                .should()
                .dependOnClassesThat(resideInAnyPackage(library + ".."))
                .allowEmptyShould(true)
                .because(library + " can then be replaced by changing " + owner + " alone");
    }

    ArchRule onlyCliSpeaksToTheConsole() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(within("cli"))
                .should(ACCESS_STANDARD_STREAMS)
                .allowEmptyShould(true)
                .because("a library's output belongs to the program that calls it");
    }

    ArchRule noMutableStatics() {
        return fields().that()
                .areStatic()
                .should()
                .beFinal()
                .allowEmptyShould(true)
                .because("two networks in one JVM must not see each other");
    }

    ArchRule onlySystemLogger() {
        return noClasses()
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "java.util.logging..", "org.slf4j..", "org.apache.logging..", "org.apache.log4j.."))
                .allowEmptyShould(true)
                .because("System.Logger reaches whatever logging the user has, without a dependency");
    }

    private String within(String name) {
        return root + "." + name + "..";
    }
}
