package dev.elman.data;

import java.time.DayOfWeek;
import java.time.Month;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Currency;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TimeZone;
import java.util.stream.Stream;

/**
 * The names that the JDK carries for its own use: countries, languages, currencies, months, weekdays and time zones, from
 * the Unicode Common Locale Data Repository (<a href="https://openjdk.org/jeps/252">JEP 252</a>, the default since JDK 9).
 * Which names exist and how they are spelt differs between JDK versions.
 */
final class JdkNames implements NameSource {
    private final List<Locale> countries = countries();
    private final List<Locale> languages = languages();
    private final List<Currency> currencies = currencies();
    private final List<TimeZone> zones = zones();

    @Override
    public List<Name> names(Locale language) {
        List<Name> names = new ArrayList<>();
        for (Locale country : countries) {
            add(names, "country", country.getCountry(), country.getDisplayCountry(language));
        }
        for (Locale named : languages) {
            add(names, "language", named.getLanguage(), named.getDisplayLanguage(language));
        }
        for (Currency currency : currencies) {
            add(names, "currency", currency.getCurrencyCode(), currency.getDisplayName(language));
        }
        // Two styles because "5 May" and "May" differ in some languages: Polish "maja" and "maj".
        for (TextStyle style : List.of(TextStyle.FULL, TextStyle.FULL_STANDALONE)) {
            for (Month month : Month.values()) {
                add(names, "month", month.name(), month.getDisplayName(style, language));
            }
            for (DayOfWeek day : DayOfWeek.values()) {
                add(names, "weekday", day.name(), day.getDisplayName(style, language));
            }
        }
        for (TimeZone zone : zones) {
            add(names, "zone", zone.getID(), standardTime(zone, language));
        }
        return names;
    }

    /** Adds a name, unless it is the code itself, which is what the JDK answers with where it has no name. */
    private static void add(List<Name> names, String kind, String code, String text) {
        if (!text.equals(code)) {
            names.add(new Name(kind + ":" + code, text));
        }
    }

    private static List<Locale> countries() {
        return Arrays.stream(Locale.getISOCountries())
                .sorted()
                .map(code -> new Locale.Builder().setRegion(code).build())
                .toList();
    }

    /** All languages that have an English name: the two-letter codes, then the three-letter codes of other languages. */
    private static List<Locale> languages() {
        // The JDK lists no three-letter codes, so all of them are asked for their name.
        Stream<String> codes =
                Stream.concat(Arrays.stream(Locale.getISOLanguages()).sorted(), threeLetterCodes());
        Set<String> englishNames = new HashSet<>();
        return codes.map(code -> new Locale.Builder().setLanguage(code).build())
                .filter(language -> !language.getDisplayLanguage(Locale.ENGLISH).equals(language.getLanguage()))
                .filter(language -> englishNames.add(language.getDisplayLanguage(Locale.ENGLISH)))
                .toList();
    }

    private static Stream<String> threeLetterCodes() {
        List<String> letters = "abcdefghijklmnopqrstuvwxyz"
                .codePoints()
                .mapToObj(Character::toString)
                .toList();
        return letters.stream()
                .flatMap(first ->
                        letters.stream().flatMap(second -> letters.stream().map(third -> first + second + third)));
    }

    private static List<Currency> currencies() {
        return Currency.getAvailableCurrencies().stream()
                .sorted(Comparator.comparing(Currency::getCurrencyCode))
                .toList();
    }

    /**
     * One zone for each English name: the many zones of Central Europe share theirs. Only zones with an id such as
     * Europe/Paris; JDK 25 warns about the older ones such as CST, and they add no names.
     */
    private static List<TimeZone> zones() {
        Set<String> englishNames = new HashSet<>();
        return Arrays.stream(TimeZone.getAvailableIDs())
                .filter(id -> id.contains("/"))
                .sorted()
                .map(TimeZone::getTimeZone)
                .filter(zone -> englishNames.add(standardTime(zone, Locale.ENGLISH)))
                .toList();
    }

    private static String standardTime(TimeZone zone, Locale language) {
        return zone.getDisplayName(false, TimeZone.LONG, language);
    }
}
