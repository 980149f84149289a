package dev.elman.spark;

import org.apache.spark.SparkContext;
import org.apache.spark.util.Utils;

/** How many tasks this application can run at once. */
final class Slots {
    private static final String MORE = "give the application more executors, or wait until they are registered"
            + " (spark.scheduler.minRegisteredResourcesRatio).";

    private Slots() {}

    /**
     * As many workers as asked for, or as there are slots.
     *
     * @param together whether all must run at once
     * @throws IllegalArgumentException when they must and cannot, or when there is no slot to go by
     */
    static int workers(SparkContext context, int asked, boolean together) {
        if (together && Utils.isDynamicAllocationEnabled(context.conf())) {
            throw new IllegalArgumentException("fit: ALLREDUCE's workers train together, which Spark does not do with"
                    + " dynamic allocation. Set spark.dynamicAllocation.enabled to false, or syncMode to AVERAGE(k).");
        }
        int slots =
                context.maxNumConcurrentTasks(context.resourceProfileManager().defaultResourceProfile());
        if (slots == 0 && asked == 0) {
            throw new IllegalArgumentException("fit: numWorkers is not set, and the executors that are here now have no"
                    + " slots to go by. Set numWorkers, " + MORE);
        }
        if (slots < asked && together) {
            throw new IllegalArgumentException("fit: numWorkers is " + asked + ", but the executors that are here"
                    + " now have " + slots + " slots: ALLREDUCE's workers train together, so all must run at once. Set"
                    + " numWorkers to at most " + slots + ", " + MORE);
        }
        return asked == 0 ? slots : asked;
    }
}
