package dev.elman.contract;

import dev.elman.cuda.CudaBackend;
import dev.elman.verify.Check;
import org.junit.jupiter.api.Tag;

/** The CUDA backend's recurrence keeps the contract step by step too, where another plan would be faster. */
@Tag("cuda")
class CudaStepsPlanTest extends BackendContract {
    CudaStepsPlanTest() {
        super("cuda", () -> Configured.open("elman.cuda.plan", "steps", CudaBackend::open));
    }

    @Override
    boolean asks(Check check) {
        return check.operation().matches("(simpleRnn|bidirectional).*");
    }
}
