package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.cuda.Probe.Finding;
import dev.elman.cuda.Probe.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * What decides between the designs of a recurrence on a GPU: the costs of a launch, a graph's node, a barrier of a block and
 * of the grid, and how fast all blocks read one memory. Those of clusters are in {@link ClusterProbes}, those
 * of matrix products in {@link ProductProbes}.
 */
final class Probes {
    private static final String STEPS = "steps.sm75.ptx";

    /** Looks at a counter before a wait is given up: about a second on a GPU. */
    private static final int PATIENCE = 1 << 20;

    private Probes() {}

    static List<Probe> all() {
        List<Probe> all = new ArrayList<>(List.of(
                new Probe("one launch", Probes::launch),
                new Probe("a layer call", Probes::layerCall),
                new Probe("a node of a graph", Probes::graphNode),
                new Probe("a step in one block", Probes::blockStep),
                new Probe("a step across the grid", Probes::gridStep),
                new Probe("all blocks read one memory", Probes::sharedReads)));
        all.addAll(ProductProbes.all());
        all.addAll(ClusterProbes.all());
        return all;
    }

    private static List<Finding> launch(ProbeDevice device, Scale scale) {
        CUfunction count = device.kernel(STEPS, "probe_count");
        CUdeviceptr counter = device.ints(1);
        Pointer parameters = ProbeDevice.parameters(counter);
        // Below the number of launches that a stream holds before it makes the host wait.
        int burst = Math.min(scale.steps(), 500);
        double[] call = new double[9];
        for (int i = 0; i < call.length; i++) {
            device.synchronize();
            long start = System.nanoTime();
            for (int k = 0; k < burst; k++) device.launch(count, 1, 32, 0, parameters);
            call[i] = (System.nanoTime() - start) / 1e3 / burst;
        }
        double throughput = ProbeDevice.slope(
                scale.few(),
                scale.steps(),
                launches -> device.micros(() -> {
                    for (int k = 0; k < launches; k++) device.launch(count, 1, 32, 0, parameters);
                }));
        double[] round = new double[Math.min(scale.steps(), 200)];
        for (int i = 0; i < round.length; i++) {
            long start = System.nanoTime();
            device.launch(count, 1, 32, 0, parameters);
            device.synchronize();
            round[i] = (System.nanoTime() - start) / 1e3;
        }
        int launches = call.length * burst + 8 * (scale.few() + scale.steps()) + round.length;
        Probe.require(device.download(counter, 1)[0] == launches, "a launch is missing");
        return List.of(
                new Finding("launch through JCuda: the call", median(call), "us", Double.NaN),
                new Finding("launch through JCuda: one after the other", throughput, "us", 2.5),
                new Finding("launch through JCuda: until the host has waited for it", median(round), "us", Double.NaN));
    }

    /** What Java adds to a layer: a sequence of one step, whose kernels take next to nothing. */
    private static List<Finding> layerCall(ProbeDevice device, Scale scale) {
        CudaSettings settings = CudaSettings.fromProperties();
        List<Finding> findings = new ArrayList<>(layerCall(settings, 64, "", scale));
        // The recurrence's own launch makes the projection.
        findings.addAll(layerCall(settings, 8, " from 8 features", scale));
        findings.addAll(layerCall(Settings.of("gemm=own"), 64, ", own products", scale));
        return findings;
    }

