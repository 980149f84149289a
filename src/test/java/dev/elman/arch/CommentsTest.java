package dev.elman.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree.Kind;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import javax.lang.model.element.Modifier;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Every public part of a public type has a comment; doclint cannot ask for that without asking for every tag, too. */
class CommentsTest {
    @Test
    void whatIsPublicHasAComment() throws Exception {
        var silent = new TreeSet<String>();
        var javac = ToolProvider.getSystemJavaCompiler();
        try (var manager = javac.getStandardFileManager(null, null, null);
                var files = Files.walk(Path.of("src/main/java"))) {
            var sources = files.filter(f -> f.toString().endsWith(".java")).toArray(Path[]::new);
            var task = (JavacTask) javac.getTask(null, manager, null, null, null, manager.getJavaFileObjects(sources));
            new TreePathScanner<Boolean, String>() {
                @Override
                public Boolean visitClass(ClassTree type, String outer) {
                    String name = outer + type.getSimpleName();
                    return look(type.getModifiers(), name) ? super.visitClass(type, name + ".") : null;
                }

                @Override
                public Boolean visitMethod(MethodTree method, String type) {
                    return look(method.getModifiers(), type + method.getName());
                }

                @Override
                public Boolean visitVariable(VariableTree field, String type) {
                    return look(field.getModifiers(), type + field.getName());
                }

                /** Whether this is public; noted where it has no comment and inherits none. */
                private boolean look(ModifiersTree modifiers, String name) {
                    boolean member = getCurrentPath().getParentPath().getLeaf().getKind() == Kind.INTERFACE;
                    var flags = modifiers.getFlags();
                    boolean seen = member ? !flags.contains(Modifier.PRIVATE) : flags.contains(Modifier.PUBLIC);
                    boolean silence = DocTrees.instance(task).getDocComment(getCurrentPath()) == null;
                    if (seen && silence && !modifiers.toString().contains("@Override")) silent.add(name);
                    return seen;
                }
            }.scan(task.parse(), "");
        }
        assertEquals("", String.join(", ", silent));
    }
}
