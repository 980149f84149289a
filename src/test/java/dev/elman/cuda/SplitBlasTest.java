package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.cuda.Blas.Form;
import org.junit.jupiter.api.Test;

/** Which products are made of three, which needs no GPU. */
class SplitBlasTest {
    /** N = 128, T = 512, D = H: the projection, the gradient of x, those of the weights. */
    @Test
    void allProductsOfATrainingStepFromTheSizeWhereItPays() {
        for (int h : new int[] {256, 512, 1024, 2048}) {
            boolean pays = h >= 512;
            assertEquals(pays, SplitBlas.faster(Form.NN, 65536, h, h), "NN " + h);
            assertEquals(pays, SplitBlas.faster(Form.NT, 65536, h, h), "NT " + h);
            assertEquals(h >= 2048, SplitBlas.faster(Form.TN, h, h, 65536), "TN " + h);
        }
    }

    @Test
    void notWhereASideIsSmallOrDoesNotFallOnSixteenBytes() {
        assertFalse(SplitBlas.faster(Form.NN, 65536, 128, 2048));
        assertFalse(SplitBlas.faster(Form.NN, 128, 2048, 2048));
        assertFalse(SplitBlas.faster(Form.NN, 65536, 2048, 200));
        for (Form form : Form.values()) {
            assertTrue(SplitBlas.faster(form, 65536, 2048, 2048), form.toString());
            assertFalse(SplitBlas.faster(form, 65536, 2046, 2048), form.toString());
        }
        assertTrue(SplitBlas.faster(Form.NN, 65537, 1024, 1024), "rows of any number");
        assertFalse(SplitBlas.faster(Form.TN, 65537, 2048, 2048));
        assertFalse(SplitBlas.faster(Form.NN, 65536, 1024, 1023));
        assertTrue(SplitBlas.faster(Form.TN, 2048, 2048, 65537));
    }
}
