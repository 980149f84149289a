package dev.elman.arch.bad.backend;

import java.util.logging.Logger;
import org.bytedeco.javacpp.FloatPointer;
import picocli.CommandLine;

/** Breaks every rule about a single class. */
class Talker {
    static int said;

    final Logger logger = Logger.getLogger("elman");
    FloatPointer words;
    CommandLine line;

    void talk() {
        System.out.println(said);
    }
}
