#!/usr/bin/python3
"""Makes src/test/resources/text/keras_text.json: what Keras itself answers to the cases below.

usage: ci/keras_text.py TEXT_PY SEQUENCE_PY VERSION COMMIT     write the fixture
       ci/keras_text.py TEXT_PY SEQUENCE_PY --read FOLDER      let Keras read the tokenizers a Java test wrote

TEXT_PY and SEQUENCE_PY are keras/src/legacy/preprocessing/text.py and keras/src/utils/sequence_utils.py of a Keras
source tree outside this repository; VERSION and COMMIT go into the fixture's header. Needs numpy, not Keras: the
decorator that both files import from Keras is replaced by one that does nothing. KerasTextTest reads the fixture; with
-Delman.text.out=FOLDER it writes the tokenizers of all to_json cases there, for --read.
"""
import importlib.util
import json
import os
import pathlib
import platform
import sys
import types

if os.environ.get("PYTHONHASHSEED") != "0":  # word_docs comes out of a set of strings: fix its order
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})

import numpy

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "src/test/resources/text/keras_text.json"

PENS = ["I have a pen.", "I have an apple", "You have pen and apple."]
TIES = ["d c b a", "a b e", "c"]
FOX = ["The quick brown fox", "the lazy dog", "the quick dog"]
UNK = ["unk a a b", "unk unk a", "b c"]
EMOJI = ["a\U0001F600b a\U0001F600", "\U0001F44D\U0001F3FD\u200d!"]
GREEK = ("\u039f\u0394\u039f\u03a3 \u03a3 \u039f\u0394\u039f\u03a3. "
         "\u0391_\u03a3 \u0391\u2019\u03a3 \u03a3\u0391\u03a3 1\u03a3 \u0391'\u03a3\u0391")
# Turkish dotted I, sharp s, a ligature, titlecase, Kelvin, combining dot, Deseret (beyond 16 bits), full width
LOWER = "\u0130stanbul I\u0307 STRASSE Stra\u00dfe \u1e9e \ufb01N \u01c5ep \u212a \U00010400x \uff21 \u00c9T\u00c9"

# name, constructor, fits, operation, input, further arguments
CASES = []


def case(name, op, given=None, fit=(), more=None, **args):
    CASES.append(
        dict(name=name, args=args, fit=[f if isinstance(f, dict) else {"texts": f} for f in fit], op=op, input=given,
             more=more or {}))


def sequences(name, fit, given=None, **args):
    case(name, "texts_to_sequences", fit[0] if given is None else given, fit=fit, **args)


sequences("three sentences of the notebook", [PENS])
sequences("ties go by first seen", [TIES])
sequences("ties over several fits", [["b a"], ["a c b"], ["c"]], ["a b c"])
sequences("a later fit renumbers", [["x y"], ["y y z"]], ["x y z"])
sequences("fit on nothing", [[]], ["a b"])
sequences("fit on nothing, oov", [[]], ["a b"], oov_token="<unk>")
sequences("no fit", [], ["a b"])
sequences("empty texts", [["", "a", "  ", "!?"]])
sequences("unknown words vanish", [FOX], ["the red fox", "red"])
sequences("unknown words become oov", [FOX], ["the red fox", "red"], oov_token="<OOV>")
for n in (0, 1, 2, 3, 100):
    sequences(f"num_words {n}", [FOX], num_words=n)
    sequences(f"num_words {n}, oov", [FOX], ["the red fox", "dog"], num_words=n, oov_token="<OOV>")
