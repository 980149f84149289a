package dev.elman.cuda;

import dev.elman.backend.BackendUnavailableException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import jcuda.JCudaVersion;

/**
 * Loads JCuda's native code without JCuda's trouble: JCuda unpacks it under a fixed name into the temporary folder and takes
 * whatever file has that name, so two programs that start together may load half a file, and anybody may plant one. Here
 * it is unpacked into a new folder that only this user can enter, and JCuda is shown that folder while it loads.
 */
final class NativeCode {
    /** A literal is one object in the whole process, where each class loader has a class of this name: all swap one property. */
    private static final Object LOCK = "dev.elman.cuda.NativeCode";

    private static final String TEMPORARY = "java.io.tmpdir";
    private static final String PART = ".part";
    /** All that Windows says where a library needs one that is not there. */
    private static final String DEPENDENT = "Can't find dependent libraries";
    /** What the JVM says of a library that it has loaded for one class loader, and loads for no other. */
    private static final String ELSEWHERE = "already loaded in another classloader";

    /** What the JVM says of a class that a binding or its native code uses and nobody has. */
    private static final String MISSING_CLASS = "java.lang.ClassNotFoundException: ";

    /** What Java says where it is told to let no native code in, as it may be by default some day. */
    private static final String DENIED = "Illegal native access";

    /** Bindings, and where their native code came from. */
    private static final Map<String, String> LOADED = new HashMap<>();

    /** Bindings that did not load, and why: the JVM says it the first time only. */
    private static final Map<String, LinkageError> FAILED = new HashMap<>();

    private NativeCode() {}

    /**
     * Loads the driver binding, which needs the driver's own library.
     *
     * @return where it came from, for people
     */
    static String loadDriver() {
        return load("JCudaDriver", "jcuda.driver.JCudaDriver", NativeCode::driverSentence);
    }

    /**
     * Loads the cuBLAS binding, which needs libcublas.so.12; takes that and libcublasLt.so.12 from the folder first, if one
     * is given.
     */
    static String loadBlas(Path libraries) {
        if (libraries != null) preload(libraries);
        load("JCublas2", "jcuda.jcublas.JCublas2", reason -> blasSentence(reason, libraries));
        return libraries == null ? "from the system's library path" : "from " + libraries;
    }

    /**
     * Loads one of JCuda's libraries by loading the class that binds it, once in a process.
     *
     * @param sentence turns the loader's words into a sentence for the user
     * @throws BackendUnavailableException with the sentence, when that fails
     */
    static String load(String library, String binding, UnaryOperator<String> sentence) {
        String file = System.mapLibraryName(library + "-" + JCudaVersion.get() + "-" + platform());
        synchronized (LOCK) {
            if (LOADED.containsKey(binding)) return LOADED.get(binding);
            Path folder = null;
            try {
                // The JVM loads no library by a relative path.
                folder = Files.createTempDirectory("elman-cuda-").toAbsolutePath();
                // java.io.File remembers where its first temporary file was, which must not be our folder.
                Files.delete(File.createTempFile("elman-cuda-", null).toPath());
                boolean packed = unpack(file, folder);
                start(binding, folder);
                LOADED.put(binding, file + (packed ? " from the jar" : " from java.library.path"));
                return LOADED.get(binding);
            } catch (IOException e) {
                throw new BackendUnavailableException(
                        "JCuda's native code could not be unpacked into a new folder under "
                                + System.getProperty(TEMPORARY) + " (" + e
                                + "); make room there or choose another with -Djava.io.tmpdir.",
                        e);
            } catch (ClassNotFoundException e) {
                // The driver's binding is in one jar with JCudaVersion.
                throw new BackendUnavailableException(
                        "JCuda's class " + binding + " is not there; put org.jcuda:jcublas:" + JCudaVersion.get()
                                + " on the class path.",
                        e);
            } catch (LinkageError e) {
                LinkageError first = FAILED.computeIfAbsent(binding, name -> e);
                throw new BackendUnavailableException(sentence.apply(rootOf(first)), first);
            } finally {
                remove(folder, file);
            }
        }
    }

