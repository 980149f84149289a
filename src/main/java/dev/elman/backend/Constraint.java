package dev.elman.backend;

/**
 * What weights must keep to after every step of an optimizer. A norm is that of a column, all weights that lead to one node
 * (Keras's axis 0); a bias [H] is one column.
 *
 * @param kind of limit
 * @param limit positive; for {@link Kind#MAX_NORM} the largest norm, for {@link Kind#UNIT_NORM} the norm itself, 1 in
 *     {@link #unitNorm}; {@link Kind#NON_NEGATIVE} does not look at it
 */
public record Constraint(Kind kind, double limit) {
    /** What is limited. */
    public enum Kind {
        /** Columns that are longer than the limit are scaled to it (Srebro and Shraibman 2005). */
        MAX_NORM,
        /** Columns are scaled to the limit, shorter ones too; one of zeros stays. */
        UNIT_NORM,
        /** What is below 0 becomes 0. */
        NON_NEGATIVE
    }

    /** Throws {@link IllegalArgumentException} unless the limit is positive; NaN is not. */
    public Constraint {
        if (!(limit > 0)) {
            throw new IllegalArgumentException("constrain: the limit must be positive, but is " + limit + ".");
        }
    }

    /** No column longer than this. */
    public static Constraint maxNorm(double limit) {
        return new Constraint(Kind.MAX_NORM, limit);
    }

    /** Every column of length 1. */
    public static Constraint unitNorm() {
        return new Constraint(Kind.UNIT_NORM, 1);
    }

    /** Nothing below 0. */
    public static Constraint nonNegative() {
        return new Constraint(Kind.NON_NEGATIVE, 1);
    }

    /** What a column of this norm is multiplied by, where norms are limited. */
    public double factor(double norm) {
        boolean leave = norm == 0 || (kind == Kind.MAX_NORM && norm <= limit);
        return leave ? 1 : limit / norm;
    }
}
