package dev.elman.peers;

import java.util.List;

/** The arrays that are compared. */
enum Output {
    Y("y"),
    DX("dx"),
    DWX("dWx"),
    DWH("dWh"),
    DB("db");

    private final String title;

    Output(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    static List<Output> of(Mode mode) {
        return mode == Mode.FORWARD ? List.of(Y) : List.of(values());
    }
}
