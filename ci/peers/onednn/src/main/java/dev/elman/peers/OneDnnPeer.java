package dev.elman.peers;

import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.dnnl.vanilla_rnn_backward;
import org.bytedeco.dnnl.vanilla_rnn_forward;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * oneDNN's vanilla_rnn, time-major. For inference the weights are laid out once, in prepare; a training step lays them
 * out itself, for in training they change with every step. The initial state is given although it is 0: oneDNN allows
 * to leave it out, but then dWh was wrong.
 */
public final class OneDnnPeer implements Peer {
    private static final dnnl.algorithm TANH = dnnl.algorithm.eltwise_tanh;
    private static final dnnl.rnn_direction FORWARD_IN_TIME = dnnl.rnn_direction.unidirectional_left2right;

    private final engine cpu = new engine(engine.kind.cpu, 0);
    private final stream stream = new stream(cpu);

    private Sizes sizes;
    private Layout layout;
    private memory x;
    private memory h0;
    private memory wx;
    private memory wh;
    private memory b;
    private memory y;
    private memory dy;
    private memory dx;
    private memory dh0;
    private memory dwx;
    private memory dwh;
    private memory db;

    private vanilla_rnn_forward inference;
    private vanilla_rnn_forward training;
    private vanilla_rnn_backward backward;
    private IntMemoryMap inferenceArguments;
    private IntMemoryMap trainingArguments;
    private IntMemoryMap backwardArguments;

    /** The layings-out of a training step. */
    private List<Reorder> reorders = List.of();

    /** A memory in another layout. */
    private record Reorder(reorder primitive, memory from, memory to) {
        void run(stream stream) {
            primitive.execute(stream, from, to);
        }
    }

    /** Descriptions of all arrays; of weights both as they are given and as the primitive likes them. */
    private record Layout(
            memory.desc steps,
            memory.desc states,
            memory.desc state,
            memory.desc wx,
            memory.desc wh,
            memory.desc anyWx,
            memory.desc anyWh,
            memory.desc bias,
            memory.desc none) {
        static Layout of(Sizes sizes) {
            int n = sizes.n();
            int t = sizes.t();
            int d = sizes.d();
            int h = sizes.h();
            return new Layout(
                    floats(memory.format_tag.tnc, t, n, d),
                    floats(memory.format_tag.tnc, t, n, h),
                    floats(memory.format_tag.ldnc, 1, 1, n, h),
                    floats(memory.format_tag.ldigo, 1, 1, d, 1, h),
                    floats(memory.format_tag.ldigo, 1, 1, h, 1, h),
                    floats(memory.format_tag.any, 1, 1, d, 1, h),
                    floats(memory.format_tag.any, 1, 1, h, 1, h),
                    floats(memory.format_tag.ldgo, 1, 1, 1, h),
                    new memory.desc());
        }

        private static memory.desc floats(memory.format_tag tag, long... extents) {
            return new memory.desc(extents, memory.data_type.f32, tag);
        }
    }

    @Override
    public String describe() {
        dnnl_version_t version = dnnl.dnnl_version();
        return "oneDNN " + version.major() + "." + version.minor() + "." + version.patch() + " by way of bytedeco "
                + dnnl.class.getPackage().getImplementationVersion() + ", OMP_NUM_THREADS="
                + System.getenv("OMP_NUM_THREADS") + ", " + dnnl.get_effective_cpu_isa();
    }

    @Override
    public void prepare(Problem problem) {
        if (sizes != null) release();
        sizes = problem.sizes();
        layout = Layout.of(sizes);
        int n = sizes.n();
        int t = sizes.t();
        x = filled(layout.steps, Layouts.swapLeading(problem.x(), n, t, sizes.d()));
        h0 = filled(layout.state, new float[n * sizes.h()]);
        wx = filled(layout.wx, problem.wx());
        wh = filled(layout.wh, problem.wh());
        b = filled(layout.bias, problem.b());
        dy = filled(layout.states, Layouts.swapLeading(problem.dy(), n, t, sizes.h()));
        y = new memory(layout.states, cpu);
        dx = new memory(layout.steps, cpu);
        dh0 = new memory(layout.state, cpu);
        dwx = new memory(layout.wx, cpu);
        dwh = new memory(layout.wh, cpu);
        db = new memory(layout.bias, cpu);
        prepareInference();
        prepareTraining();
    }

    private void release() {
        for (memory each : List.of(x, h0, wx, wh, b, y, dy, dx, dh0, dwx, dwh, db)) each.deallocate();
        for (Reorder each : reorders) {
            each.to.deallocate();
            each.primitive.deallocate();
        }
        List.of(inference, training, backward).forEach(Pointer::deallocate);
        List.of(inferenceArguments, trainingArguments, backwardArguments).forEach(Pointer::deallocate);
    }

    private memory filled(memory.desc desc, float[] values) {
        memory filled = new memory(desc, cpu);
        floats(filled).put(values);
        return filled;
    }

    private static FloatPointer floats(memory memory) {
        return new FloatPointer(memory.get_data_handle())
                .capacity(memory.get_desc().get_size() / Float.BYTES);
    }

