package dev.elman.text;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The five tables of a tokenizer and its document count. Iteration orders are Keras's and decide how ties are broken.
 */
final class Vocabulary {
    final Map<String, Long> wordCounts = new LinkedHashMap<>();
    final Map<String, Long> wordDocs = new LinkedHashMap<>();
    final Map<Integer, Long> indexDocs = new LinkedHashMap<>();
    final Map<String, Integer> wordIndex = new LinkedHashMap<>();
    final Map<Integer, String> indexWord = new LinkedHashMap<>();
    long documentCount;

    /**
     * Counts the documents on top of what is known and numbers all words anew. All documents are read and tokenized
     * before anything is changed, so a bad one among them leaves the tables as they were.
     */
    <D> void fit(Iterable<? extends D> documents, Function<D, List<String>> tokens, String oovToken) {
        Vocabulary counted = new Vocabulary();
        for (D document : documents) {
            counted.documentCount++;
            HashSet<String> inThisOne = new HashSet<>();
            for (String word : tokens.apply(document)) {
                counted.wordCounts.merge(word, 1L, Long::sum);
                if (inThisOne.add(word)) {
                    counted.wordDocs.merge(word, 1L, Long::sum);
                }
            }
        }
        add(counted, oovToken);
    }

    /** Counts another vocabulary's documents on top of what is known and numbers all words anew. */
    void add(Vocabulary other, String oovToken) {
        documentCount += other.documentCount;
        other.wordCounts.forEach((word, c) -> wordCounts.merge(word, c, Long::sum));
        other.wordDocs.forEach((word, c) -> wordDocs.merge(word, c, Long::sum));
        number(oovToken);
    }

    private void number(String oovToken) {
        List<Map.Entry<String, Long>> byCount = new ArrayList<>(wordCounts.entrySet());
        // List.sort is stable: words of one count keep the order in which they were first seen.
        byCount.sort(Map.Entry.<String, Long>comparingByValue().reversed());
        wordIndex.clear();
        indexWord.clear();
        int id = 1;
        if (oovToken != null) {
            wordIndex.put(oovToken, id++);
        }
        for (Map.Entry<String, Long> entry : byCount) {
            // If this is the OOV string itself, its later id wins and id 1 belongs to no word, as in Keras.
            wordIndex.put(entry.getKey(), id++);
        }
        wordIndex.forEach((word, i) -> indexWord.put(i, word));
        indexDocs.putAll(docsOfWords());
    }

    /** Whether the ids' document counts are those of the words: sequences count for ids alone. */
    boolean isOfTextsAlone() {
        return indexDocs.equals(docsOfWords());
    }

    private Map<Integer, Long> docsOfWords() {
        Map<Integer, Long> docs = new LinkedHashMap<>();
        wordDocs.forEach((word, c) -> {
            Integer i = wordIndex.get(word);
            if (i != null) { // null only where a hand-edited file counts documents of a word that has no count
                docs.put(i, c);
            }
        });
        return docs;
    }

    /** Keras's fit_on_sequences: every distinct id of a sequence counts once. */
    void fitOnSequences(int[][] sequences) {
        documentCount += sequences.length;
        for (int[] sequence : sequences) {
            HashSet<Integer> inThisOne = new HashSet<>();
            for (int id : sequence) {
                if (inThisOne.add(id)) {
                    indexDocs.merge(id, 1L, Long::sum);
                }
            }
        }
    }
}
