package dev.elman.cli;

import dev.elman.io.AtomicFile;
import dev.elman.train.EpochResult;
import dev.elman.train.History;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws what a training came to, as PNG files. Needs java.desktop and a font; see {@link Drawing}. */
final class Pictures {
    private static final Color INK = new Color(0x30, 0x30, 0x38);
    private static final Color GRID = new Color(0xE4, 0xE6, 0xEA);
    private static final Color TRAINING = new Color(0x9A, 0xA5, 0xB8);
    private static final Color VALIDATION = new Color(0x1F, 0x5F, 0xBF);
    private static final Color PALE = new Color(0xF7, 0xFA, 0xFE);
    private static final Color DARK = new Color(0x5A, 0x96, 0xE4);

    private Pictures() {}

    /** Draws a chart for nobody: fails where a picture would. */
    static void probe() throws IOException {
        png(List.of(new XYChartBuilder().width(64).height(64).build()));
    }

    /** Loss (a generator's as perplexity) and accuracy over the epochs, one beside the other. */
    static void curve(History history, TextTask.Kind kind, Path file) throws IOException {
        boolean classify = kind == TextTask.Kind.classify;
        String training = classify ? "training (with dropout, smoothing)" : "training (with dropout)";
        XYChart loss = classify
                ? lines("Loss (nats)", training, history, EpochResult::loss, EpochResult::validationLoss)
                : lines(
                        "Perplexity",
                        training,
                        history,
                        epoch -> Math.exp(epoch.loss()),
                        epoch -> Math.exp(epoch.validationLoss()));
        loss.getStyler().setLegendPosition(LegendPosition.InsideNE);
        XYChart accuracy = lines(
                classify ? "Accuracy" : "Accuracy (the next character is the most probable one)",
                training,
                history,
                EpochResult::accuracy,
                EpochResult::validationAccuracy);
        accuracy.getStyler().setLegendPosition(LegendPosition.InsideSE);
        accuracy.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
        write(file, List.of(loss, accuracy));
    }

    private static XYChart lines(
            String title,
            String trainingName,
            History history,
            ToDoubleFunction<EpochResult> training,
            ToDoubleFunction<EpochResult> validation) {
        XYChart chart = new XYChartBuilder()
                .width(700)
                .height(500)
                .title(title)
                .xAxisTitle("Epoch")
                .build();
        style(chart);
        chart.getStyler().setPlotGridVerticalLinesVisible(false).setYAxisTitleVisible(false);
        chart.getStyler().setXAxisMin(1.0).setXAxisDecimalPattern("0");
        chart.getStyler().setPlotContentSize(0.96);
        List<EpochResult> epochs = history.epochs();
        List<Integer> x = epochs.stream().map(EpochResult::epoch).toList();
        add(chart, trainingName, x, values(epochs, training), TRAINING);
        EpochResult kept = epochs.get(history.bestEpoch() - 1);
        if (Double.isNaN(kept.validationLoss())) return chart;
        add(chart, "validation", x, values(epochs, validation), VALIDATION);
        chart.addSeries("weights kept", List.of(kept.epoch()), List.of(validation.applyAsDouble(kept)))
                .setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter)
                .setMarker(SeriesMarkers.CIRCLE)
                .setMarkerColor(VALIDATION);
        return chart;
    }

    private static List<Double> values(List<EpochResult> epochs, ToDoubleFunction<EpochResult> value) {
        return epochs.stream().map(value::applyAsDouble).toList();
    }

    private static void add(XYChart chart, String name, List<Integer> x, List<Double> y, Color color) {
        XYSeries series = chart.addSeries(name, x, y);
        series.setLineColor(color).setLineStyle(new BasicStroke(3f));
        series.setMarker(x.size() < 2 ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE)
                .setMarkerColor(color);
    }

    /**
     * How often which label was taken for which, in percent of the true label's texts.
     *
     * @param counts [K,K]: texts of label i that were taken for label j
     */
    static void confusion(List<String> labels, int[][] counts, Path file) throws IOException {
        HeatMapChart chart = new HeatMapChartBuilder()
                .width(1100)
                .height(1000)
                .title("What the network said, in percent of each language's test names")
                .xAxisTitle("language that the network said")
                .yAxisTitle("language of the name")
                .build();
        style(chart);
        chart.getStyler()
                .setRangeColors(shades())
                .setMin(0)
                .setMax(100)
                .setShowValue(true)
                .setValueFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14))
                .setValueFontColor(INK);
        chart.getStyler().setPlotGridLinesVisible(false).setAxisTicksMarksVisible(false);
        chart.getStyler()
                .setXAxisLabelRotation(45)
                .setXAxisTickMarkSpacingHint(1)
                .setYAxisTickMarkSpacingHint(1);
        chart.getStyler().setLegendVisible(false).setPlotContentSize(1);
        List<String> columns = labels.stream().sorted().toList();
        // The first row is at the bottom; a table is read from the top.
        List<String> rows = labels.stream().sorted(Comparator.reverseOrder()).toList();
        List<Number[]> cells = new ArrayList<>();
        for (int x = 0; x < columns.size(); x++) {
            int said = labels.indexOf(columns.get(x));
            for (int y = 0; y < rows.size(); y++) {
                int[] row = counts[labels.indexOf(rows.get(y))];
                int all = Arrays.stream(row).sum();
                int percent = all == 0 ? 0 : Math.round(100f * row[said] / all);
                if (percent > 0) cells.add(new Number[] {x, y, percent});
            }
        }
        chart.addSeries("percent", columns, rows, cells);
        write(file, List.of(chart));
    }

    /** From pale to dark, fast at first: a share of 5 percent is worth seeing. */
    private static Color[] shades() {
        Color[] shades = new Color[64];
        for (int i = 0; i < shades.length; i++) {
            double t = Math.pow(i / (shades.length - 1.0), 0.6);
            shades[i] = new Color(
                    blend(PALE.getRed(), DARK.getRed(), t),
                    blend(PALE.getGreen(), DARK.getGreen(), t),
                    blend(PALE.getBlue(), DARK.getBlue(), t));
        }
        return shades;
    }

    private static int blend(int from, int to, double t) {
        return (int) Math.round(from + (to - from) * t);
    }

    private static void style(Chart<? extends AxesChartStyler, ?> chart) {
        AxesChartStyler styler = chart.getStyler();
        styler.setChartBackgroundColor(Color.WHITE)
                .setChartFontColor(INK)
                .setChartPadding(20)
                .setChartTitleBoxVisible(false)
                .setChartTitlePadding(10)
                .setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 18))
                .setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 15))
                .setLegendBorderColor(Color.WHITE)
                .setPlotBorderVisible(false);
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 16))
                .setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14))
                .setPlotGridLinesColor(GRID)
                .setPlotGridLinesStroke(new BasicStroke(1f))
                .setAxisTicksLineVisible(false);
    }

    private static void write(Path file, List<? extends Chart<?, ?>> charts) throws IOException {
        byte[] picture = png(charts);
        AtomicFile.replace(file, out -> out.write(picture));
    }

    /** Charts side by side. */
    private static byte[] png(List<? extends Chart<?, ?>> charts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BitmapEncoder.saveBitmap(charts, 1, charts.size(), bytes, BitmapFormat.PNG);
        return bytes.toByteArray();
    }
}
