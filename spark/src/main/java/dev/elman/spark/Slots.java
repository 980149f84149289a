package dev.elman.spark;

import org.apache.spark.SparkContext;

/** How many tasks this application can run at once. */
final class Slots {
    private Slots() {}

    /** As many workers as asked for, or as there are slots; throws {@link IllegalArgumentException} when those are fewer. */
    static int workers(SparkContext context, int asked) {
        int slots =
                context.maxNumConcurrentTasks(context.resourceProfileManager().defaultResourceProfile());
        if (slots < Math.max(1, asked)) {
            throw new IllegalArgumentException("fit: numWorkers is " + Math.max(1, asked)
                    + ", but the executors that are here"
                    + " now have " + slots + " slots: workers train together, so all must run at once. Set numWorkers"
                    + " to at most " + slots + ", give the application more executors, or wait until they are"
                    + " registered (spark.scheduler.minRegisteredResourcesRatio).");
        }
        if (context.getConf().getBoolean("spark.dynamicAllocation.enabled", false)) {
            throw new IllegalArgumentException(
                    "fit: workers train together, which Spark does not do with dynamic allocation."
                            + " Set spark.dynamicAllocation.enabled to false.");
        }
        return asked == 0 ? slots : asked;
    }
}
