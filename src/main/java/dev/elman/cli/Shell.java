package dev.elman.cli;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Commands to be typed into the shell that this program was started from. */
final class Shell {
    private Shell() {}

    /** A command of elman's, called as this program was: by the jar, else by its name. */
    static String elman(String command, Path... files) {
        return elman(System.getProperty("java.class.path", ""), command, files);
    }

    static String elman(String classPath, String command, Path... files) {
        boolean jar = classPath.endsWith(".jar") && new File(classPath).isFile();
        return Arrays.stream(files)
                .map(Path::toString)
                // A name that begins as an option does would be taken for one.
                .map(name -> " " + quoted(name.startsWith("-") ? "./" + name : name))
                .collect(
                        Collectors.joining("", (jar ? "java -jar " + quoted(classPath) : "elman") + " " + command, ""));
    }

    /** As one word, whatever is in it. */
    static String quoted(String word) {
        return word.matches("[\\w./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
