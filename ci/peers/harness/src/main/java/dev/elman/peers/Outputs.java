package dev.elman.peers;

/**
 * What a peer computed, row-major and flat.
 *
 * @param y [N][T][H]
 * @param dx [N][T][D]; null after a forward pass alone, as all below
 * @param dwx [D][H]
 * @param dwh [H][H]
 * @param db [H]
 */
public record Outputs(float[] y, float[] dx, float[] dwx, float[] dwh, float[] db) {
    /** Of a forward pass. */
    public Outputs(float[] y) {
        this(y, null, null, null, null);
    }

    float[] get(Output output) {
        return switch (output) {
            case Y -> y;
            case DX -> dx;
            case DWX -> dwx;
            case DWH -> dwh;
            case DB -> db;
        };
    }
}