sequences("oov in the corpus", [UNK], ["unk a b c d"], oov_token="unk")
sequences("oov in the corpus, cut", [UNK], ["unk a b c d"], oov_token="unk", num_words=3)
sequences("oov in the corpus, beyond the cut", [["a a unk"]], ["unk a z"], oov_token="unk", num_words=2)
sequences("oov token with capitals is not lowered", [["UNK a", "unk b"]], ["UNK q"], oov_token="UNK")
sequences("oov token is empty", [["a b"]], ["a z"], oov_token="")
sequences("char_level", [["Ab a", "b,c"]], char_level=True)
sequences("char_level, emoji and surrogates", [EMOJI], char_level=True)
sequences("char_level, oov and num_words", [EMOJI], ["a\U0001F601b"], char_level=True, oov_token="?", num_words=4)
sequences("char_level, not lowered", [["aA a"]], char_level=True, lower=False)
sequences("char_level, lowering makes two characters", [["\u0130i", GREEK]], char_level=True)
sequences("char_level, texts as tokens", [[["Ab", "c"], ["c"]]], char_level=True)
sequences("char_level with empty split", [["ab a"]], char_level=True, split="")
sequences("split of one other character", [["a,b c;d"]], split=";")
sequences("split of several characters", [["a--b-c--a", "-- a---b"]], split="--", filters="")
sequences("split of several characters, filters", [["a.b, c<>a"]], split="<>", filters=".,")
sequences("split overlaps itself", [["xaaay", "aa"]], split="aa", filters="")
sequences("split holds a filter", [["a.b;c"]], split=";", filters=".;")
sequences("own filters", [["a.b c!d", "c'd"]], filters=".b")
sequences("no filters", [["a. b a."]], filters="")
sequences("filter beyond 16 bits", [["a\U0001F600b \U0001F601"]], filters="\U0001F600")
sequences("apostrophe, return and no-break space stay", [["don't a\tb\nc\rd\u00a0e"]])
sequences("lower False", [["The the THE", "the"]], lower=False)
sequences("Unicode lower-casing", [[LOWER, LOWER.lower()]])
sequences("sigma", [[GREEK, GREEK.lower()]])
sequences("Unicode words",
          [["\u65e5\u672c\u8a9e \u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u0627\u0644",
            "\u0420\u0423\u0421\u0421\u041a\u0418\u0419"]])
sequences("texts as tokens", [[["A b", "c."], ["C.", "a b", ""]]])
sequences("texts as tokens, lower False, oov", [[["A", "b"]]], [["a", "b", "A"]], lower=False, oov_token="o")
case("empty split for words", "texts_to_sequences", ["a"], fit=[["a b"]], split="")

case("state of the notebook's sentences", "state", fit=[PENS])
case("state with ties", "state", fit=[TIES])
case("state after several fits", "state", fit=[TIES, PENS, ["a a"]])
case("state with oov", "state", fit=[FOX], oov_token="<OOV>", num_words=3)
case("state with oov in the corpus", "state", fit=[UNK], oov_token="unk")
case("state with sequences", "state", fit=[PENS, {"sequences": [[1, 1, 2], [2, 99], []]}])
case("state of sequences alone", "state", fit=[{"sequences": [[1, 1, 2], [0]]}])
case("state with texts after sequences", "state", fit=[{"sequences": [[1], [1], [50]]}, ["a b", "a"]])
case("state of characters", "state", fit=[EMOJI], char_level=True)
case("state of nothing", "state", fit=[[]], oov_token="o")

IDS = [[2, 1, 5, 3], [0, 99, 8, 4], [], [-1]]
case("back to text", "sequences_to_texts", IDS, fit=[PENS])
case("back to text, num_words", "sequences_to_texts", IDS, fit=[PENS], num_words=4)
case("back to text, oov", "sequences_to_texts", IDS, fit=[PENS], oov_token="<o>")
case("back to text, oov and num_words", "sequences_to_texts", IDS, fit=[PENS], oov_token="<o>", num_words=4)
case("back to text, oov in the corpus", "sequences_to_texts", [[1, 2, 3, 4, 5]], fit=[UNK], oov_token="unk")
case("back to text, characters", "sequences_to_texts", [[1, 2, 3]], fit=[["abc"]], char_level=True)
case("back to text, own split", "sequences_to_texts", [[1, 2]], fit=[["a;b"]], split=";")
case("back to text, no fit", "sequences_to_texts", [[1, 2]])
case("back to text, no fit but oov", "sequences_to_texts", [[1, 2]], oov_token="o")

MIXED = ["the the quick fox", "", "dog dog dog unseen the", "unseen"]
for mode in ("binary", "count", "freq", "tfidf"):
    case(f"matrix {mode}", "texts_to_matrix", MIXED, fit=[FOX], more={"mode": mode})
    case(f"matrix {mode}, num_words", "texts_to_matrix", MIXED, fit=[FOX], more={"mode": mode}, num_words=3)
    case(f"matrix {mode}, oov", "texts_to_matrix", MIXED, fit=[FOX],
         more={"mode": mode}, oov_token="<o>", num_words=4)
    case(f"matrix {mode} of sequences", "sequences_to_matrix", [[0, 1, 1, 7], [2, 2, 2], []], fit=[FOX],
         more={"mode": mode})
    case(f"matrix {mode} without dimension", "sequences_to_matrix", [[1]], more={"mode": mode})
    case(f"matrix {mode} before fit", "sequences_to_matrix", [[1, 2, 5]], more={"mode": mode}, num_words=4)
case("matrix loses its last column: oov in the corpus", "texts_to_matrix", UNK, fit=[UNK],
     more={"mode": "count"}, oov_token="unk")
