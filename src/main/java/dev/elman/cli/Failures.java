package dev.elman.cli;

import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.OutOfDeviceMemoryException;
import dev.elman.data.MissingLocaleDataException;
import dev.elman.train.TrainingDivergedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** What went wrong in one line on the error stream, and the exit code; the stack trace only for who asks for it. */
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {
    /** A check failed, or a training diverged. */
    static final int CHECK_FAILED = 1;

    /** Bad usage, a bad file, or something missing on this machine. */
    static final int BAD_INPUT = 2;

    /** A fault of ours. */
    static final int BUG = 3;

    /** batchSize anywhere in a message, and epochs as its first word; {@code topK = 1} whole, an option being {@code --top-k 1}. */
    private static final Pattern SETTING = Pattern.compile("(^[a-z]+|\\b[a-z]+[A-Z][A-Za-z]*)\\b( =)?");

    /** What a command that takes texts calls them, which may begin as options do. */
    static final String TEXT = "TEXT";

    /** For {@code exitCodeList}. */
    static final String CODE_0 = "0:done, and every check passed";

    static final String CODE_1 = "1:a check failed, or a training diverged";
    static final String CODE_2 = "2:wrong usage or bad input; one line on the error stream says what to do";
    static final String CODE_3 = "3:a fault of elman's own; please report it";

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        print(command, oneLine(e.getMessage()) + suggestion(e) + " Help: " + name(command) + " --help");
        return BAD_INPUT;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
        boolean expected = isExpected(e);
        if (expected) print(command, withOptions(e, command.getCommandSpec()));
        else print(command, "This is a fault of elman's: " + e + ". Please report it with the output of --stacktrace.");
        if (command.getCommandSpec().root().userObject() instanceof Main main && main.wantsStackTrace()) {
            e.printStackTrace(command.getErr());
        }
        if (e instanceof TrainingDivergedException) return CHECK_FAILED;
        return expected ? BAD_INPUT : BUG;
    }

    private static boolean isExpected(Exception e) {
        return e instanceof UserException
                || e instanceof IllegalArgumentException
                || e instanceof IOException
                || e instanceof UncheckedIOException
                || e instanceof BackendUnavailableException
                || e instanceof OutOfDeviceMemoryException
                || e instanceof MissingLocaleDataException
                || e instanceof TrainingDivergedException;
    }

    /** The message for people; the exceptions of files often have a path for a message, and nothing else. */
    static String describe(Throwable e) {
        if (e instanceof UncheckedIOException wrapper) return describe(wrapper.getCause());
        if (e instanceof NoSuchFileException missing) return missing.getFile() + ": there is no such file";
        if (e instanceof AccessDeniedException denied) return denied.getFile() + ": access is denied";
        if (e instanceof FileSystemException failed && failed.getReason() != null) {
            return failed.getFile() + ": " + oneLine(failed.getReason());
        }
        return e.getMessage() == null ? e.toString() : oneLine(e.getMessage());
    }

    /** The library calls its settings by the names that they have in Java; here they are options. */
    private static String withOptions(Exception e, CommandSpec command) {
        if (!(e instanceof IllegalArgumentException)) return describe(e);
        return SETTING.matcher(describe(e)).replaceAll(found -> {
            String option = "--" + found.group(1).replaceAll("(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
            return command.optionsMap().containsKey(option) ? option : Matcher.quoteReplacement(found.group());
        });
    }

    private static String suggestion(ParameterException e) {
        if (!(e instanceof UnmatchedArgumentException unmatched)) return ".";
        List<String> similar = unmatched.getSuggestions();
        if (!similar.isEmpty()) return ". Did you mean " + String.join(" or ", similar) + "?";
        boolean takesTexts = e.getCommandLine().getCommandSpec().positionalParameters().stream()
                .anyMatch(parameter -> parameter.paramLabel().equals(TEXT));
        return takesTexts && unmatched.isUnknownOption() ? ". If it is no option, put -- in front of it." : ".";
    }

    private static void print(CommandLine command, String message) {
        command.getErr().println(name(command) + ": " + message);
    }

    private static String name(CommandLine command) {
        return command.getCommandSpec().qualifiedName();
    }

    static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