    private static List<Finding> layerCall(CudaSettings settings, int features, String which, Scale scale) {
        int nodes = 64;
        try (CudaBackend backend = CudaBackend.open(settings);
                Tensor wx = zeros(backend, features, nodes);
                Tensor wh = zeros(backend, nodes, nodes);
                Tensor b = zeros(backend, nodes);
                Tensor x = zeros(backend, 1, 1, features);
                Tensor states = zeros(backend, 2, 1, nodes)) {
            SimpleRnnWeights weights = new SimpleRnnWeights(wx, wh, b);
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null);
            SimpleRnnForward layer = new SimpleRnnForward(weights, pass, x, states);
            Tensor one = states.view(nodes, Shape.of(1));
            // An application makes such calls all the time: Java has compiled them.
            for (int i = 0; i < 4 * scale.steps(); i++) {
                backend.simpleRnnForward(layer);
                one.toFloats();
            }
            double[] call = new double[Math.min(scale.steps(), 500)];
            double[] with = new double[call.length];
            double[] without = new double[call.length];
            for (int i = 0; i < with.length; i++) {
                long start = System.nanoTime();
                backend.simpleRnnForward(layer);
                call[i] = (System.nanoTime() - start) / 1e3;
                Probe.require(one.toFloats()[0] == 0, "a layer of zeros gave another number");
                with[i] = (System.nanoTime() - start) / 1e3;
                start = System.nanoTime();
                one.toFloats();
                without[i] = (System.nanoTime() - start) / 1e3;
            }
            return List.of(
                    new Finding(
                            "forward of one step of 64 nodes" + which + ": until all is handed over",
                            median(call),
                            "us",
                            20),
                    new Finding(
                            "forward of one step of 64 nodes" + which
                                    + ": from the call until the host has waited, less the download",
                            median(with) - median(without),
                            "us",
                            Double.NaN));
        }
    }

    private static Tensor zeros(CudaBackend backend, int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        backend.fill(tensor, 0);
        return tensor;
    }

    private static List<Finding> graphNode(ProbeDevice device, Scale scale) {
        CUfunction count = device.kernel(STEPS, "probe_count");
        CUdeviceptr counter = device.ints(1);
        Pointer parameters = ProbeDevice.parameters(counter);
        int many = Math.min(scale.steps(), 1024);
        int few = many / 4;
        CUgraphExec[] graphs = {graph(device, few, count, parameters), graph(device, many, count, parameters)};
        double node = ProbeDevice.slope(
                few, many, nodes -> device.micros(() -> replay(device, graphs[nodes == few ? 0 : 1])));
        double[] call = new double[9];
        for (int i = 0; i < call.length; i++) {
            device.synchronize();
            long start = System.nanoTime();
            replay(device, graphs[0]);
            call[i] = (System.nanoTime() - start) / 1e3;
        }
        Probe.require(device.download(counter, 1)[0] == 8 * (few + many) + call.length * few, "a node did not run");
        return List.of(
                new Finding("graph: a node on replay", node, "us", 1.2),
                new Finding("graph: the call that replays " + few + " nodes", median(call), "us", Double.NaN));
    }

    private static CUgraphExec graph(ProbeDevice device, int nodes, CUfunction count, Pointer parameters) {
        CUgraph graph = new CUgraph();
        device.call(
                "cuStreamBeginCapture",
                () -> JCudaDriver.cuStreamBeginCapture(
                        device.stream(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        for (int i = 0; i < nodes; i++) device.launch(count, 1, 32, 0, parameters);
        device.make(
                "cuStreamEndCapture",
                () -> JCudaDriver.cuStreamEndCapture(device.stream(), graph),
                () -> JCudaDriver.cuGraphDestroy(graph));
        CUgraphExec executable = new CUgraphExec();
        device.make(
                "cuGraphInstantiate",
                () -> JCudaDriver.cuGraphInstantiate(executable, graph, 0),
                () -> JCudaDriver.cuGraphExecDestroy(executable));
        return executable;
    }

    private static void replay(ProbeDevice device, CUgraphExec graph) {
        device.call("cuGraphLaunch", () -> JCudaDriver.cuGraphLaunch(graph, device.stream()));
    }

    private static List<Finding> blockStep(ProbeDevice device, Scale scale) {
        CUfunction steps = device.kernel(STEPS, "probe_block_steps");
        List<Finding> findings = new ArrayList<>();
        for (int blocks : new int[] {1, multiprocessors(device)}) {
            CUdeviceptr out = device.ints(256 * blocks);
            double micros = ProbeDevice.slope(scale.few(), scale.steps(), count -> {
                Pointer parameters = ProbeDevice.parameters(out, count);
                double time = device.micros(() -> device.launch(steps, blocks, 256, 0, parameters));
                int[] result = device.download(out, 256 * blocks);
                for (int i = 0; i < result.length; i++) {
                    Probe.require(result[i] == (i + count) % 256, "a barrier of a block did not hold");
                }
                return time;
            });
            findings.add(new Finding("barrier of a block, a step, " + blocks + " blocks of 256", micros, "us", 0.15));
        }
        return findings;
    }

    private static List<Finding> gridStep(ProbeDevice device, Scale scale) {
        CUfunction steps = device.kernel(STEPS, "probe_grid_steps");
        int all = multiprocessors(device);
        List<Finding> findings = new ArrayList<>();
        for (int blocks : new int[] {Math.max(all / 8, 2), Math.max(all / 2, 2), all}) {
            CUdeviceptr cells = device.ints(2 * blocks);
            CUdeviceptr arrived = device.ints(1);
            CUdeviceptr late = device.ints(1);
            int[] start = new int[2 * blocks];
            for (int i = 0; i < blocks; i++) start[i] = i;
            double micros = ProbeDevice.slope(scale.few(), scale.steps(), count -> {
                device.upload(cells, start);
                device.fill(arrived, 0, 1);
                Pointer parameters = ProbeDevice.parameters(cells, arrived, late, count, PATIENCE);
                double time = device.micros(() -> device.launchTogether(steps, blocks, 256, parameters));
                if (device.download(late, 1)[0] != 0) throw new Probe.Refusal("a block waited in vain for the others");
                int[] result = device.download(cells, 2 * blocks);
                for (int b = 0; b < blocks; b++) {
                    int at = (count & 1) * blocks + b;
                    Probe.require(result[at] == (b + count) % blocks, "a barrier of the grid did not hold");
                }
                return time;
            });
            findings.add(new Finding(
                    "barrier of the grid, a step, " + blocks + " blocks", micros, "us", blocks > 66 ? 1.35 : 1.05));
        }
        return findings;
    }

    private static List<Finding> sharedReads(ProbeDevice device, Scale scale) {
        CUfunction read = device.kernel(STEPS, "probe_read_shared");
        int blocks = multiprocessors(device);
        int[] words = new int[4 * scale.vectors()];
        Arrays.setAll(words, i -> i * 0x9E3779B9);
        CUdeviceptr data = device.ints(words.length);
        device.upload(data, words);
        CUdeviceptr sums = device.ints(512 * blocks);
        List<Finding> findings = new ArrayList<>();
        for (int vectors : new int[] {scale.vectors() / 32, scale.vectors() / 8, scale.vectors()}) {
            int sum = 0;
            for (int i = 0; i < 4 * vectors; i++) sum += words[i];
            int expected = sum;
            // As many bytes at each size.
            int many = Math.max(4, scale.vectors() / vectors * scale.steps() / 200);
            double micros = ProbeDevice.slope(many / 4, many, rounds -> {
                Pointer parameters = ProbeDevice.parameters(data, vectors, rounds, sums);
                double time = device.micros(() -> device.launch(read, blocks, 512, 0, parameters));
                int[] result = device.download(sums, 512 * blocks);
                for (int b = 0; b < blocks; b++) {
                    int found = 0;
                    for (int i = 0; i < 512; i++) found += result[512 * b + i];
                    Probe.require(found == expected * rounds, "the sum of what was read is wrong");
                }
                return time;
            });
            double terabytes = 16.0 * vectors * blocks / micros / 1e6;
            findings.add(new Finding(
                    "L2, " + blocks + " blocks read the same " + vectors / 64 + " KiB", terabytes, "TB/s", 5.5));
        }
        return findings;
    }

    static int multiprocessors(ProbeDevice device) {
        return device.attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    }

    private static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