case("matrix tfidf after fit_on_sequences alone", "sequences_to_matrix", [[1, 2, 3, 3]],
     fit=[{"sequences": [[1, 2], [2], [2]]}], more={"mode": "tfidf"}, num_words=5)
case("matrix of characters", "texts_to_matrix", ["aab"], fit=[["abc"]], more={"mode": "freq"}, char_level=True)
case("matrix of tokens", "texts_to_matrix", [["A", "a", "b c"]], fit=[[["a"], ["B c"]]], more={"mode": "count"})
case("matrix of no texts", "texts_to_matrix", [], fit=[FOX], more={"mode": "binary"})

case("json of the defaults", "to_json")
case("json of the notebook's sentences", "to_json", fit=[PENS])
case("json of one word a text", "to_json", fit=[["b", "a", "b", "c"]])
case("json with oov and num_words", "to_json", fit=[FOX], oov_token="<OOV>", num_words=3)
case("json with num_words 0 and lower False", "to_json", fit=[FOX], num_words=0, lower=False)
case("json with oov in the corpus", "to_json", fit=[UNK], oov_token="unk")
case("json of Unicode, quotes and controls", "to_json", fit=[[
    LOWER, GREEK, "q\"u\\o</te \x7f\x01 \u2028 &'=\u00e9"]], filters=" ")
case("json of characters", "to_json", fit=[EMOJI], char_level=True)
case("json with several splits and sequences", "to_json",
     fit=[["a<>b"], {"sequences": [[1, 44]]}], split="<>", oov_token="\u00e9")

PAD0 = {"word_index": {"<pad>": 0, "b": 2, "a": 1}, "index_word": {"0": "<pad>", "1": "a", "2": "b"}}


def config(**changed):
    tables = dict(word_counts={"a": 2, "b": 2}, word_docs={"b": 1, "a": 2}, index_docs={"1": 2, "2": 1},
                  index_word={"1": "a", "2": "b"}, word_index={"a": 1, "b": 2})
    settings = dict(document_count=2)
    for key, value in changed.items():
        (tables if key in tables else settings)[key] = value
    return {**settings, **{k: v if isinstance(v, str) or v is None else json.dumps(v) for k, v in tables.items()}}


def from_json(name, config, text="a b z <pad>", **more):
    text_given = config if isinstance(config, str) else json.dumps({"config": config, **more})
    CASES.append(dict(name=name, args={}, json=text_given, fit=[], op="texts_to_sequences", input=[text], more={}))


from_json("json with few settings", config())
from_json("json with another class_name", config(oov_token="a"), class_name="MyTokenizer")
from_json("json with nb_words of Keras 1", config(nb_words=2))
from_json("json with id 0 put in by hand", config(filters="", **PAD0))
from_json("json with an unknown setting", config(wrong=1))
from_json("json without a table", {k: v for k, v in config().items() if k != "word_index"})
from_json("json with a table that is no JSON", config(word_docs="{"))
from_json("json with a table that is an object", {**config(), "word_counts": {"a": 1}})
from_json("json with a word as an id", config(index_word={"a": "a"}))
from_json("json without config", "{}")
from_json("json that is cut off", json.dumps({"config": config()})[:-9])
from_json("json with something after it", json.dumps({"config": config()}) + "]")
from_json("json with single quotes", "{'config': {}}")
from_json("json that is empty", "")
from_json("json that is an array", "[]")

for name, text, more in (
        ("words", "Hello, hello WORLD-wide; it's", {}),
        ("words, empty", "", {}),
        ("words, only filters", ".,.!", {}),
        ("words, own arguments", "A|b||c d.", dict(filters=".", lower=False, split="|")),
        ("words, empty split", "a b", dict(split=""))):
    case(name, "text_to_word_sequence", text, more=more)
for name, text, more in (
        ("md5", "The quick brown fox, the quick \u00e9\U0001F600", dict(n=1000)),
        ("md5, two ids", "a b c", dict(n=2)),
        ("md5, large n", "a b \u03a3", dict(n=2147483647)),
        ("md5, own arguments", "A|b||a", dict(n=50, filters="", lower=False, split="|")),
        ("md5, n 1", "a", dict(n=1)),
        ("md5, half a surrogate pair", "a \ud800", dict(n=9))):
    case(name, "hashing_trick", text, more={**more, "hash_function": "md5"})

ROWS = [[1], [2, 3], [4, 5, 6], []]
for padding in ("pre", "post"):
    for truncating in ("pre", "post"):
        for maxlen in (None, 0, 1, 2, 5):
            case(f"pad {padding}, truncate {truncating}, maxlen {maxlen}", "pad_sequences", ROWS,
                 more=dict(padding=padding, truncating=truncating, maxlen=maxlen))
