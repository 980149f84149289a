package dev.elman.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PiecesTest {
    @Test
    void largeTensorsAreCutBetweenTheirRows() {
        try (Backend backend = new ReferenceBackend();
                Tensor table = backend.allocate(Shape.of(5, 2));
                Tensor flat = backend.allocate(Shape.of(4))) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("table", table);
            tensors.put("flat", flat);
            table.set(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
            Map<String, Tensor> pieces = Pieces.of(tensors, 5);
            assertEquals(List.of("table", "table#1", "table#2", "flat"), List.copyOf(pieces.keySet()));
            assertArrayEquals(new float[] {4, 5, 6, 7}, pieces.get("table#1").toFloats());
            assertEquals(Shape.of(1, 2), pieces.get("table#2").shape());
            pieces.get("table#2").set(-8, -9);
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5, 6, 7, -8, -9}, table.toFloats());
            List<Parameters.Spec> specs =
                    List.of(new Parameters.Spec("table", table.shape()), new Parameters.Spec("flat", flat.shape()));
            Map<String, Shape> shapes = new LinkedHashMap<>();
            for (Parameters.Spec spec : Pieces.of(specs, 5)) shapes.put(spec.name(), spec.shape());
            pieces.forEach((name, piece) -> assertEquals(shapes.remove(name), piece.shape(), name));
            assertEquals(Map.of(), shapes);
        }
    }

    @Test
    void whatFitsStaysWhole() {
        List<Parameters.Spec> specs = List.of(
                new Parameters.Spec("a", Shape.of(5, 2)),
                new Parameters.Spec("b", Shape.of(10)),
                new Parameters.Spec("none", Shape.of(0, 3)));
        assertEquals(specs, Pieces.of(specs, 10));
    }

    @Test
    void aRowIsNotCut() {
        List<Parameters.Spec> specs = List.of(new Parameters.Spec("a", Shape.of(2, 6)));
        assertEquals(
                List.of(new Parameters.Spec("a", Shape.of(1, 6)), new Parameters.Spec("a#1", Shape.of(1, 6))),
                Pieces.of(specs, 5));
    }

    /** What no tensor can be stays whole too, lest a damaged configuration make pieces without end. */
    @Test
    void whatNoTensorCanBeStaysWhole() {
        List<Parameters.Spec> specs = List.of(new Parameters.Spec("a", Shape.of(Integer.MAX_VALUE, Integer.MAX_VALUE)));
        assertEquals(specs, Pieces.of(specs, 10));
    }

    @Test
    void noPieceIsEmpty() {
        List<Parameters.Spec> even = List.of(new Parameters.Spec("a", Shape.of(4, 2)));
        assertEquals(
                List.of(new Parameters.Spec("a", Shape.of(2, 2)), new Parameters.Spec("a#1", Shape.of(2, 2))),
                Pieces.of(even, 5));
    }

    /** As many numbers as one tensor can have. */
    @Test
    void theLargestTensorIsCut() {
        List<Parameters.Spec> largest = List.of(new Parameters.Spec("a", Shape.of(Integer.MAX_VALUE)));
        List<Parameters.Spec> pieces = Pieces.of(largest, Integer.MAX_VALUE - 1);
        assertEquals(
                List.of(
                        new Parameters.Spec("a", Shape.of(Integer.MAX_VALUE - 1)),
                        new Parameters.Spec("a#1", Shape.of(1))),
                pieces);
    }
}
