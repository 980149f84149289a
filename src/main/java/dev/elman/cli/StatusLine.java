package dev.elman.cli;

import java.io.PrintWriter;

/** One line that is drawn over again, where somebody watches; nothing elsewhere. */
final class StatusLine implements AutoCloseable {
    private final PrintWriter out;
    private final boolean live;
    private int width;

    StatusLine(PrintWriter out, boolean live) {
        this.out = out;
        this.live = live;
    }

    /** Replaces what the line said. */
    void show(String text) {
        if (live) draw(text);
    }

    /** Replaces it by something that stays, watched or not. */
    void keep(String text) {
        if (live) draw(text);
        else out.print(text);
        out.println();
        out.flush();
        width = 0;
    }

    /** Wipes it. */
    @Override
    public void close() {
        if (width == 0) return;
        draw("");
        out.print('\r');
        out.flush();
    }

    private void draw(String text) {
        out.print('\r' + text + " ".repeat(Math.max(0, width - text.length())));
        out.flush();
        width = text.length();
    }
}
