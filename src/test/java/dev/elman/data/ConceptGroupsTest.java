package dev.elman.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConceptGroupsTest {
    @Test
    void stemsAreTheFirstFiveLettersOfWordsOfFourOrMore() {
        assertEquals(List.of("papua", "guine"), ConceptGroups.stems("Papua New Guinea"));
        assertEquals(List.of("cuba", "stand", "time"), ConceptGroups.stems("Cuba Standard Time"));
        assertEquals(List.of("côte", "ivoir"), ConceptGroups.stems("Côte d’Ivoire"));
    }

    @Test
    void aSharedRareStemJoinsAndJoiningIsTransitive() {
        ConceptGroups groups = groups("a=Guinea", "b=Papua New Guinea", "c=Guinean Franc", "d=French Franc", "e=Chad");
        assertEquals(groups.groupOf("a"), groups.groupOf("b"));
        assertEquals(groups.groupOf("a"), groups.groupOf("c"));
        assertEquals(groups.groupOf("a"), groups.groupOf("d"), "by way of the Guinean franc");
        assertEquals("e", groups.groupOf("e"));
        assertEquals("z", groups.groupOf("z"), "never heard of");
        groups = groups("a=Guinea", "b=French Franc", "c=Guinean Franc");
        assertEquals(groups.groupOf("a"), groups.groupOf("b"), "though c was b's already");
    }

    @Test
    void oneConceptMayHaveSeveralNames() {
        ConceptGroups groups = groups("a=Burma", "a=Myanmar", "b=Burmese Kyat", "c=Myanmar Time");
        assertEquals("a", groups.groupOf("c"));
        assertNotEquals(groups.groupOf("a"), groups.groupOf("b"), "burma is not burme");
    }

    @Test
    void aStemOfTwelveConceptsJoinsAndOneOfThirteenDoesNot() {
        for (int concepts : new int[] {12, 13}) {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < concepts; i++) {
                names.add((char) ('a' + i) + "=Islands");
            }
            ConceptGroups groups = groups(names.toArray(String[]::new));
            assertEquals(concepts == 12, groups.groupOf("a").equals(groups.groupOf("l")), concepts + " concepts");
        }
    }

    private static ConceptGroups groups(String... conceptsAndNames) {
        List<NameSource.Name> names = new ArrayList<>();
        for (String pair : conceptsAndNames) {
            names.add(new NameSource.Name(pair.substring(0, 1), pair.substring(2)));
        }
        return ConceptGroups.of(names);
    }
}
