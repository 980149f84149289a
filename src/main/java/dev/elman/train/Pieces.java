package dev.elman.train;

import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tensors as files hold them: what is too large for one array is cut between its rows, and all pieces but the first have
 * their number after the name, as in {@code embedding.table#1}.
 */
final class Pieces {
    private record Piece(String name, int from, int rows) {}

    private Pieces() {}

    /** Views of all tensors, none of more than {@code most} elements unless a row has more. */
    static Map<String, Tensor> of(Map<String, Tensor> tensors, int most) {
        Map<String, Tensor> views = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            for (Piece piece : cut(name, tensor.shape(), most)) {
                views.put(piece.name(), tensor.slice(piece.from(), piece.rows()));
            }
        });
        return views;
    }

    /** Names and shapes of the same. */
    static List<Parameters.Spec> of(List<Parameters.Spec> specs, int most) {
        List<Parameters.Spec> cut = new ArrayList<>();
        for (Parameters.Spec spec : specs) {
            for (Piece piece : cut(spec.name(), spec.shape(), most)) {
                cut.add(new Parameters.Spec(piece.name(), spec.shape().withFirst(piece.rows())));
            }
        }
        return cut;
    }

    private static List<Piece> cut(String name, Shape shape, int most) {
        int rows = shape.extent(0);
        // No tensor is larger than that; a damaged file's configuration may ask for it, and for as many pieces.
        if (shape.size() <= most || shape.size() > Integer.MAX_VALUE) return List.of(new Piece(name, 0, rows));
        long each = Math.max(1, most / shape.rowSize());
        List<Piece> pieces = new ArrayList<>();
        for (long from = 0; from < rows; from += each) {
            String piece = from == 0 ? name : name + "#" + pieces.size();
            pieces.add(new Piece(piece, (int) from, (int) Math.min(each, rows - from)));
        }
        return pieces;
    }
}
