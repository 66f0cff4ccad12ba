"""Makes the embedded sample of the IMDB files: invented reviews, their word vectors and their ids.

The reviews come from a small grammar with a fixed seed: opinions about parts of a film, plots whose
words sound good or bad without being an opinion, remarks that are beside the point, negations and
concessions. A label is what the reviewer thinks of the film as a whole, so single words do not
decide it, and a review that is cut may lose the sentence that does.
"""

import hashlib
import re
from pathlib import Path
from random import Random
from typing import Any, Dict, List, Sequence, Set

import numpy as np

from tf1_lstm.data.glove import PADDING, UNKNOWN, WordTable
from tf1_lstm.data.ids import clean
from tf1_lstm.data.prepare import write_files
from tf1_lstm.data.reviews import PARTS, Corpus, Part

SEED = 20181115
MAKER = "invented by tools/sample_imdb.py"
STEPS = 50
DIMENSIONS = 20
SIZES: Dict[str, int] = {"train": 300, "test": 200}  # reviews of each side
TEXTS_FILE = "reviews.tsv"
_PLACE = re.compile(r"\{\w+\}")
POLARITY = {"pos": 1, "neg": -1}


def _words(text: str) -> List[str]:
    return text.split()


GOOD = _words(
    "good great excellent wonderful brilliant superb fantastic amazing lovely charming funny clever "
    "moving touching beautiful gripping fresh strong memorable delightful perfect enjoyable impressive "
    "fascinating inspired warm stunning remarkable incredible inspiring witty convincing"
)
BAD = _words(
    "bad awful terrible horrible dull boring poor weak stupid silly lame pointless tedious predictable "
    "annoying ugly clumsy flat shallow dreadful disappointing ridiculous forgettable messy wooden "
    "unconvincing lifeless painful pathetic worthless"
)
LIKED = _words("loved enjoyed liked adored admired recommend")
DISLIKED = _words("hated disliked regretted despised resented avoided")
PARTS_OF_FILM = _words(
    "acting plot story script dialogue music camera photography ending beginning direction pace cast "
    "humour editing lighting soundtrack scenery costumes twist romance action suspense characters"
)
FILMS = _words("film movie picture thriller comedy drama western sequel remake documentary")
HUGE = _words("very really so quite truly rather simply absolutely extremely")
PEOPLE = _words(
    "detective doctor teacher soldier widow farmer singer thief king orphan pilot nurse poet robot"
)
DEEDS = _words("meets loses follows saves betrays finds marries fights remembers leaves hides kills")
PLACES = _words("paris london town desert castle hospital village prison island school harbour forest")
MOODS = _words("terrible beautiful lonely happy poor strong ugly charming stupid brilliant sad lovely")
COMPANY = _words("wife brother friends sister son neighbour class boss daughter cousin")
DAYS = _words("monday friday sunday tuesday wednesday thursday saturday christmas")
ASIDE = _words("popcorn seats cinema weather trailer parking beer crowd ticket dinner")
NAMES = _words(
    "Harlan Velmont Odessa Quimby Tarkov Brandt Ilsebill Corrigan Marchetti Oduya Lindqvist Farrow"
)
COMMON = _words(
    "the a an and of to in is was it this that i you he she they we my his her their with for on at as "
    "by but not no never nothing than more most all some any one two three first last time again out "
    "about who what when where which how there here have has had do does did be been are were will "
    "would could should can if then also even just only still too much many other every something "
    "everything nobody anyone well ever yet people watch watched see seen saw think thought say made "
    "make actor actors actress director scene scenes hour hours minutes better worse best worst love "
    "hate like waste money fun interesting happy sad man woman life world"
)

# {p}: a word that says what the sentence means, {n}: one that says the opposite.
OPINIONS = (
    "The {part} was {very} {p}.",
    "The {part} is {p} and the {part2} is {p2}.",
    "I {liked} the {part}.",
    "{name} gives a {very} {p} performance.",
    "What a {p} {film}!",
    "The {part} never felt {n}.",
    "The {part} was not {n} at all.",
    "There is nothing {n} about the {part}.",
    "I thought the {part} was {p}, {very} {p2} even.",
    "{p} {part}, {p2} {part2}...",
    "Nobody could call the {part} {n}.",
)
CONCESSIONS = (
    "Although the {part} was {n}, the {part2} was {very} {p}.",
    "The {part} may be {n}, but the {part2} is {p} and that is what counts.",
    "Yes, the {part} was {n}; still, I {liked} the {film}.",
    "I expected something {n}, yet the {part} was {p}.",
    "My {who} said it was {n} and could not be more wrong.",
)
PLOTS = (
    "It is the story of a {mood} {person} who {deed} a {person2} in {place}.",
    "A {person} {deed} a {mood} {person2} and then {deed2} the {mood2} {person3}.",
    "In {place} a {mood} {person} {deed} his {who}.",
    "The {person} {deed} everyone, and the {person2} {deed2} a {mood} {person3} in {place}.<br /><br />",
)
ASIDES = (
    "I saw it on {day} with my {who}.",
    "The {aside} was {any}, by the way.",
    "My {who} had the {any} {aside}, as on every {day}.",
    "It was {day} and the {aside} looked {any}.<br />",
    "{name} once made another {film} about a {person}.",
)
VERDICTS = {
    1: (
        "Overall a {p} {film}, {n2} at times, but I would see it again.",
        "In the end I {liked} it: 9 out of 10.",
        "All in all one of the best, and {very} {p}.",
        "Do not listen to those who call it {n}: see it!",
        "Watch it, it is {p}.",
    ),
    -1: (
        "Overall a {p} {film}, {n2} at times, but I would not see it again.",
        "In the end I {liked} it: 2 out of 10.",
        "All in all one of the worst, and {very} {p}.",
        "Do not listen to those who call it {n}: avoid it!",
        "Do not watch it, it is {p}.",
    ),
}