    /** Loads the class while our folder is the one for temporary files, and no longer: the user is told of the other. */
    private static void start(String binding, Path folder) throws ClassNotFoundException {
        String before = System.setProperty(TEMPORARY, folder.toString());
        try {
            Class.forName(binding, true, NativeCode.class.getClassLoader());
        } finally {
            System.setProperty(TEMPORARY, before);
        }
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "apple" : "linux") + "-"
                + (arch.equals("amd64") ? "x86_64" : arch);
    }

    private static boolean windows() {
        return platform().startsWith("windows");
    }

    /** Writes the library beside its name first: a file of that name is always whole. */
    private static boolean unpack(String file, Path folder) throws IOException {
        try (InputStream in = NativeCode.class.getClassLoader().getResourceAsStream("lib/" + file)) {
            if (in == null) return false;
            Path part = folder.resolve(file + PART);
            Files.copy(in, part);
            Files.move(part, folder.resolve(file), StandardCopyOption.ATOMIC_MOVE);
            return true;
        }
    }

    /** Linux needs the file of a loaded library no more. Windows keeps it until the process has ended, so there it is left behind. */
    private static void remove(Path folder, String file) {
        if (folder == null) return;
        try {
            for (String ours : List.of(file, file + PART)) Files.deleteIfExists(folder.resolve(ours));
            Files.delete(folder);
        } catch (IOException left) {
            // Nobody enters that folder again; or another thread has put a file there meanwhile, which stays.
        }
    }

    /** What is loaded is found by name when the binding asks for it; so the helper comes before the library itself. */
    private static void preload(Path libraries) {
        Path helper = libraries.resolve(windows() ? "cublasLt64_12.dll" : "libcublasLt.so.12");
        Path library = libraries.resolve(windows() ? "cublas64_12.dll" : "libcublas.so.12");
        if (!Files.isRegularFile(library)) {
            throw new BackendUnavailableException("elman.cuda.libdir is " + libraries
                    + ", but there is no " + library.getFileName() + "; name the folder that holds it (in a pip install"
                    + " of nvidia-cublas-cu12 it is nvidia/cublas/" + (windows() ? "bin" : "lib") + ").");
        }
        // A stand-in for cuBLAS may come in one piece.
        if (Files.isRegularFile(helper)) load(helper);
        load(library);
    }

    private static void load(Path library) {
        try {
            System.load(library.toString());
        } catch (LinkageError e) {
            // Another application's elman has: it is in the process, where the binding finds it.
            if (String.valueOf(e.getMessage()).contains(ELSEWHERE)) return;
            throw new BackendUnavailableException(
                    library + " could not be loaded (" + rootOf(e) + "); it must be cuBLAS 12 for this platform.", e);
        }
    }

    /** The loader's own words, at the bottom of what JCuda and the JVM wrap around them, in one line. */
    static String rootOf(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) root = root.getCause();
        String words = String.valueOf(root.getMessage())
                .lines()
                .map(String::strip)
                .filter(NativeCode::isLoadersWord)
                .findFirst()
                .orElse(String.valueOf(root));
        // The loader names the unpacked file first, and the JVM before it, which says nothing to anybody.
        return words.lines()
                .findFirst()
                .orElse("no reason given")
                .replaceFirst("^Caused by: ", "")
                .replaceFirst("^\\S*UnsatisfiedLinkError: ", "")
                .replaceFirst("^(\\S*elman-cuda-\\S*: )+", "")
                .strip();
    }

    private static boolean isLoadersWord(String line) {
        return line.contains(DEPENDENT)
                || line.contains(DENIED)
                || line.contains(MISSING_CLASS)
                || line.contains("cannot open shared object file")
                || line.contains("failed to map segment")
                || line.contains("undefined symbol")
                || line.contains("file too short")
                || line.contains("invalid ELF header")
                || line.contains("version `");
    }

    static String driverSentence(String reason) {
        String library = windows() ? "nvcuda.dll" : "libcuda.so.1";
        if (reason.contains(library) || reason.contains(DEPENDENT)) {
            return "the NVIDIA driver's library " + library + " was not found (" + reason + "; " + searched()
                    + "); install the NVIDIA driver 525 or newer, in a container start"
                    + " it with the NVIDIA runtime (docker run --gpus all).";
        }
        return bindingSentence("jcuda-natives", reason);
    }

    private static String blasSentence(String reason, Path libraries) {
        if (reason.contains("libcublas") || reason.contains(DEPENDENT)) {
            return (windows() ? "cublas64_12.dll" : "libcublas.so.12") + " was not found or does not load (" + reason
                    + "; elman.cuda.libdir is " + (libraries == null ? "not set" : libraries) + ", " + searched()
                    + "); install cuBLAS 12, for instance with pip install"
                    + " nvidia-cublas-cu12, and name its folder with -Delman.cuda.libdir.";
        }
        return bindingSentence("jcublas-natives", reason);
    }

    private static String bindingSentence(String artifact, String reason) {
        if (reason.contains("failed to map segment")) {
            return "the folder for temporary files, " + System.getProperty(TEMPORARY)
                    + ", does not let libraries be loaded, perhaps it is mounted noexec (" + reason
                    + "); choose another with -Djava.io.tmpdir.";
        }
        if (reason.contains(DENIED)) return denied(reason);
        if (reason.startsWith(MISSING_CLASS)) {
            return "JCuda needs the class " + reason.substring(MISSING_CLASS.length())
                    + ", which is not there; put JCuda's jars on the class path whole, and the module java.logging into a"
                    + " Java that jlink makes.";
        }
        return "JCuda's native code for " + platform() + " is not there or does not load (" + reason
                + "); put org.jcuda:" + artifact + ":" + JCudaVersion.get() + " with the classifier " + platform()
                + " on the class path, it exists for linux-x86_64 and windows-x86_64.";
    }

    static String denied(String reason) {
        return "Java lets no native code in (" + reason
                + "); start it with --enable-native-access=ALL-UNNAMED, on the module path with"
                + " --enable-native-access=dev.elman,jcuda,jcublas.";
    }

    /** Where the system's loader has looked. */
    private static String searched() {
        String variable = windows() ? "PATH" : "LD_LIBRARY_PATH";
        String value = System.getenv(variable);
        return variable + " is " + (value == null ? "not set" : value);
    }
}