    private void prepareInference() {
        vanilla_rnn_forward.primitive_desc desc = forwardDesc(dnnl.prop_kind.forward_inference);
        inference = new vanilla_rnn_forward(desc);
        Reorder input = reorder(wx, desc.weights_layer_desc());
        Reorder recurrent = reorder(wh, desc.weights_iter_desc());
        input.run(stream);
        recurrent.run(stream);
        stream._wait();
        inferenceArguments = arguments(input, recurrent);
    }

    private vanilla_rnn_forward.primitive_desc forwardDesc(dnnl.prop_kind kind) {
        return new vanilla_rnn_forward.primitive_desc(
                cpu,
                kind,
                TANH,
                FORWARD_IN_TIME,
                layout.steps,
                layout.state,
                layout.anyWx,
                layout.anyWh,
                layout.bias,
                layout.states,
                layout.none,
                new primitive_attr(),
                false);
    }

    private void prepareTraining() {
        vanilla_rnn_forward.primitive_desc forwardDesc = forwardDesc(dnnl.prop_kind.forward_training);
        vanilla_rnn_backward.primitive_desc backwardDesc = backwardDesc(forwardDesc);
        training = new vanilla_rnn_forward(forwardDesc);
        backward = new vanilla_rnn_backward(backwardDesc);
        reorders = List.of(
                reorder(wx, forwardDesc.weights_layer_desc()),
                reorder(wh, forwardDesc.weights_iter_desc()),
                reorder(wx, backwardDesc.weights_layer_desc()),
                reorder(wh, backwardDesc.weights_iter_desc()));
        memory workspace = new memory(forwardDesc.workspace_desc(), cpu);
        trainingArguments = arguments(reorders.get(0), reorders.get(1)).put(dnnl.DNNL_ARG_WORKSPACE, workspace);
        backwardArguments = arguments(reorders.get(2), reorders.get(3))
                .put(dnnl.DNNL_ARG_WORKSPACE, workspace)
                .put(dnnl.DNNL_ARG_DIFF_DST_LAYER, dy)
                .put(dnnl.DNNL_ARG_DIFF_SRC_LAYER, dx)
                .put(dnnl.DNNL_ARG_DIFF_SRC_ITER, dh0)
                .put(dnnl.DNNL_ARG_DIFF_WEIGHTS_LAYER, dwx)
                .put(dnnl.DNNL_ARG_DIFF_WEIGHTS_ITER, dwh)
                .put(dnnl.DNNL_ARG_DIFF_BIAS, db);
    }

    private vanilla_rnn_backward.primitive_desc backwardDesc(vanilla_rnn_forward.primitive_desc forwardDesc) {
        return new vanilla_rnn_backward.primitive_desc(
                cpu,
                dnnl.prop_kind.backward,
                TANH,
                FORWARD_IN_TIME,
                layout.steps,
                layout.state,
                layout.anyWx,
                layout.anyWh,
                layout.bias,
                layout.states,
                layout.none,
                layout.steps,
                layout.state,
                layout.wx,
                layout.wh,
                layout.bias,
                layout.states,
                layout.none,
                forwardDesc,
                new primitive_attr(),
                false);
    }

    private Reorder reorder(memory from, memory.desc wanted) {
        memory to = new memory(wanted, cpu);
        return new Reorder(new reorder(from, to), from, to);
    }

    private IntMemoryMap arguments(Reorder input, Reorder recurrent) {
        return new IntMemoryMap()
                .put(dnnl.DNNL_ARG_SRC_LAYER, x)
                .put(dnnl.DNNL_ARG_SRC_ITER, h0)
                .put(dnnl.DNNL_ARG_WEIGHTS_LAYER, input.to)
                .put(dnnl.DNNL_ARG_WEIGHTS_ITER, recurrent.to)
                .put(dnnl.DNNL_ARG_BIAS, b)
                .put(dnnl.DNNL_ARG_DST_LAYER, y);
    }

    @Override
    public void forward() {
        inference.execute(stream, inferenceArguments);
        stream._wait();
    }

    @Override
    public void forwardBackward() {
        for (Reorder each : reorders) each.run(stream);
        training.execute(stream, trainingArguments);
        // The primitive adds to them.
        for (memory each : new memory[] {dwx, dwh, db}) {
            Pointer.memset(each.get_data_handle(), 0, each.get_desc().get_size());
        }
        backward.execute(stream, backwardArguments);
        stream._wait();
    }

    @Override
    public Outputs outputs() {
        int n = sizes.n();
        int t = sizes.t();
        return new Outputs(
                Layouts.swapLeading(copy(y), t, n, sizes.h()),
                Layouts.swapLeading(copy(dx), t, n, sizes.d()),
                copy(dwx),
                copy(dwh),
                copy(db));
    }

    private static float[] copy(memory memory) {
        FloatPointer values = floats(memory);
        float[] copy = new float[(int) values.capacity()];
        values.get(copy);
        return copy;
    }
}
