package dev.elman.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** ONNX Runtime with a model of one RNN operator, time-major. It has no backward pass in this package. */
public final class OnnxPeer implements Peer {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private Sizes sizes;
    private OrtSession session;
    private OnnxTensor x;
    private OrtSession.Result result;

    @Override
    public String describe() {
        return "ONNX Runtime " + environment.getVersion() + ", 2 threads, all optimisations";
    }

    @Override
    public boolean trains() {
        return false;
    }

    @Override
    public void prepare(Problem problem) throws OrtException {
        if (session != null) {
            if (result != null) result.close();
            result = null;
            x.close();
            session.close();
        }
        sizes = problem.sizes();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(2);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            session = environment.createSession(OnnxModel.of(problem), options);
        }
        float[] timeMajor = Layouts.swapLeading(problem.x(), sizes.n(), sizes.t(), sizes.d());
        FloatBuffer values = ByteBuffer.allocateDirect(Float.BYTES * timeMajor.length)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        values.put(timeMajor).flip();
        x = OnnxTensor.createTensor(environment, values, new long[] {sizes.t(), sizes.n(), sizes.d()});
    }

    @Override
    public void forward() throws OrtException {
        if (result != null) result.close();
        result = session.run(Map.of(OnnxModel.INPUT, x));
    }

    @Override
    public Outputs outputs() {
        // [T][1][N][H], of one direction.
        OnnxTensor y = (OnnxTensor) result.get(0);
        float[] values = new float[sizes.t() * sizes.n() * sizes.h()];
        y.getFloatBuffer().get(values);
        return new Outputs(Layouts.swapLeading(values, sizes.t(), sizes.n(), sizes.h()));
    }
}
