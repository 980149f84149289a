package dev.elman.cli;

import java.io.PrintWriter;

/** One line that is drawn over again, where somebody watches; nothing elsewhere. What a screen has no room for is not seen. */
final class StatusLine implements AutoCloseable {
    /** Tells a screen that a line ends where the screen does; else its rest would be a line that stays. */
    private static final String CUT = "\u001B[?7l";

    private static final String WRAP = "\u001B[?7h";

    private final PrintWriter out;
    private final boolean live;
    private final boolean escapes;
    private int width;

    StatusLine(PrintWriter out, boolean live) {
        // A screen without such a name, of Windows, may show what it does not understand.
        this(out, live, System.getenv("TERM") != null);
    }

    /** @param escapes whether the screen understands them */
    StatusLine(PrintWriter out, boolean live, boolean escapes) {
        this.out = out;
        this.live = live;
        this.escapes = escapes;
    }

    /** Replaces what the line said. */
    void show(String text) {
        if (live) draw(text);
    }

    /** Replaces it by something that stays, watched or not. */
    void keep(String text) {
        close();
        out.println(text);
    }

    /** Wipes it. */
    @Override
    public void close() {
        if (width == 0) return;
        draw("");
        out.print('\r');
        out.flush();
        width = 0;
    }

    private void draw(String text) {
        String line = '\r' + text + " ".repeat(Math.max(0, width - text.length()));
        out.print(escapes ? CUT + line + WRAP : line);
        out.flush();
        width = text.length();
    }
}
