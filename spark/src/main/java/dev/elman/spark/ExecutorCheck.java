package dev.elman.spark;

import dev.elman.train.Trainer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkEnv;

/** Whether the executors have the classes that the driver has, and what is said when they have not. */
final class ExecutorCheck {
    /** The second is how a lambda fails whose class is not there, elman's or the user's. */
    private static final Pattern MISSING =
            Pattern.compile("(?:ClassNotFoundException|NoClassDefFoundError): (dev[./]elman[\\w./$]*)"
                    + "|cannot assign instance of java.lang.invoke.SerializedLambda");

    private static final Pattern OTHER = Pattern.compile("InvalidClassException: (dev\\.elman[\\w.$]*)");
    private static final Pattern EXECUTOR = Pattern.compile("\\(([^()\\s]+) executor ([^()\\s]+)\\)");

    private ExecutorCheck() {}

    /** elman's version as this JVM has it, for its jars say it; {@code unpacked} where none does. */
    static String version() {
        return version(Trainer.class) + " with elman-spark " + version(ExecutorCheck.class);
    }

    /**
     * By the manifest beside the class, in a jar within a jar too; a package's version is that of whichever jar its first
     * class came from.
     */
    static String version(Class<?> type) {
        String path = type.getName().replace('.', '/') + ".class";
        String place = type.getClassLoader().getResource(path).toString();
        if (!place.startsWith("jar:")) return "unpacked";
        try (InputStream manifest =
                URI.create(place.replace(path, JarFile.MANIFEST_NAME)).toURL().openStream()) {
            return new Manifest(manifest).getMainAttributes().getValue(Attributes.Name.IMPLEMENTATION_VERSION);
        } catch (FileNotFoundException e) {
            return "unpacked";
        } catch (IOException e) {
            throw new IllegalStateException("cannot read the jar of " + type, e);
        }
    }

    /** Called on an executor with the driver's version. */
    static void requireVersion(String driver) {
        String mine = version();
        if (!mine.equals(driver)) {
            throw new OtherVersionException("Executor " + SparkEnv.get().executorId() + " on "
                    + SparkEnv.get().blockManager().blockManagerId().host() + " has elman " + mine
                    + ", but the driver has " + driver + ". " + remedy());
        }
    }

    private static String remedy() {
        return "Give all executors the driver's jars: --packages dev.elman:elman-spark:VERSION, or --jars with"
                + " elman-spark, elman and their dependencies.";
    }

    /** An executor has another elman than the driver. */
    static final class OtherVersionException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        OtherVersionException(String message) {
            super(message);
        }
    }

    /** The failure of a job as its user should read it: what rows or an executor are to blame for comes out by itself. */
    static RuntimeException explain(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BadRowException
                    || cause instanceof OtherVersionException
                    || cause instanceof Table.OtherRowsException) {
                return (RuntimeException) cause;
            }
        }
        String text = String.valueOf(failure.getMessage());
        Matcher missing = MISSING.matcher(text);
        if (missing.find()) {
            String what = missing.group(1) == null
                    ? " cannot read the driver's code: a jar is missing there, elman's or your program's own. Give"
                            + " your program's to spark-submit, or name it in --jars. "
                    : " has no elman jar: it cannot read " + missing.group(1) + ". ";
            return new IllegalStateException(where(text) + what + drivers(), failure);
        }
        Matcher other = OTHER.matcher(text);
        if (other.find()) {
            return new IllegalStateException(
                    where(text) + " has another version of elman: " + other.group(1) + " differs. " + drivers(),
                    failure);
        }
        if (failure instanceof RuntimeException unchecked) return unchecked;
        return new IllegalStateException(failure.getMessage(), failure);
    }

    private static String where(String text) {
        Matcher executor = EXECUTOR.matcher(text);
        return executor.find() ? "Executor " + executor.group(2) + " on " + executor.group(1) : "An executor";
    }

    private static String drivers() {
        return "The driver has elman " + version() + ". " + remedy();
    }
}
