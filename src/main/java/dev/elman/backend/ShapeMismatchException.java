package dev.elman.backend;

/** An operand whose shape does not fit; the message names operation, operand, expected and given shape. */
public final class ShapeMismatchException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /**
     * @param operation what was asked for, by method name
     * @param operand which argument is wrong
     * @param expected the shape by letter and number, such as {@code [T+1,N,H] = [8,3,5]}, and how to get there
     * @param given the shape that came
     */
    public ShapeMismatchException(String operation, String operand, String expected, Object given) {
        super(operation + ": " + operand + " must be " + expected + ", but is " + given + ".");
    }
}