def make(folder: Path) -> Dict[str, Any]:
    """Write the sample's files to ``folder`` and return the manifest; always the same bytes."""
    reviews = corpus()
    sources = {
        "reviews": {"name": MAKER, "sha256_of_reviews": reviews.sha256, "seed": SEED},
        "vectors": {"kind": "invented", "name": MAKER, "seed": SEED},
    }
    manifest = write_files(
        reviews, word_table(), folder, sources, STEPS, made_by="tools/make_sample.py", histogram=False
    )
    lines = [f"{split}\t{side}\t{text}\n" for split, side in PARTS for text in reviews.lines[split, side]]
    (folder / TEXTS_FILE).write_bytes("".join(lines).encode("utf-8"))
    return manifest


def word_table() -> WordTable:
    """The words and vectors float32 ``[words, DIMENSIONS]`` in the published layout.

    A vector is its word group's direction, plus a common direction for good and against bad words,
    plus noise, rounded to the four decimals of a text file. So words of a kind are neighbours, as
    in GloVe, and a word that the reviews never use still has a sense.
    """
    generator = np.random.RandomState(SEED)
    groups: Sequence[Sequence[str]] = (
        *(COMMON, GOOD + LIKED, BAD + DISLIKED, PARTS_OF_FILM, FILMS, HUGE, PEOPLE, DEEDS),
        *(PLACES, MOODS, COMPANY, DAYS, ASIDE, _template_words()),
    )
    feeling = generator.randn(DIMENSIONS) / np.sqrt(DIMENSIONS)
    leaning = dict.fromkeys([*GOOD, *LIKED, "best", "love"], 1.0)
    leaning.update(dict.fromkeys([*BAD, *DISLIKED, "worst", "hate", "waste"], -1.0))
    rows: Dict[str, np.ndarray] = {}
    for group in groups:
        centre = generator.randn(DIMENSIONS) * 0.35
        for word in group:
            noise = generator.randn(DIMENSIONS) * 0.4
            strength = leaning.get(word, 0.0) * (0.6 + 0.8 * generator.rand())
            rows.setdefault(word, centre + strength * 2.2 * feeling + noise)
    vectors = np.zeros((len(rows) + 2, DIMENSIONS), np.float32)
    vectors[1:-1] = np.round(list(rows.values()), 4)
    vectors[-1] = np.round(generator.randn(DIMENSIONS) * 0.2, 4)
    return WordTable([PADDING, *(word.encode() for word in rows), UNKNOWN], vectors, "")


def corpus() -> Corpus:
    """All invented reviews; no two begin with the same ``STEPS`` words."""
    random = Random(SEED)
    seen: Set[bytes] = set()
    texts: Dict[Part, List[str]] = {part: [] for part in PARTS}
    for (split, side), found in texts.items():
        while len(found) < SIZES[split]:
            text = review(random, POLARITY[side])
            start = b" ".join(clean(text).split()[:STEPS])
            if start not in seen:
                seen.add(start)
                found.append(text)
    digest = hashlib.sha256("\n".join(text for part in PARTS for text in texts[part]).encode()).hexdigest()
    return Corpus(texts, digest)


def review(random: Random, polarity: int) -> str:
    """One invented review whose author likes the film (1) or not (-1)."""
    sentences = []
    mixed = random.random() < 0.25
    for _ in range(random.choice((2, 2, 3, 3, 4, 5, 6, 8))):
        kind = random.random()
        if kind < 0.55:
            other = random.random() < (0.4 if mixed else 0.1)
            sentences.append(_sentence(random, OPINIONS, -polarity if other else polarity))
        elif kind < 0.7:
            sentences.append(_sentence(random, CONCESSIONS, polarity))
        else:
            sentences.append(_sentence(random, PLOTS if kind < 0.86 else ASIDES, polarity))
    if mixed or random.random() < 0.5:
        where = 0 if random.random() < 0.25 else len(sentences)
        sentences.insert(where, _sentence(random, VERDICTS[polarity], polarity))
    return " ".join(sentences)


def _sentence(random: Random, templates: Sequence[str], polarity: int) -> str:
    towards, against, liked = (GOOD, BAD, LIKED) if polarity > 0 else (BAD, GOOD, DISLIKED)
    pick = random.choice
    words = {
        **dict(zip(("p", "p2"), random.sample(towards, 2)), n=pick(against), n2=pick(against)),
        **dict(zip(("part", "part2"), random.sample(PARTS_OF_FILM, 2)), liked=pick(liked), film=pick(FILMS)),
        **dict(zip(("person", "person2", "person3"), random.sample(PEOPLE, 3)), very=pick(HUGE)),
        **dict(zip(("deed", "deed2"), random.sample(DEEDS, 2)), place=pick(PLACES), who=pick(COMPANY)),
        **dict(zip(("mood", "mood2"), random.sample(MOODS, 2)), day=pick(DAYS), aside=pick(ASIDE)),
        **{"any": pick(GOOD + BAD), "name": pick(NAMES)},
    }
    text = pick(templates).format(**words)
    return text[0].upper() + text[1:]


def _template_words() -> List[str]:
    """The words of the sentence patterns themselves."""
    templates = (*OPINIONS, *CONCESSIONS, *PLOTS, *ASIDES, *VERDICTS[1], *VERDICTS[-1])
    words = clean(_PLACE.sub(" ", " ".join(templates))).split()
    return [word.decode("ascii") for word in dict.fromkeys(words)]
