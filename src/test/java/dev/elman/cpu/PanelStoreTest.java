package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Shape;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which closed factors serve again, and whose memory goes to others. */
class PanelStoreTest {
    /** Columns and rows: two panels, none of them filled up. */
    private static final int SIZE = 80;

    private static final int MANY = 1000;
    private static final int FEW = 4;

    private final Allocations allocations = new Allocations(new Object());
    private final PanelStore store = new PanelStore();
    private final Random random = new Random(9);

    @BeforeEach
    void needsOpenBlas() {
        OpenBlasRequired.by("tests of panels that are kept");
    }

    @AfterEach
    void free() {
        store.close();
        allocations.close();
    }

    @Test
    void aClosedFactorServesAgain() {
        Matrix b = noise();
        Panels first = open(b, MANY);
        first.close();
        assertSame(first, open(b, MANY));
    }

    @Test
    void anOpenOneIsNobodyElses() {
        Matrix b = noise();
        Panels first = open(b, MANY);
        assertNotSame(first, open(b, MANY));
    }

    @Test
    void whatChangedIsLaidOutAnew() {
        Matrix b = noise();
        Panels first = open(b, MANY);
        first.close();
        b.memory().mayChange();
        assertNotSame(first, store.open(b, false, MANY));
    }

    @Test
    void anotherMatrixOfTheSameMemoryIsAnother() {
        Matrix b = noise();
        for (int times = 0; times < 2; times++) open(b, MANY).close();
        Panels kept = open(b, MANY);
        kept.close();
        for (Matrix other : new Matrix[] {b.transpose(), b.rows(0, SIZE - 1)}) {
            Panels panels = open(other, MANY);
            assertNotSame(kept, panels);
            panels.close();
        }
        assertNotSame(kept, store.open(b, true, MANY));
        assertSame(kept, open(b, MANY));
    }

    /** As in training, where weights change before they are asked for again. */
    @Test
    void memoryGoesToTheNextWhereNothingIsAskedForAgain() {
        Matrix a = noise();
        Matrix b = noise();
        for (int step = 0; step < 3; step++) {
            open(a, MANY).close();
            Panels next = store.open(b, false, MANY);
            assertArrayEquals(product(a), product(next), "has the memory, in which the other still lies");
            next.close();
            a.memory().mayChange();
            b.memory().mayChange();
        }
    }

    @Test
    void memoryIsPartOfWhatTheBackendHolds() {
        Matrix b = noise();
        long before = allocations.held();
        open(b, MANY).close();
        assertEquals(before + Panels.bytes(b, false, 0), allocations.held());
        store.close();
        assertEquals(before, allocations.held());
    }

    @Test
    void trainingTakesNoMoreMemoryStepByStep() {
        for (int step = 0; step < 10; step++) {
            Matrix small = noise();
            Matrix large = matrix(2 * SIZE);
            for (Matrix b : new Matrix[] {small, large, small.transpose()})
                open(b, MANY).close();
            small.memory().mayChange();
            large.memory().mayChange();
            assertEquals(1, store.pieces());
        }
    }

    @Test
    void whatWasKeptGivesItsMemoryBackWhenItChanged() {
        Matrix[] layers = {noise(), noise(), noise()};
        for (int times = 0; times < 3; times++) {
            for (Matrix b : layers) open(b, MANY).close();
        }
        assertEquals(3, store.pieces());
        for (Matrix b : layers) b.memory().mayChange();
        open(layers[0], MANY).close();
        assertEquals(1, store.pieces());
    }

    /** As in prediction: all layers' weights are kept from the second time on. */
    @Test
    void allThatIsAskedForAgainIsKept() {
        Matrix a = noise();
        Matrix b = noise();
        for (int times = 0; times < 2; times++) {
            open(a, MANY).close();
            open(b, MANY).close();
        }
        Panels keptA = store.open(a, false, MANY);
        Panels keptB = store.open(b, false, MANY);
        assertArrayEquals(product(a), product(keptA));
        assertArrayEquals(product(b), product(keptB));
        keptA.close();
        keptB.close();

        open(noise(), MANY).close(); // and nothing new takes their memory
        assertSame(keptA, store.open(a, false, MANY));
        assertSame(keptB, store.open(b, false, MANY));
    }

    /** What is used as it is stored for a few rows is laid out when it is asked for again. */
    @Test
    void fewRowsAreWorthLayingOutTheSecondTime() {
        Matrix b = noise();
        Panels first = open(b, FEW);
        first.close();
        Panels second = open(b, FEW);
        assertNotSame(first, second);
        assertTrue(second.allLaidOut());
        second.close();
        assertSame(second, open(b, FEW));
    }

    /** Two threads that ask in the same operation do not ask again. */
    @Test
    void fewRowsOfWeightsThatChangeAreNot() {
        Matrix b = noise();
        for (int step = 0; step < 3; step++) {
            Panels one = open(b, FEW);
            Panels two = open(b, FEW);
            one.close();
            two.close();
            assertFalse(one.allLaidOut() || two.allLaidOut());
            b.memory().mayChange();
        }
    }

    /** Laid out. */
    private Panels open(Matrix b, long rows) {
        Panels panels = store.open(b, false, rows);
        for (int panel = 0; panel < panels.toLayOut(); panel++) panels.layOut(panel);
        panels.setLaidOut();
        return panels;
    }

    private float[] product(Matrix b) {
        try (Panels panels = new Panels(b, false, 0, OffHeap.allocate(Panels.bytes(b, false, 0)), () -> {})) {
            for (int panel = 0; panel < panels.toLayOut(); panel++) panels.layOut(panel);
            return product(panels);
        }
    }

    private float[] product(Panels right) {
        Matrix a = matrix();
        for (int i = 0; i < SIZE * SIZE; i++) a.memory().floats().put(i, i % 7 - 3);
        Matrix c = matrix();
        right.multiply(a, 0, c, 0, SIZE, false);
        float[] values = new float[SIZE * SIZE];
        c.memory().floats().get(0, values);
        return values;
    }

    private Matrix noise() {
        Matrix matrix = matrix();
        for (int i = 0; i < SIZE * SIZE; i++) matrix.memory().floats().put(i, (float) random.nextGaussian());
        return matrix;
    }

    private Matrix matrix() {
        return matrix(SIZE);
    }

    private Matrix matrix(int columns) {
        return new Matrix(allocations.allocate(Shape.of(SIZE, columns)), 0, SIZE, columns, columns, false);
    }
}