case("pad with Keras's defaults", "pad_sequences", ROWS)
case("pad with another value", "pad_sequences", ROWS, more=dict(value=-1, maxlen=4))
case("pad empty ones only", "pad_sequences", [[], []])
case("pad empty ones only, maxlen", "pad_sequences", [[], []], more=dict(maxlen=2, value=7))
case("pad empty ones only, maxlen 0", "pad_sequences", [[], []], more=dict(maxlen=0))
case("pad nothing, maxlen", "pad_sequences", [], more=dict(maxlen=3))
case("pad nothing", "pad_sequences", [])
case("pad, negative maxlen", "pad_sequences", [[1]], more=dict(maxlen=-1))
case("pad, a row is None", "pad_sequences", [[1], None])
VECTORS = [[], [[1.5, 2.0]], [[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]]
for side in ("pre", "post"):
    case(f"pad vectors {side}", "pad_sequences", VECTORS, more=dict(dtype="float32", padding=side, value=0.5))
    case(f"pad vectors {side}, maxlen", "pad_sequences", VECTORS, more=dict(dtype="float32", truncating=side, maxlen=2))
case("pad vectors of two sizes", "pad_sequences", [[[1.0, 2.0]], [[1.0]]], more=dict(dtype="float32"))
case("pad ragged vectors", "pad_sequences", [[[1.0, 2.0], [1.0]]], more=dict(dtype="float32"))


def load(path):
    for name in ("keras", "keras.src", "keras.src.api_export"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["keras.src.api_export"].keras_export = lambda *_: lambda f: f
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem + "_of_keras", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def state(t):
    """Tables as lists of pairs, for the order of a JSON object says nothing; tables that come from a set are sorted."""
    return dict(word_counts=list(t.word_counts.items()), word_index=list(t.word_index.items()),
                index_word=sorted(t.index_word.items()), word_docs=sorted(t.word_docs.items()),
                index_docs=sorted(t.index_docs.items()), document_count=t.document_count)


def answer(text, sequence, case):
    op, given, more = case["op"], case["input"], case["more"]
    if op in ("text_to_word_sequence", "hashing_trick"):
        return getattr(text, op)(given, **more)
    if op == "pad_sequences":
        return sequence.pad_sequences(given, **more).tolist()
    t = text.tokenizer_from_json(case["json"]) if "json" in case else text.Tokenizer(**case["args"])
    for fit in case["fit"]:
        t.fit_on_texts(fit["texts"]) if "texts" in fit else t.fit_on_sequences(fit["sequences"])
    if op == "state":
        return state(t)
    result = getattr(t, op)(*([] if op == "to_json" else [given]), **more)
    return result.tolist() if isinstance(result, numpy.ndarray) else result


def settings(t):
    return t.num_words, t.filters, t.lower, t.split, t.char_level, t.oov_token


def write(text, sequence, version, commit):
    for c in CASES:
        try:
            c["expected"] = answer(text, sequence, c)
        except Exception as e:  # whatever Keras raises is the expected answer
            c["raises"] = type(e).__name__
    assert len({c["name"] for c in CASES}) == len(CASES)
    header = dict(made_by="ci/keras_text.py", keras=version, keras_commit=commit, numpy=numpy.__version__,
                  python=platform.python_version())
    lines = ",\n".join(json.dumps(c) for c in CASES)
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    FIXTURE.write_text('{"header": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(header), lines))
    raising = sum("raises" in c for c in CASES)
    print(f"{len(CASES)} cases of Keras {version}, {raising} of them raise: {FIXTURE}")


def read(text, folder):
    """Keras reads each file NAME.json; its tables and its next answers must be those of a tokenizer fitted by Keras."""
    cases = [c for c in CASES if c["op"] == "to_json"]
    for i, c in enumerate(cases):
        ours = (pathlib.Path(folder) / f"{i}.json").read_text(encoding="ascii")
        t, keras = text.tokenizer_from_json(ours), text.tokenizer_from_json(answer(text, None, c))
        assert state(t) == state(keras), c["name"]
        assert settings(t) == settings(keras), c["name"]
        probe = ["The pen \U0001F600 unseen", LOWER]
        assert t.texts_to_sequences(probe) == keras.texts_to_sequences(probe), c["name"]
        same = ours == answer(text, None, c)
        print(f"{c['name']}: read, same tables and answers{', same characters' if same else ''}")
    print(f"Keras reads all {len(cases)}")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    keras_text, keras_sequence = load(sys.argv[1]), load(sys.argv[2])
    if sys.argv[3] == "--read":
        read(keras_text, sys.argv[4])
    else:
        write(keras_text, keras_sequence, sys.argv[3], sys.argv[4])
