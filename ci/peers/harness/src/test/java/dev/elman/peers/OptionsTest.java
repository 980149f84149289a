package dev.elman.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionsTest {
    @Test
    void readsShapesAndNumbers() {
        Options options = Options.parse("shapes=1x2x3x4,5x6x7x8", "rounds=3", "ms=50");
        assertEquals(List.of(new Sizes(1, 2, 3, 4), new Sizes(5, 6, 7, 8)), options.shapes());
        assertEquals(3, options.rounds());
        assertEquals(50, options.millis());
        assertEquals(4, options.parts().size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "shapes=1x2x3        | 1x2x3",
                "shapes=1x2x3x0      | [1, 2, 3, 0]",
                "shapes=1x2x3xfour   | 1x2x3xfour",
                "shapes=40000x40000x2x2 | 40000",
                "rounds=0            | rounds",
                "ms=fast             | fast",
                "parts=tables,chairs | chairs",
                "colour=red          | colour",
                "rounds              | NAME=VALUE"
            })
    void refusesWhatItDoesNotUnderstandAndNamesIt(String argument, String named) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Options.parse(argument));
        assertTrue(e.getMessage().contains(named), e::getMessage);
    }

    @Test
    void refusesUnknownPeers() {
        assertThrows(
                IllegalArgumentException.class,
                () -> Options.parse("peers=nobody").choose(List.of()));
    }
}
