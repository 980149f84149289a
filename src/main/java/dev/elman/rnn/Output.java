package dev.elman.rnn;

/** What a recurrent layer returns of its states. Masked steps do not count; a row without a live step gives zeros. */
public enum Output {
    /**
     * Every step: [T,N,C]. At a masked step one direction repeats its last output (0 before the first) or gives 0, as {@link
     * SimpleRnnConfig#zeroOutputForMask} says, and two directions give 0; all Keras's rules.
     */
    SEQUENCE,
    /** The state after the last live step that each direction ran: [N,C]. */
    LAST,
    /** The largest value of each channel over the live steps: [N,C]. */
    MAX,
    /** The mean of each channel over the live steps: [N,C]. */
    MEAN
}
