package dev.elman.cli;

import dev.elman.verify.Report;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Results for people: a line for each quantity that is computed, one for all that is exact in an operation. */
final class VerifyTable {
    private VerifyTable() {}

    static List<String> lines(List<Report.Row> rows) {
        Map<String, List<Report.Row>> operations = new LinkedHashMap<>();
        rows.forEach(row -> operations
                .computeIfAbsent(row.operation(), operation -> new ArrayList<>())
                .add(row));
        Table table =
                new Table(2, 5).row("operation", "quantity", "error", "allowed", "results", "", "at its worst with");
        operations.forEach((operation, itsRows) -> add(table, operation, itsRows));
        return table.lines("");
    }

    private static void add(Table table, String operation, List<Report.Row> rows) {
        String name = operation;
        int exact = 0;
        for (Report.Row row : rows) {
            if (row.failures() == 0 && row.worst().tolerance() == 0) {
                exact += row.results();
                continue;
            }
            table.row(
                    name,
                    row.quantity(),
                    number(row.worst().worstError()),
                    number(row.worst().tolerance()),
                    String.valueOf(row.results()),
                    row.failures() == 0 ? "ok" : row.failures() + " OUT",
                    (row.worst().shape() + " " + row.worst().variant()).strip());
            name = "";
        }
        if (exact > 0) table.row(name, "what is exact", "0", "0", String.valueOf(exact), "ok", "");
    }

    private static String number(double value) {
        return value == 0 ? "0" : String.format(Locale.ROOT, "%.1e", value);
    }
}
