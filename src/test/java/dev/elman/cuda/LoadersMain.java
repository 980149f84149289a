package dev.elman.cuda;

import java.io.File;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Opens a backend in each of two class loaders that know nothing of each other, and prints what they are. */
final class LoadersMain {
    private LoadersMain() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        String[] classPath = System.getProperty("java.class.path").split(File.pathSeparator, -1);
        URL[] urls = new URL[classPath.length];
        for (int i = 0; i < urls.length; i++)
            urls[i] = Path.of(classPath[i]).toUri().toURL();
        for (int i = 0; i < 2; i++) {
            // Stays open, as an application's does: what it has loaded stays with it.
            URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
            Class<?> type = loader.loadClass(CudaBackend.class.getName());
            try (AutoCloseable backend = (AutoCloseable) type.getMethod("open").invoke(null)) {
                out.println(type.getMethod("description").invoke(backend));
            }
        }
    }
}
