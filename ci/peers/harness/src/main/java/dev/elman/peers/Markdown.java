package dev.elman.peers;

import java.util.List;
import java.util.Locale;

/** A text with headings and tables that grows. */
final class Markdown {
    private final StringBuilder text = new StringBuilder();

    Markdown heading(String title) {
        return line("").line("## " + title);
    }

    Markdown paragraph(String words) {
        return line("").line(words);
    }

    Markdown line(String line) {
        text.append(line).append('\n');
        return this;
    }

    /** Columns after the first are numbers. */
    Markdown table(List<String> titles) {
        return line("").row(titles).line("| --- |" + " ---: |".repeat(titles.size() - 1));
    }

    Markdown row(List<String> cells) {
        return line("| " + String.join(" | ", cells) + " |");
    }

    @Override
    public String toString() {
        return text.toString();
    }

    /** A time or a rate with three digits that count, and not fewer before the point than it has. */
    static String number(double value) {
        int before = value == 0 ? 3 : 1 + (int) Math.floor(Math.log10(Math.abs(value)));
        return String.format(Locale.ROOT, "%." + Math.max(0, 3 - before) + "f", value);
    }

    static String tenths(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    static String ratio(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
