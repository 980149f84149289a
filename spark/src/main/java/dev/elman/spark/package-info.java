/**
 * elman on Apache Spark: {@code ElmanClassifier} trains a classifier over a table's rows on several workers, {@code
 * ElmanClassificationModel} scores tables, {@code KerasTokenizer} makes token ids of texts.
 *
 * <p>The driver's side is {@code ElmanClassifier} with {@code AllReduceFit} or {@code AverageFit}; a worker's side is {@code
 * AllReduceTask} or {@code AverageTask}. Everything that computes is the core's; here rows, gradients and models travel.
 */
package dev.elman.spark;
