package dev.elman.peers;

/** The same with a tanh in plain arithmetic, which C2 vectorises. */
public final class OpenBlasFastTanhPeer extends OpenBlasPeer {
    @Override
    String tanhName() {
        return "tanh in plain arithmetic (Pade 7/6 at half the angle)";
    }

    @Override
    void tanh(float[] values) {
        for (int i = 0; i < values.length; i++) {
            float u = Math.max(-4.9f, Math.min(4.9f, 0.5f * values[i]));
            float s = u * u;
            float numerator = u * (135135f + s * (17325f + s * (378f + s)));
            float q = numerator / (135135f + s * (62370f + s * (3150f + s * 28f)));
            values[i] = 2 * q / (1 + q * q);
        }
    }
}
