package dev.elman.train;

import java.util.function.Consumer;

/** Callbacks of one method, as lambdas. */
final class Callbacks {
    private Callbacks() {}

    static Callback afterBatch(Consumer<Progress> action) {
        return new Callback() {
            @Override
            public void onBatchEnd(Progress progress) {
                action.accept(progress);
            }
        };
    }

    /** One that never ends the training. */
    static Callback afterEpoch(Consumer<EpochResult> action) {
        return new Callback() {
            @Override
            public boolean onEpochEnd(EpochResult result) {
                action.accept(result);
                return true;
            }
        };
    }
}
