package dev.elman.cli;

import java.util.ArrayList;
import java.util.List;

/** Rows of cells, aligned by column; what is wider than a screen is not waited for. */
final class Table {
    private static final int WIDEST = 80;

    private final List<List<String>> rows = new ArrayList<>();
    private final int numbersFrom;
    private final int numbersTo;

    /** A table without rows; columns from {@code numbersFrom} to before {@code numbersTo} are aligned to the right. */
    Table(int numbersFrom, int numbersTo) {
        this.numbersFrom = numbersFrom;
        this.numbersTo = numbersTo;
    }

    Table row(String... cells) {
        rows.add(List.of(cells));
        return this;
    }

    /** One line for each row, each with this in front. */
    List<String> lines(String indent) {
        int columns = rows.stream().mapToInt(List::size).max().orElse(0);
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int c = 0; c < row.size(); c++) {
                int length = length(row.get(c));
                if (length <= WIDEST) widths[c] = Math.max(widths[c], length);
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder(indent);
            for (int c = 0; c < row.size(); c++) {
                String padding = " ".repeat(Math.max(0, widths[c] - length(row.get(c))));
                line.append(c == 0 ? "" : "  ");
                line.append(c >= numbersFrom && c < numbersTo ? padding + row.get(c) : row.get(c) + padding);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    private static int length(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
