package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import dev.elman.cuda.Probe.Finding;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The probes' kernels do what is timed; the times of so little work mean nothing and are not looked at. */
@Tag("cuda")
class ProbesTest {
    @BeforeEach
    void aDeviceIsThere() {
        Required.open("cuda", CudaBackend::open).close();
    }

    static List<Probe> probes() {
        return Probes.all();
    }

    /** A probe throws where its kernel's numbers are wrong. Clusters are for devices that have them. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("probes")
    void aProbeGetsItsAnswer(Probe probe) {
        List<Finding> findings = probe.run(Probe.Scale.SMALL);
        assertFalse(findings.isEmpty());
        for (Finding finding : findings) {
            System.out.println(ProbeMain.line(finding));
            assertTrue(!finding.refused() || finding.unit().contains("has no clusters"), finding.unit());
        }
    }

    @Test
    @Tag("provokes-cuda-error")
    void aProbeThatFailsSaysSoAndLeavesTheDeviceToTheNext() {
        Probe failing = new Probe("more blocks than fit", (device, scale) -> {
            device.launchTogether(
                    device.kernel("steps.sm75.ptx", "probe_count"),
                    1 << 20,
                    32,
                    ProbeDevice.parameters(device.ints(1)));
            return List.of();
        });
        Finding finding = failing.run(Probe.Scale.SMALL).get(0);
        assertTrue(finding.refused() && finding.unit().contains("COOPERATIVE_LAUNCH_TOO_LARGE"), finding.unit());
        assertEquals(3, probes().get(0).run(Probe.Scale.SMALL).size());
    }
}
